"""The MQTT client against a real Mosquitto."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from services.core.broker.client import (
    BrokerClient,
    ClientOptions,
    Publication,
    Will,
)
from services.core.broker.topics import UP_FILTERS, down_topic, up_topic
from services.core.errors import BrokerUnavailableError, SubscriptionRefusedError
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

DEVICE = "feeder-1"


@asynccontextmanager
async def device(
    broker: Broker, will: Will | None = None
) -> AsyncIterator[BrokerClient]:
    secret = broker.secrets.get(DEVICE) or broker.add_device(DEVICE)
    url = f"mqtt://{DEVICE}:{secret}@127.0.0.1:{broker.port}"
    options = ClientOptions(url, will=will, shortest_pause=0.01, longest_pause=0.05)
    async with BrokerClient(options) as client:
        await client.wait_connected()
        yield client


@asynccontextmanager
async def service(
    broker: Broker, filters: Iterable[str] = UP_FILTERS, **changes: int
) -> AsyncIterator[BrokerClient]:
    options = ClientOptions(
        broker.service_url,
        clean_session=False,
        manual_ack=True,
        shortest_pause=0.01,
        longest_pause=0.05,
        **changes,  # type: ignore[arg-type]
    )
    async with BrokerClient(options) as client:
        await client.subscribe(filters)
        yield client


async def receive(client: BrokerClient, count: int) -> list[Publication]:
    received: list[Publication] = []
    async with asyncio.timeout(10):
        while len(received) < count:
            received += await client.receive(count - len(received))
    return received


async def test_a_message_arrives_whole(broker: Broker) -> None:
    topic = up_topic(DEVICE, "data")
    payloads = [b"", b"x" * 127, b"y" * 128, b"z" * 60_000]
    async with service(broker) as ingest, device(broker) as publisher:
        for payload in payloads:
            await publisher.publish(topic, payload)
        await publisher.publish(topic, b"at most once", 0)
        received = await receive(ingest, 5)
    assert [message.payload for message in received] == [*payloads, b"at most once"]
    assert {message.topic for message in received} == {topic}
    assert [message.qos for message in received] == [1, 1, 1, 1, 0]


async def test_what_is_not_acknowledged_comes_again_on_the_next_connection(
    broker: Broker,
) -> None:
    topic = up_topic(DEVICE, "data")
    async with device(broker) as publisher:
        async with service(broker) as ingest:
            for number in range(3):
                await publisher.publish(topic, b"%d" % number)
            first = await receive(ingest, 3)
            ingest.acknowledge(first[:1])
        async with service(broker) as ingest:
            again = await receive(ingest, 2)
    assert [message.payload for message in again] == [b"1", b"2"]


async def test_an_acknowledgement_of_an_earlier_connection_is_dropped(
    broker: Broker,
) -> None:
    """Packet ids start again at 1: the old acknowledgement would lose a new message."""
    topic = up_topic(DEVICE, "data")
    async with service(broker) as ingest:
        async with device(broker) as publisher:
            await publisher.publish(topic, b"old")
            (old,) = await receive(ingest, 1)
        broker.stop()
        await ingest.wait_lost()
        broker.start()
        await ingest.wait_connected()
        (again,) = await receive(ingest, 1)
        assert (again.payload, again.mid) == (b"old", old.mid)
        ingest.acknowledge([old])
    async with service(broker) as ingest:
        (kept,) = await receive(ingest, 1)
        assert kept.payload == b"old"


async def test_publish_fails_when_the_broker_goes_and_works_when_it_is_back(
    broker: Broker,
) -> None:
    async with service(broker), device(broker) as publisher:
        broker.kill()
        with pytest.raises(BrokerUnavailableError):
            await publisher.publish(up_topic(DEVICE, "data"), b"{}")
        await publisher.wait_lost()
        broker.start()
        await publisher.wait_connected()
        await publisher.publish(up_topic(DEVICE, "data"), b"{}")


async def test_subscriptions_stand_again_after_the_broker_lost_the_session(
    broker: Broker,
) -> None:
    async with service(broker) as ingest, device(broker) as publisher:
        broker.kill()
        await ingest.wait_lost()
        await publisher.wait_lost()
        broker.mosquitto.folder.joinpath("mosquitto.db").unlink(missing_ok=True)
        broker.start()
        await ingest.wait_connected()
        await publisher.wait_connected()
        await publisher.publish(up_topic(DEVICE, "data"), b"after")
        (message,) = await receive(ingest, 1)
        assert message.payload == b"after"


async def test_a_doubtful_connection_is_made_anew_on_demand(broker: Broker) -> None:
    """Who waits for it to go is told at once; what comes meanwhile comes by the next."""
    async with service(broker) as ingest, device(broker) as publisher:
        before = ingest.connection
        ingest.renew()
        async with asyncio.timeout(10):
            await ingest.wait_lost()
            assert await ingest.wait_connected() == before + 1
        await publisher.publish(up_topic(DEVICE, "data"), b"after")
        (message,) = await receive(ingest, 1)
        assert (message.payload, message.connection) == (b"after", before + 1)


async def test_the_socket_is_not_read_while_too_much_is_undelivered(
    broker: Broker,
) -> None:
    """A paused client stays connected, and delivers the rest in order once it is asked."""
    topic = up_topic(DEVICE, "data")
    count = 3000
    async with (
        service(broker, most_undelivered_bytes=50_000, keepalive=1) as ingest,
        device(broker) as publisher,
    ):
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(publisher.publish(topic, b"%d" % number + b" " * 900))
        connection = ingest.connection
        await asyncio.sleep(
            1.6
        )  # the broker's own patience is what is tried: 1.5 keep-alives
        received = await receive(ingest, count)
        assert ingest.connection == connection
    assert [int(message.payload) for message in received] == list(range(count))


Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def broker_of_few_words(serve: Served) -> AsyncIterator[str]:
    """The URL of a stand-in that accepts whoever comes and then does what Mosquitto would not."""
    serving: set[asyncio.Task[None]] = set()

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await reader.read(1000)
            writer.write(b"\x20\x02\x00\x00")  # CONNACK
            await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"mqtt://x@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)


async def test_a_refused_subscription_is_said() -> None:
    """Mosquitto with an ACL file grants every subscription."""

    async def refuse(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = await reader.read(1000)
        writer.write(b"\x90\x03" + request[2:4] + b"\x80")  # SUBACK: failure
        await reader.read()

    async with (
        broker_of_few_words(refuse) as url,
        BrokerClient(ClientOptions(url)) as client,
    ):
        with pytest.raises(SubscriptionRefusedError):
            await client.subscribe(["not/for/us"])


async def test_whom_nothing_is_heard_of_is_given_up() -> None:
    """After one and a half keep-alives, and then connected to anew."""
    came: asyncio.Queue[None] = asyncio.Queue()

    async def fall_silent(
        reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> None:
        came.put_nowait(None)
        while await reader.read(1000):
            pass

    async with (
        asyncio.timeout(10),
        broker_of_few_words(fall_silent) as url,
        BrokerClient(ClientOptions(url, keepalive=1, shortest_pause=0.01)) as client,
    ):
        await came.get()
        await client.wait_connected()
        await client.wait_lost()
        await came.get()


async def test_a_broker_too_busy_to_answer_pings_is_alive_as_long_as_it_sends() -> None:
    """Mosquitto reads one packet a turn: a ping stands behind every acknowledgement sent before it."""
    tenths = 30  # of a second: three keep-alives

    async def send_on(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for number in range(tenths):
            writer.write(b"\x30\x04\x00\x01t%c" % number)  # PUBLISH, QoS 0
            await asyncio.sleep(0.1)
        await asyncio.sleep(10)

    async with (
        broker_of_few_words(send_on) as url,
        BrokerClient(ClientOptions(url, keepalive=1)) as client,
    ):
        received = await receive(client, tenths)
        assert [message.payload[0] for message in received] == list(range(tenths))
        assert client.connection == 1


async def test_a_round_trip_waits_for_the_answer_to_its_own_ping() -> None:
    asked = asyncio.Event()
    answers = asyncio.Semaphore(0)

    async def answer_when_told(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readexactly(2)  # the keep-alive's own
        asked.set()
        while True:
            await answers.acquire()
            writer.write(b"\x30\x04\x00\x01tm\xd0\x00")  # PUBLISH, PINGRESP

    async with (
        asyncio.timeout(10),
        broker_of_few_words(answer_when_told) as url,
        BrokerClient(ClientOptions(url, keepalive=4)) as client,
    ):
        await asked.wait()
        trip = asyncio.create_task(client.round_trip())
        answers.release()
        assert len(await receive(client, 1)) == 1
        assert not trip.done()
        answers.release()
        assert await trip == 1


async def test_wrong_credentials_are_tried_again(broker: Broker) -> None:
    secret = broker.add_device(DEVICE)
    broker.revoke(DEVICE)
    url = f"mqtt://{DEVICE}:{secret}@127.0.0.1:{broker.port}"
    async with BrokerClient(ClientOptions(url, shortest_pause=0.01)) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.wait_connected()
        broker.secrets[DEVICE] = secret
        broker.reload()
        async with asyncio.timeout(5):
            await client.wait_connected()


async def test_the_will_is_sent_when_the_device_vanishes_and_not_when_it_leaves(
    broker: Broker,
) -> None:
    will = Will(up_topic(DEVICE, "death"), b"{}")
    async with service(broker) as ingest:
        async with device(broker, will):
            pass
        async with device(broker, will) as publisher:
            await publisher.publish(up_topic(DEVICE, "data"), b"last words")
            assert publisher._link is not None
            publisher._link._stream.shutdown(socket.SHUT_RDWR)
            received = await receive(ingest, 2)
    assert [message.topic for message in received] == [
        up_topic(DEVICE, "data"),
        up_topic(DEVICE, "death"),
    ]


async def test_receipts_reach_the_device(broker: Broker) -> None:
    topic = down_topic(DEVICE, "receipt")
    async with service(broker) as ingest, device(broker) as publisher:
        await publisher.subscribe([topic])
        await ingest.publish(topic, b'{"epoch":1,"stored_through":3}', 0)
        (receipt,) = await receive(publisher, 1)
    assert receipt.payload == b'{"epoch":1,"stored_through":3}'
