"""Publishers that remember: with an outbox until the receipt, with one that is too small, and without numbers."""

import asyncio
import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final
from urllib.parse import quote

from services.core.broker.client import (
    BrokerClient,
    BrokerUnavailableError,
    ClientOptions,
)
from services.core.broker.topics import UpKind, down_topic, up_topic
from services.core.clock import Clock
from services.core.reasons import Reason
from tests.faults.pulse import Pulse
from tests.faults.truth import Made

_EPOCH: Final = 1
_AT_ONCE: Final = 64  # messages on their way without PUBACK
_LONGEST_WAIT: Final = 8.0  # times its patience
_LOOK_SECONDS: Final = 0.5
_AFTER_FAILURE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Identity:
    """numbered: sends seq and keeps an outbox; bound: how many messages it holds, None for all there is."""

    key: str
    secret: str
    hosted: bool = False  # its items are of devices that it hosts
    numbered: bool = True
    bound: int | None = None
    rate: float = 8.0  # messages a second; 0: only when it is told to
    patience: float = 3.0  # seconds without a receipt before a message is sent again


@dataclass(slots=True)
class Entry:
    payload: bytes
    made_at: float
    sent_at: float | None = None
    attempts: int = 0


@dataclass
class World:
    """What all publishers share. address: host and port of the devices' door, through the proxy."""

    clock: Clock
    pulse: Pulse
    host: str
    port: int
    producing: bool = True


@dataclass
class Publisher:
    identity: Identity
    made: list[Made]
    world: World
    chance: random.Random
    outbox: dict[int, Entry] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    expected: dict[int, Reason] = field(default_factory=dict)  # refused, and rightly
    last_seq: int = 0
    unreadable: list[bytes] = field(default_factory=list)
    acknowledged: int = 0  # PUBACKs of messages without a number
    _unsent: deque[int] = field(default_factory=deque)
    _plain: deque[bytes] = field(default_factory=deque)
    _birth_due: bool = True
    _work: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def key(self) -> str:
        return self.identity.key

    @property
    def is_done(self) -> bool:
        silent = not self.outbox and not self._plain
        return silent and not (self.identity.numbered and self._birth_due)

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    async def run(self) -> None:
        """Until cancelled."""
        user, secret = quote(self.key, safe=""), quote(self.identity.secret, safe="")
        url = f"mqtt://{user}:{secret}@{self.world.host}:{self.world.port}"
        options = ClientOptions(
            url, keepalive=8, shortest_pause=0.05, longest_pause=0.5
        )
        async with (
            BrokerClient(options, clock=self.world.clock, chance=self.chance) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._produce(), name=f"{self.key} produces")
            group.create_task(self._listen(client), name=f"{self.key} listens")
            group.create_task(self._speak(client), name=f"{self.key} speaks")

    # Making messages

    async def _produce(self) -> None:
        if not self.identity.rate:
            return
        pause = 1.0 / self.identity.rate
        while True:
            await self.world.clock.sleep(pause * self.chance.uniform(0.5, 1.5))
            if self.world.producing:
                self.make(self.chance.randint(1, 3))

    def make(self, items: int, ago_ms: int = 0) -> int:
        """A new message with items of now, or of a while ago, on its way; returns its number (0: it has none)."""
        seq = self.last_seq + 1 if self.identity.numbered else 0
        content = [self._item(seq, ago_ms) for _ in range(items)]
        return self.send({"items": content})

    def _item(self, seq: int, ago_ms: int) -> dict[str, object]:
        made = self.chance.choice(self.made)
        time_ms = made.next_time(self.world.clock.now_ms() - ago_ms)
        made.add(time_ms, seq)
        item: dict[str, object] = {
            "time": time_ms,
            "values": made.instrument.values(time_ms),
        }
        if self.identity.hosted:
            item["device"] = made.instrument.device
        return item

    def send(self, message: dict[str, object], expected: Reason | None = None) -> int:
        """Number it and put it on its way. expected: why it will be refused, whole."""
        if not self.identity.numbered:
            self.send_raw(json.dumps(message).encode())
            return 0
        self.last_seq += 1
        numbered = {"seq": self.last_seq, "epoch": _EPOCH, **message}
        entry = Entry(json.dumps(numbered).encode(), self.world.clock.monotonic())
        self.outbox[self.last_seq] = entry
        self._unsent.append(self.last_seq)
        if expected is not None:
            self.expected[self.last_seq] = expected
        self._keep_bound()
        self._work.set()
        return self.last_seq

    def send_raw(self, payload: bytes) -> None:
        """As it is, until PUBACK and no longer."""
        self._plain.append(payload)
        self._work.set()

    def send_unreadable(self, payload: bytes) -> None:
        """What has no number that could be settled, to be kept raw."""
        self.unreadable.append(payload)
        self.send_raw(payload)

    def hold_back(self) -> None:
        """What was numbered goes only when it is overdue: somebody delivers copies of it meanwhile."""
        now = self.world.clock.monotonic()
        for seq in self._unsent:
            self.outbox[seq].sent_at = now
        self._unsent.clear()

    def _keep_bound(self) -> None:
        bound = self.identity.bound
        while bound is not None and len(self.outbox) > bound:
            oldest = min(self.outbox)
            del self.outbox[oldest]
            self.dropped.add(oldest)
            self._birth_due = True

    # Sending them

    async def _speak(self, client: BrokerClient) -> None:
        await client.subscribe([down_topic(self.key, "receipt")])
        while True:
            connection = await client.wait_connected()
            self._unsent = deque(sorted(self.outbox))
            self._birth_due = True
            try:
                await self._speak_on(client, connection)
            except BrokerUnavailableError:
                await self.world.clock.sleep(_AFTER_FAILURE)

    async def _speak_on(self, client: BrokerClient, connection: int) -> None:
        while client.is_connected and client.connection == connection:
            if self._birth_due and self.identity.numbered:
                await self._announce(client)
            elif entries := self._next_entries():
                await self._publish_all(client, [entry.payload for entry in entries])
            elif self._plain:
                await self._publish_plain(client)
            else:
                await self._wait_for_work()

    async def _announce(self, client: BrokerClient) -> None:
        dropped = len(self.dropped)
        oldest = min(self.outbox, default=self.last_seq + 1)
        birth = {
            "time": self.world.clock.now_ms(),
            "epoch": _EPOCH,
            "oldest_seq": oldest,
        }
        await self._publish_all(client, [json.dumps(birth).encode()], "birth")
        self._birth_due = len(self.dropped) > dropped  # meanwhile

    def _next_entries(self) -> list[Entry]:
        now = self.world.clock.monotonic()
        entries: list[Entry] = []
        while self._unsent and len(entries) < _AT_ONCE:
            entry = self.outbox.get(self._unsent.popleft())
            if entry is not None:
                entry.sent_at, entry.attempts = now, entry.attempts + 1
                entries.append(entry)
        return entries

    async def _publish_plain(self, client: BrokerClient) -> None:
        count = min(len(self._plain), _AT_ONCE)
        await self._publish_all(client, [self._plain[place] for place in range(count)])
        for _ in range(count):
            self._plain.popleft()
        self.acknowledged += count

    async def _publish_all(
        self, client: BrokerClient, payloads: Sequence[bytes], kind: UpKind = "data"
    ) -> None:
        topic = up_topic(self.key, kind)
        sending = [
            asyncio.create_task(client.publish(topic, payload)) for payload in payloads
        ]
        try:
            await asyncio.wait(sending)
        finally:
            for task in sending:
                task.cancel()
        for task in sending:
            task.result()

    async def _wait_for_work(self) -> None:
        self._work.clear()
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._work.wait()
        except TimeoutError:
            self._find_overdue()

    def _find_overdue(self) -> None:
        now = self.world.clock.monotonic()
        for seq, entry in self.outbox.items():
            times = min(2.0 ** max(entry.attempts - 1, 0), _LONGEST_WAIT)
            wait = times * self.identity.patience
            if entry.sent_at is not None and now - entry.sent_at > wait:
                entry.sent_at = None
                self._unsent.append(seq)

    # Receipts

    async def _listen(self, client: BrokerClient) -> None:
        while True:
            for publication in await client.receive(100):
                self.take_receipt(json.loads(publication.payload))

    def take_receipt(self, receipt: dict[str, Any]) -> None:
        through = receipt["stored_through"]
        settled = list(takewhile(lambda seq: seq <= through, self.outbox))
        for first, last in receipt.get("also", []):
            settled += [seq for seq in range(first, last + 1) if seq in self.outbox]
        for seq in settled:
            if entry := self.outbox.pop(seq, None):
                self.world.pulse.settled(entry.made_at)
