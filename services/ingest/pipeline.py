"""THE MAP: receive ▸ decode ▸ resolve ▸ check ▸ batch ▸ write ▸ acknowledge ▸ receipt.

Two loops share one batch. The first gathers what arrives; the second stores what was gathered while it
stored the batch before, so a batch is as large as the database is slow; `pace.py` says when the next one begins.
What was not stored when the process ends was not acknowledged, and comes again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import msgspec
import structlog

from services.core.broker.link import Publication
from services.core.clock import Clock
from services.core.errors import BrokerUnavailableError
from services.core.process import notify_supervisor
from services.core.reasons import Reason
from services.core.storage.transient import is_transient
from services.ingest import metrics
from services.ingest.again import Replayed
from services.ingest.batch import Batch
from services.ingest.check import Checker, ReplayChecker
from services.ingest.decode import FAULT
from services.ingest.freshness import Freshness
from services.ingest.messages import Received, Unusable
from services.ingest.pace import Pace
from services.ingest.receipts import Receipts
from services.ingest.registry import Registry
from services.ingest.replay import Again
from services.ingest.resolve import UNKNOWN_PUBLISHER, Senders, resolve
from services.ingest.source import Intake
from services.ingest.tap import Tap
from services.ingest.waker import Waker
from services.ingest.writer import Situation, Writer

log = structlog.get_logger()

_MOST_AT_ONCE: Final = 1000  # messages between two looks at everything else
_AGAIN_AT_ONCE: Final = 10  # messages of a replay, likewise
_MOST_ITEMS: Final = 20_000  # of a batch; with more waiting, nothing is received
_MOST_BYTES: Final = 32_000_000
_TICK_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 10.0


class Pipeline:
    def __init__(
        self,
        intake: Intake,
        registry: Registry,
        writer: Writer,
        receipts: Receipts,
        waker: Waker,
        clock: Clock,
    ) -> None:
        self._source = intake.source
        self._outlet = intake.outlet
        self._decoder = intake.decoder
        self._explain = intake.explain
        self._set_aside = intake.set_aside
        self._commands = intake.commands
        self._registry = registry
        self._writer = writer
        self._receipts = receipts
        self._waker = waker
        self._clock = clock
        self.tap = Tap(clock)
        self._senders, self._senders_revision = Senders(registry), registry.revision
        self._checker = Checker()
        self._freshness = Freshness()
        self._batch = Batch()
        self._due = asyncio.Event()  # there is something to store, or it is time to
        self._settled = asyncio.Event()  # there may be receipts to send
        self._pace = Pace()
        self._room = asyncio.Event()
        self._room.set()
        self._besides: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}

    def beside(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Something else to be at for as long as it runs."""
        self._besides[name] = work

    async def run(self, stop: asyncio.Event) -> None:
        """Until stop is set; then what was received is stored, acknowledged and receipted.

        When the database is away at that time, it is left to come again.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work, name=f"ingest.{name}")
                for name, work in (
                    ("gather", self._gather()),
                    ("tick", self._tick()),
                    ("receipts", self._send_receipts()),
                    ("registry", self._watch_registry()),
                    ("wake", self._waker.run()),
                    ("commands", self._commands.run()),
                    *((name, work()) for name, work in self._besides.items()),
                )
            ]
            storing = group.create_task(self._store_until(stop), name="ingest.store")
            await stop.wait()
            for task in tasks:
                task.cancel()
            self._due.set()
            done, _ = await asyncio.wait([storing], timeout=_STOP_SECONDS)
            if not done:
                log.warning("the database is away; stopping", action="stop_unstored")
                storing.cancel()
        await self._send_due_receipts()

    # receive ▸ decode ▸ resolve ▸ check ▸ batch

    async def _gather(self) -> None:
        while True:
            publications = await self._source.receive(_MOST_AT_ONCE)
            self._freshness.receive(len(publications))
            messages = [self._decoder.decode(message) for message in publications]
            await self._take_in(publications, messages)
            await self._publish(self._decoder.take_requests())
            await asyncio.sleep(0)
            await self._room.wait()

    async def _take_in(
        self, publications: Sequence[Publication], messages: Sequence[Received]
    ) -> None:
        """Refuse nothing for the registry's sake before having looked whether it changed."""
        if self._judged(publications, messages, certain=False):
            return
        await self._refresh_registry()
        self._judged(publications, messages, certain=True)

    def _judged(
        self,
        publications: Sequence[Publication],
        messages: Sequence[Received],
        *,
        certain: bool,
    ) -> bool:
        try:
            return self._judge(publications, messages, certain=certain)
        except Exception:
            log.exception("a fault while reading messages", action="judge_failed")
            self._take_in_one_by_one(publications, messages)
            return True

    def _take_in_one_by_one(
        self, publications: Sequence[Publication], messages: Sequence[Received]
    ) -> None:
        """A message that we have a fault with is refused: it must neither stop the others nor come for ever."""
        for publication, message in zip(publications, messages, strict=True):
            try:
                self._judge([publication], [message], certain=True)
            except Exception as error:  # noqa: BLE001 # logged above, with its trace
                why = Unusable(Reason.MALFORMED, f"{FAULT}: {error}")
                refused = msgspec.structs.replace(message, content=why)
                self._judge([publication], [refused], certain=True)

    def _judge(
        self,
        publications: Sequence[Publication],
        messages: Sequence[Received],
        *,
        certain: bool,
    ) -> bool:
        """Resolve, check and batch; False, and nothing done, when the registry should be asked again first."""
        now_ms, batch = self._clock.now_ms(), self._batch
        resolved = resolve(messages, self._senders_of_now(), now_ms, batch.end)
        checked = self._checker.check(resolved.observed, now_ms)
        if not certain and (checked.doubtful or resolved.is_doubtful):
            return False
        batch.add(publications, resolved, checked)
        if self.tap.watched:
            self.tap.look(batch, messages, resolved, checked, now_ms)
        batch.learn(self._decoder.take_memories())
        if len(batch.publishers) >= _MOST_ITEMS or batch.payload_bytes >= _MOST_BYTES:
            self._room.clear()
        self._due.set()
        return True

    async def take_in_again(self, page: Sequence[Again]) -> None:
        """Messages that were refused once, judged as of when they came; returns when they are settled."""
        await self._refresh_registry()
        await self._room.wait()
        for number, (message, received) in enumerate(page):
            if number % _AGAIN_AT_ONCE == 0:
                self._due.set()
                await asyncio.sleep(0)  # live messages come between
                await self._room.wait()
            try:
                self._judge_again(message, received)
            except Exception as error:
                log.exception("a fault while reading a message", action="judge_failed")
                why = Unusable(Reason.MALFORMED, f"{FAULT}: {error}")
                refused = msgspec.structs.replace(received, content=why)
                self._judge_again(message, refused)
        await self._all_committed()

    async def take_in_revision(self, received: Received, time_ms: int) -> None:
        """A person's word about that time, as of which it is judged; returns when it is settled."""
        await self._refresh_registry()
        await self._room.wait()
        batch = self._batch
        resolved = resolve([received], self._registry, time_ms, batch.end)
        batch.add([], resolved, Checker().check(resolved.observed, time_ms))
        await self._all_committed()

    async def _all_committed(self) -> None:
        """Until what the batch holds now is committed."""
        stored = asyncio.Event()
        self._batch.when_stored.append(stored.set)
        self._due.set()
        await stored.wait()

    def _judge_again(self, message: Replayed, received: Received) -> None:
        batch, now_ms = self._batch, message.judged_ms
        resolved = resolve([received], self._registry, now_ms, batch.end)
        checked = ReplayChecker().check(resolved.observed, now_ms)
        batch.add([], resolved, checked)
        batch.replayed.append(message)

    def _senders_of_now(self) -> Senders:
        if self._registry.revision != self._senders_revision:
            self._senders = Senders(self._registry)
            self._senders_revision = self._registry.revision
        return self._senders

    # write ▸ acknowledge ▸ receipt

    async def _store_until(self, stop: asyncio.Event) -> None:
        next_at = self._clock.monotonic()
        while not stop.is_set() or self._batch.publications:
            await self._due.wait()
            early = next_at - self._clock.monotonic()
            if early > 0 and not stop.is_set():
                await self._clock.sleep(early)
            self._due.clear()
            began = self._clock.monotonic()
            await self._writer.keep_chunks_ahead()
            batch, self._batch = self._batch, Batch()
            self._room.set()
            await self._store(batch)
            self._pace.took(self._clock.monotonic() - began)
            next_at = began + self._pace.apart

    async def _store(self, batch: Batch) -> None:
        plans = await self._writer.write(batch, self._situation)
        for plan in plans:
            self._explain(plan.refused)
        self._source.acknowledge(batch.publications)
        self._freshness.commit(len(batch.publications))
        metrics.MESSAGES.inc(len(batch.publications))
        metrics.WAITING.set(len(self._batch.publishers))
        for plan in plans:
            self._receipts.fold(plan.log)
            self._commands.greet(plan.log.notices)
            metrics.count(plan)
        for plan in plans:
            self._receipts.refuse(plan.refused, self._registry.id_of)
        for tell in batch.when_stored:
            tell()
        if batch.watched:
            self.tap.commit(batch.watched, plans, self._writer.last_batch)
        self._settled.set()
        self._waker.wake()

    def _situation(self) -> Situation:
        fresh = self._freshness.is_fresh(self._clock.monotonic())
        waiting = Counter(self._batch.publishers)
        for publisher, messages in self._set_aside().items():
            waiting[self._registry.id_of(publisher) or UNKNOWN_PUBLISHER] += messages
        return Situation(caught_up=fresh, waiting=waiting)

    async def _send_receipts(self) -> None:
        """At once, and then not again before a pause: what is settled meanwhile shares a receipt."""
        while True:
            await self._settled.wait()
            self._settled.clear()
            await self._send_due_receipts()
            await self._clock.sleep(self._pace.receipt_pause)

    async def _send_due_receipts(self) -> None:
        """One that is lost is asked for again: its publisher repeats the message."""
        due = self._receipts.take_due(self._registry.key_of)
        if self.tap.watched:
            self.tap.send(due)
        if await self._publish(due):
            metrics.RECEIPTS.inc(len(due))

    async def _publish(self, messages: Sequence[tuple[str, bytes]]) -> bool:
        if not messages:
            return False
        try:
            await self._outlet.publish_all(messages)
        except BrokerUnavailableError:
            return False
        return True

    # Every second

    async def _tick(self) -> None:
        """The log advances although nothing comes; it says whether that silence means anything."""
        connection = self._source.connection
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            notify_supervisor("WATCHDOG=1")
            self._due.set()
            asked_at = self._clock.monotonic()
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    undelivered = await self._source.round_trip()
            except (BrokerUnavailableError, TimeoutError):
                continue
            if connection == self._source.connection:
                self._freshness.round_trip(asked_at, undelivered)
            else:
                connection = self._source.connection
                self._freshness.lose()

    async def _watch_registry(self) -> None:
        while True:
            await self._clock.sleep(_TICK_SECONDS)
            await self._refresh_registry()

    async def _refresh_registry(self) -> None:
        while True:
            try:
                await self._registry.refresh()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning(
                    "the registry cannot be read; trying again",
                    action="registry_retry",
                    error=str(error),
                )
                await self._clock.sleep(_RETRY_SECONDS)
            else:
                return
