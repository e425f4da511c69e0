"""What a publisher may and may not do at the broker, tried with foreign clients."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.native.mosquitto import ingest_filters
from services.core.broker import users
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.options import as_user
from services.core.broker.topics import UpKind, down_topic, up_topic
from services.core.errors import BrokerUnavailableError
from tests.stack_fixtures import Broker, wait_until

pytestmark = pytest.mark.integration

MOSQUITTO_PUB = "/usr/bin/mosquitto_pub"
PUMP, VALVE = "pump-1", "valve-1"
KINDS: tuple[UpKind, ...] = ("birth", "data", "senml", "result", "death")
NOT_AUTHORISED = "not authori"  # Mosquitto writes it with s and with z


def publish(
    broker: Broker,
    user: str,
    secret: str,
    topic: str,
    payload: str = "{}",
    client_id: str = "",
) -> subprocess.CompletedProcess[str]:
    place = ["-h", "127.0.0.1", "-p", str(broker.port), "-V", "5"]
    who = ["-u", user, "-P", secret] if user else []
    message = ["-t", topic, "-q", "1", "-m", payload]
    named = ["-i", client_id] if client_id else []
    return subprocess.run(  # a fixed command
        [MOSQUITTO_PUB, *place, *who, *message, *named],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@asynccontextmanager
async def listening(
    broker: Broker, url: str = "", filters: tuple[str, ...] | None = None
) -> AsyncIterator[BrokerClient]:
    options = ClientOptions(
        url or broker.service_url,
        clean_session=bool(url),
        shortest_pause=0.01,
        longest_pause=0.05,
    )
    async with BrokerClient(options) as client:
        await client.wait_connected()
        await client.subscribe(filters or ingest_filters())
        yield client


def device_url(broker: Broker, device: str) -> str:
    return f"mqtt://{device}:{broker.secrets[device]}@127.0.0.1:{broker.port}"


async def test_a_publisher_reaches_its_own_topics(broker: Broker) -> None:
    secret = broker.add_device(PUMP)
    own = [up_topic(PUMP, kind) for kind in KINDS]
    async with listening(broker) as ingest:
        for topic in own:
            assert publish(broker, PUMP, secret, topic).returncode == 0
        received = [(await ingest.receive(1))[0].topic for _ in own]
    assert received == own


@pytest.mark.parametrize(
    "topic",
    [
        up_topic(VALVE, "data"),
        down_topic(VALVE, "receipt"),
        down_topic(PUMP, "command"),
        down_topic(PUMP, "receipt"),
        "city/v1/pump-1/data/more",
        "city/v1/pump-1",
        "anything",
        "$SYS/broker/version",
    ],
)
async def test_any_other_topic_is_refused(broker: Broker, topic: str) -> None:
    secret = broker.add_devices([PUMP, VALVE])[PUMP]
    async with listening(broker) as ingest:
        refused = publish(broker, PUMP, secret, topic)
        publish(broker, PUMP, secret, up_topic(PUMP, "data"))
        (first,) = await ingest.receive(1)
    assert NOT_AUTHORISED in (refused.stdout + refused.stderr).lower()
    assert first.topic == up_topic(PUMP, "data")


@pytest.mark.parametrize("wildcard", ["#", "city/v1/+/receipt", "city/#"])
async def test_a_wildcard_subscription_brings_only_ones_own(
    broker: Broker, wildcard: str
) -> None:
    broker.add_devices([PUMP, VALVE])
    async with (
        listening(broker) as service,
        listening(broker, device_url(broker, PUMP), (wildcard,)) as pump,
        listening(broker, device_url(broker, VALVE), ("city/#",)) as valve,
    ):
        await valve.publish(up_topic(VALVE, "data"), b"a neighbour's reading")
        await service.publish(down_topic(VALVE, "receipt"), b"a neighbour's receipt")
        await service.publish(down_topic(PUMP, "receipt"), b"mine")
        (first,) = await pump.receive(1)
    assert first.payload == b"mine"


async def test_the_downlink_tells_publishers_and_hears_nothing(broker: Broker) -> None:
    broker.add_device(PUMP)
    downlink = as_user(broker.service_url, users.DOWNLINK)
    own = down_topic(PUMP, "receipt")
    async with (
        listening(broker) as ingest,
        listening(broker, device_url(broker, PUMP), (own,)) as pump,
        listening(broker, downlink, ("city/#",)) as told,
    ):
        await pump.publish(up_topic(PUMP, "data"), b"a reading")
        (received,) = await ingest.receive(1)
        await told.publish_all([(own, b"its receipt")])
        (receipt,) = await pump.receive(1)
        assert await told.round_trip() == 0
    assert (received.payload, receipt.payload) == (b"a reading", b"its receipt")


@pytest.mark.parametrize("user", ["", PUMP, "pump-2", users.INGEST])
async def test_without_the_secret_nobody_gets_in(broker: Broker, user: str) -> None:
    broker.add_device(PUMP)
    refused = publish(broker, user, "guess", up_topic(PUMP, "data"))
    assert refused.returncode != 0
    assert NOT_AUTHORISED in refused.stderr.lower()


async def test_a_revoked_publisher_is_put_out_and_stays_out(broker: Broker) -> None:
    secret = broker.add_device(PUMP)
    own = down_topic(PUMP, "receipt")
    async with listening(broker, device_url(broker, PUMP), (own,)) as pump:
        broker.revoke(PUMP)
        await pump.wait_lost()
    assert publish(broker, PUMP, secret, up_topic(PUMP, "data")).returncode != 0


async def test_a_new_device_does_not_disturb_the_others(broker: Broker) -> None:
    broker.add_device(PUMP)
    own = down_topic(PUMP, "receipt")
    async with listening(broker, device_url(broker, PUMP), (own,)) as pump:
        connection = pump.connection
        broker.add_device(VALVE)
        await pump.publish(up_topic(PUMP, "data"), b"{}")
        assert pump.connection == connection


async def test_nobody_can_take_over_the_session_of_ingest(broker: Broker) -> None:
    secret = broker.add_device(PUMP)
    async with listening(broker) as ingest:
        connection = ingest.connection
        topic = up_topic(PUMP, "data")
        publish(broker, PUMP, secret, topic, client_id=users.INGEST)
        (received,) = await ingest.receive(1)
        assert (received.topic, ingest.connection) == (topic, connection)


async def test_64_kilobytes_pass_and_more_is_not_acknowledged(broker: Broker) -> None:
    broker.add_device(PUMP)
    topic = up_topic(PUMP, "data")
    async with (
        listening(broker) as ingest,
        listening(broker, device_url(broker, PUMP), ()) as pump,
    ):
        await pump.publish(topic, b"x" * 65_536)
        (received,) = await ingest.receive(1)
        assert len(received.payload) == 65_536
        with pytest.raises(BrokerUnavailableError):
            await pump.publish(topic, b"x" * 67_000)


async def test_what_is_published_while_ingest_is_away_survives_the_brokers_crash(
    broker: Broker,
) -> None:
    secret = broker.add_device(PUMP)
    async with listening(broker):
        assert broker.server is not None
        broker.mosquitto.save_sessions(broker.server.pid)
        wait_until(broker.mosquitto.has_saved_session)
    broker.kill()
    broker.start()
    assert publish(broker, PUMP, secret, up_topic(PUMP, "data")).returncode == 0
    async with listening(broker) as ingest:
        (received,) = await ingest.receive(1)
    assert received.topic == up_topic(PUMP, "data")


def test_no_broker_begins_beside_one_that_still_saves(broker: Broker) -> None:
    with pytest.raises(OSError, match="still saving"):
        broker.mosquitto.refuse_beside_former()
    broker.kill()
    assert (broker.mosquitto.folder / "mosquitto.pid").exists()
    broker.mosquitto.refuse_beside_former()


async def test_devices_find_a_closed_door_until_the_session_is_saved(
    broker: Broker,
) -> None:
    secret = broker.add_device(PUMP)
    broker.stop()
    broker.start(devices_let_in=False)
    assert not broker.mosquitto.has_saved_session()
    refused = publish(broker, PUMP, secret, up_topic(PUMP, "data"))
    assert "refused" in refused.stderr.lower()
    async with listening(broker) as ingest:
        assert ingest.is_connected


@pytest.mark.parametrize("content", [b"", b"torn"])
async def test_a_broken_file_does_not_keep_the_broker_down(
    broker: Broker, content: bytes
) -> None:
    broker.stop()
    saved = broker.mosquitto.folder / "mosquitto.db"
    saved.write_bytes(content)
    broker.mosquitto.put_broken_file_aside()
    broker.start()
    assert saved.with_suffix(".broken").read_bytes() == content
    broker.stop()
    assert saved.exists()
    broker.mosquitto.put_broken_file_aside()
    assert saved.exists(), "a whole one stays"
