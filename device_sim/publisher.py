"""One MQTT identity: connects, announces itself, sends what its outbox has, settles what receipts cover."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from device_sim import wire
from device_sim.commands import CommandDesk, Configure
from device_sim.faults import FaultKind, FaultPlan
from device_sim.outbox import Entry, Outbox, Unnumbered
from device_sim.rotation import KeyRing
from services.core.broker.client import (
    BrokerClient,
    BrokerUnavailableError,
    ClientOptions,
    Will,
)
from services.core.broker.messages import Receipt, Result
from services.core.broker.options import Trust
from services.core.broker.topics import down_topic, up_topic
from services.core.clock import Clock

_RECEIPTS_A_TURN: Final = 100
_AFTER_FAILURE: Final = 0.2  # seconds
_KEEPALIVE: Final = 30
_LONGEST_PAUSE: Final = 5.0
_encoder = msgspec.json.Encoder()


class Tell(Protocol):
    """Where news go: a sentence and facts, as structlog's methods take them."""

    def __call__(self, event: str, /, **facts: object) -> object: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who publishes. hosted: device id to device type, of those it speaks for. ring: where new secrets are kept.

    configure: what it makes of that command; None: it says that it has nothing of the kind.
    """

    key: str
    secret: str
    device_type: str | None
    hosted: tuple[tuple[str, str | None], ...] = ()
    ring: KeyRing | None = None
    configure: Configure | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all publishers of a simulator share. elapsed: seconds since its start."""

    broker_url: str
    clock: Clock
    faults: FaultPlan
    elapsed: Callable[[], float]
    tell: Tell
    trust: Trust = field(default_factory=Trust)


class Publisher:
    def __init__(
        self, identity: Identity, outbox: Outbox | Unnumbered, around: Surroundings
    ) -> None:
        self.key = identity.key
        self.outbox = outbox
        self.connected = asyncio.Event()
        self.receipted = asyncio.Event()  # set by each receipt that covers something
        self._identity = identity
        self._around = around
        self._work = asyncio.Event()
        self._leaving = False
        self._receipts = msgspec.json.Decoder(Receipt)
        self._command_topic = down_topic(self.key, "command")
        self._ring = identity.ring or KeyRing([identity.secret])
        self._desk = CommandDesk(
            outbox, self._give_up, self._ring.take, identity.configure
        )
        self._given_up: list[tuple[int, int]] = []
        self._results: list[Result] = []

    def wake(self) -> None:
        """There may be something to send."""
        self._work.set()

    def leave(self) -> None:
        """Send what is ready, disconnect and end run(): no will is sent, as nothing is broken."""
        self._leaving = True
        self._work.set()

    async def run(self) -> None:
        while not self._leaving:
            async with BrokerClient(
                self._options(), clock=self._around.clock
            ) as client:
                await self._stay(client)
            self.connected.clear()
            await self._stay_away()

    def _options(self) -> ClientOptions:
        return ClientOptions(
            url=with_credentials(
                self._around.broker_url, self.key, self._identity.secret
            ),
            secret=self._ring.attempt,
            trust=self._around.trust,
            keepalive=_KEEPALIVE,
            longest_pause=_LONGEST_PAUSE,
            will=Will(up_topic(self.key, "death"), wire.death()),
        )

    async def _stay(self, client: BrokerClient) -> None:
        await client.subscribe([down_topic(self.key, "receipt")], qos=0)
        await client.subscribe([self._command_topic])
        self.connected.set()
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(
                self._listen(client), name=f"receipts[{self.key}]"
            )
            await self._speak(client)
            listening.cancel()

    async def _stay_away(self) -> None:
        while self._must_be_away() and not self._leaving:
            await self._wait_for_work()

    def _must_be_away(self) -> bool:
        return self._has_fault(FaultKind.DROP_CONNECTION)

    def _has_fault(self, kind: FaultKind) -> bool:
        return self._around.faults.is_on(kind, self.key, self._around.elapsed())

    async def _listen(self, client: BrokerClient) -> None:
        while True:
            for publication in await client.receive(_RECEIPTS_A_TURN):
                if publication.topic == self._command_topic:
                    self._take_command(publication.payload)
                else:
                    self._take_receipt(publication.payload)

    def _take_command(self, payload: bytes) -> None:
        result = self._desk.answer(payload, self._around.clock.now_ms())
        if result is not None:
            self._results.append(result)
            self._work.set()

    def _give_up(self, epoch: int, oldest_seq: int) -> None:
        self._given_up.append((epoch, oldest_seq))

    def _take_receipt(self, payload: bytes) -> None:
        try:
            receipt = self._receipts.decode(payload)
        except msgspec.DecodeError as error:
            self._around.tell(
                "a receipt that cannot be read",
                action="bad_receipt",
                publisher=self.key,
                error=str(error),
            )
            return
        self._work.set()
        if self.outbox.settle(receipt, self._now()):
            self.receipted.set()
        for refusal in receipt.rejected:
            self._around.tell(
                "a value was refused",
                action="refused",
                publisher=self.key,
                **msgspec.structs.asdict(refusal),
            )

    async def _speak(self, client: BrokerClient) -> None:
        """Until we leave, or a fault takes us away."""
        while True:
            connection = await client.wait_connected()
            self._ring.worked()
            self.outbox.disconnected()
            try:
                await self._speak_on(client, connection)
            except BrokerUnavailableError:
                await self._around.clock.sleep(_AFTER_FAILURE)
                continue
            if self._leaving or self._must_be_away():
                return

    async def _speak_on(self, client: BrokerClient, connection: int) -> None:
        """Until this connection is gone, or we leave."""
        while client.is_connected and client.connection == connection:
            if self._results:
                await self._answer(client, self._results.pop(0))
            elif self.outbox.wants_birth(self._now()):
                await self._announce(client)
            elif entry := self._next():
                await self._send(client, entry)
            elif self._must_be_away():
                await client.publish(up_topic(self.key, "death"), wire.death())
                return
            elif self._leaving:
                return
            else:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        self._work.clear()
        await self._work.wait()

    def _now(self) -> float:
        return self._around.clock.monotonic()

    def _next(self) -> Entry | None:
        return None if self._must_be_away() else self.outbox.due(self._now())

    async def _announce(self, client: BrokerClient) -> None:
        time_ms = self._around.clock.now_ms()
        self.outbox.announced(self._now())
        birth = wire.birth(
            time_ms,
            self.outbox.epoch,
            self.outbox.oldest_seq,
            self._identity.device_type,
        )
        await client.publish(up_topic(self.key, "birth"), birth)
        for device, device_type in self._identity.hosted:
            birth = wire.hosted_birth(time_ms, device, device_type)
            await client.publish(up_topic(self.key, "birth"), birth)

    async def _answer(self, client: BrokerClient, result: Result) -> None:
        """An answer that does not arrive is asked for again. What is lost of a former epoch is told first."""
        lost, self._given_up = self._given_up, []
        for epoch, oldest_seq in lost:
            birth = wire.birth(self._around.clock.now_ms(), epoch, oldest_seq, None)
            await client.publish(up_topic(self.key, "birth"), birth)
        await client.publish(up_topic(self.key, "result"), _encoder.encode(result))

    async def _send(self, client: BrokerClient, entry: Entry) -> None:
        self.outbox.sent(entry, self._now())
        batch = [entry]
        if self._has_fault(FaultKind.OUT_OF_ORDER) and (later := self._next()):
            self.outbox.sent(later, self._now())
            batch.insert(0, later)
        if self._has_fault(FaultKind.DUPLICATE):
            batch = [entry for entry in batch for _ in range(2)]
        for each in batch:
            await client.publish(up_topic(self.key, "data"), each.payload)
            self.outbox.delivered(each)


def with_credentials(url: str, user: str, secret: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user, safe='')}:{quote(secret, safe='')}@{place}"
    return urlunsplit(parts._replace(netloc=netloc))
