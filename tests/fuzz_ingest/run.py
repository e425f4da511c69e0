"""THE MAP of a run: the stack ▸ wild messages with calm ones among them ▸ a quiet end ▸ the verdict."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.core.clock import Clock
from services.core.reasons import Reason
from services.core.storage.registry_store import apply_city
from services.ingest.decoders.native_json import decode_data
from services.ingest.messages import Message
from tests.faults.publishers import Publisher, World
from tests.faults.pulse import Pulse
from tests.fuzz_ingest.city import (
    CALM,
    COUNTED,
    PUBLISHERS,
    calm_publishers,
    fuzz_city,
)
from tests.fuzz_ingest.judging import Seen, judge_all, settled
from tests.fuzz_ingest.messages import Maker, Wild
from tests.fuzz_ingest.report import MEBIBYTE, Outcome, Wanted
from tests.fuzz_ingest.stage import IngestEndedError, Watched, services
from tests.fuzz_ingest.wire import BrokerHungUpError, Wire
from tests.integration.ingest_stage import Stage, ingest_stage
from tests.stack_fixtures import Broker

MOST_AHEAD: Final = 20_000  # messages that were sent and are not committed
_AT_ONCE: Final = 200
_CALM_EVERY: Final = 10
_LOOK_SECONDS: Final = 0.1
_WARM_UP: Final = 20  # a twentieth of all, before memory is measured
_STUCK_SECONDS: Final = 60.0  # without a commit
_QUIET_SECONDS: Final = (
    2.0  # without a commit, and nothing unacknowledged: the rest, at QoS 0, was dropped
)


class StuckError(AssertionError):
    """Nothing goes on; says how it stood."""


@dataclass
class Calm:
    """What the fault harness's verdict has to know of publishers; nothing is forgiven here."""

    publishers: list[Publisher]
    forgiven: set[Reason] = field(default_factory=set)

    def all(self) -> list[Publisher]:
        return self.publishers

    @property
    def sent(self) -> int:
        """Their births are messages, too."""
        return sum(one.last_seq + 1 for one in self.publishers)

    @property
    def is_done(self) -> bool:
        return all(one.is_done for one in self.publishers)


async def play(
    wanted: Wanted,
    broker: Broker,
    database_url: str,
    logs: Path,
    clock: Clock,
    tell: Callable[[int], None] = lambda _sent: None,
) -> Outcome:
    """logs: a folder. tell: is told how many messages were sent."""
    outcome = Outcome(wanted, clock.now_ms())
    broker.add_devices([*CALM, *PUBLISHERS])
    async with ingest_stage(broker, database_url) as stage:
        city = fuzz_city()
        await apply_city(
            stage.database, city, retire=False, actor="fuzz", dry_run=False
        )
        world = World(clock, Pulse(clock), "127.0.0.1", broker.port)
        calm = Calm(calm_publishers(city, broker.secrets, world))
        async with services(broker, database_url, logs, clock) as ingest:
            await _Run(outcome, stage, ingest, calm, clock, tell).go()
    return outcome


@dataclass
class _Run:
    outcome: Outcome
    stage: Stage
    ingest: Watched
    calm: Calm
    clock: Clock
    tell: Callable[[int], None]
    counted: Counter[str] = field(default_factory=Counter)
    newest: deque[Wild] = field(default_factory=lambda: deque(maxlen=2 * MOST_AHEAD))
    committed: int = 0
    _committed_at: float = 0.0
    _looked_at: float = 0.0
    _dropped: int = 0  # at QoS 0, by the broker
    _resident: list[int] = field(default_factory=list)  # after the warm-up

    async def go(self) -> None:
        broker = self.stage.broker
        wire = Wire(broker.port, PUBLISHERS, broker.secrets)
        try:
            async with self._calm_ones():
                await self._play(wire)
        except* (IngestEndedError, BrokerHungUpError, StuckError) as group:
            for error in group.exceptions:
                self.outcome.end(str(error))
            self.outcome.find_culprits(self.newest)
        finally:
            wire.close()

    @asynccontextmanager
    async def _calm_ones(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            standing = [
                group.create_task(one.run(), name=one.key)
                for one in self.calm.publishers
            ]
            yield
            for task in standing:
                task.cancel()

    async def _play(self, wire: Wire) -> None:
        await self._one_of_each()
        threads, began = await self.ingest.threads(), self.clock.monotonic()
        self._committed_at = began
        await self._send_all(wire)
        await self._drain(wire)
        self.outcome.seconds = round(self.clock.monotonic() - began, 1)
        last = await self._one_of_each()
        self._say_memory()
        await settled(self.stage.database, self.clock, self.ingest.insist)
        seen = Seen(
            self.ingest.is_alive,
            (threads, await self.ingest.threads()),
            last,
            self.committed,
            wire.acknowledged + self.calm.sent - len(self.calm.publishers),
            self.counted,
        )
        self.outcome.sent = {
            "acknowledged": wire.acknowledged,
            "without": wire.sent_plain,
            "dropped": self._dropped,
            "calm": self.calm.sent,
        }
        await judge_all(self.stage.database, self.outcome, self.calm, seen)
        self.outcome.judge_log(self.ingest.faults)

    async def _one_of_each(self) -> float:
        """Calm publishers say something; seconds until all have their receipts."""
        began = self.clock.monotonic()
        for publisher in self.calm.publishers:
            publisher.make(1)
        while not self.calm.is_done:
            self._insist(began)
            await self.clock.sleep(_LOOK_SECONDS / 10)
        return self.clock.monotonic() - began

    async def _send_all(self, wire: Wire) -> None:
        wanted = self.outcome.wanted
        maker = Maker(wanted.seed, wanted.count, self.outcome.begin_ms)
        number = 0
        while number < wanted.count:
            self._look(wire)
            if self._ahead(wire) >= MOST_AHEAD:
                await self.clock.sleep(_LOOK_SECONDS / 10)
                continue
            end = min(number + _AT_ONCE, wanted.count)
            for place in range(number, end):
                self._send(wire, maker, place)
            number = end
            self.tell(number)
            await self.clock.sleep(0)

    def _send(self, wire: Wire, maker: Maker, number: int) -> None:
        turn, rest = divmod(number, _CALM_EVERY)
        if rest == 0:
            publishers = self.calm.publishers
            publishers[turn % len(publishers)].make(1)
            return
        message = maker.make(number)
        self.newest.append(message)
        if message.sender in COUNTED:
            said = decode_data(message.payload)
            items = len(said.items) if isinstance(said, Message) else 1
            self.counted[message.sender] += items
        wire.send(message)

    async def _drain(self, wire: Wire) -> None:
        while self._ahead(wire) > 0 or not self.calm.is_done:
            self._look(wire)
            await self.clock.sleep(_LOOK_SECONDS / 10)

    # Looking

    def _ahead(self, wire: Wire) -> int:
        """Messages that were sent and are not committed."""
        sent = wire.sent + self.calm.sent - self._dropped
        return max(0, sent - self.committed)

    def _look(self, wire: Wire) -> None:
        wire.turn()
        now = self.clock.monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        progress = self.ingest.progress()
        committed = progress.committed
        if committed != self.committed:
            self.committed, self._committed_at = committed, now
        elif now - self._committed_at > _QUIET_SECONDS:
            waits = wire.unacknowledged or progress.waiting or not self.calm.is_done
            self._dropped += 0 if waits else self._ahead(wire)
        if committed * _WARM_UP >= self.outcome.wanted.count:
            self._resident.append(self.ingest.resident)
        self._insist(self._committed_at)

    def _insist(self, since: float) -> None:
        self.ingest.insist()
        if self.clock.monotonic() - since > _STUCK_SECONDS:
            raise StuckError(
                f"no commit for {_STUCK_SECONDS:.0f} s; {self.committed} messages are committed"
            )

    def _say_memory(self) -> None:
        sizes = [*self._resident, self.ingest.resident]
        self.outcome.memory = {
            "begin": round(sizes[0] / MEBIBYTE, 1),
            "highest": round(max(sizes) / MEBIBYTE, 1),
            "end": round(sizes[-1] / MEBIBYTE, 1),
        }
