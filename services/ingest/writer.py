"""Stores batches, whatever happens meanwhile: never one twice, never one not at all."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from services.core.clock import Clock
from services.core.reasons import Reason
from services.core.storage import log_batch
from services.core.storage.event_log import NewEntry
from services.core.storage.transient import is_transient
from services.ingest import metrics
from services.ingest.batch import Batch
from services.ingest.lanes import NewestTimes
from services.ingest.merge import Known, Merged, Place, RowsNeededError, merge
from services.ingest.plan import Lanes, Plan, divide, plan
from services.ingest.qartod import PastChecks
from services.ingest.store import Store, is_data_error, is_duplicate_key

log = structlog.get_logger()

_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
_CHUNK_SECONDS: Final = 3600.0
_FIRST_PATIENCE: Final = 15.0  # with one attempt; a healthy database takes milliseconds
_LONGEST_PATIENCE: Final = 480.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What the log says beside a batch's content. waiting: by publisher, items read from the broker and in no batch yet."""

    caught_up: bool
    waiting: Counter[int]


class Writer:
    def __init__(
        self,
        store: Store,
        newest: NewestTimes,
        clock: Clock,
        chance: random.Random,
        log_time: Callable[[], dt.datetime],
    ) -> None:
        """log_time: what batches are logged at; it should not follow a clock that jumps."""
        self._log_time = log_time
        self._store = store
        self._newest = newest
        self._clock = clock
        self._chance = chance
        self._past = PastChecks()
        self._chunks_at = clock.monotonic()

    async def write(
        self, batch: Batch, situation: Callable[[], Situation]
    ) -> list[Plan]:
        """Store a batch and say what was committed. Trouble that may pass is waited out, however long it takes.

        When the database refuses the data itself, the batch is halved until what it refuses stands alone; that
        becomes a rejected item, and the rest is stored.

        Raises:
            WriterFencedError: another ingest has taken over.
        """
        try:
            return [await self._write(batch, situation)]
        except Exception as error:
            if not is_data_error(error):
                raise
            log.warning(
                "the database refused a batch",
                action="batch_refused",
                items=len(batch.publishers),
                error=str(error),
            )
            detail = f"the database refused it: {error}"
        if len(batch.publishers) <= 1:
            refused = batch.refusing_all(Reason.MALFORMED, detail)
            return [await self._write(refused, situation)]
        first, second = batch.halves()
        behind = Counter(second.publishers)

        def with_second_half_waiting() -> Situation:
            now = situation()
            return Situation(now.caught_up, now.waiting + behind)

        return [
            *await self.write(first, with_second_half_waiting),
            *await self.write(second, situation),
        ]

    @property
    def last_batch(self) -> int:
        """The number of the newest committed log batch."""
        return self._store.writer.last_batch

    async def keep_chunks_ahead(self) -> None:
        """Now and every hour: make tomorrow's chunk, so that no batch has to wait for it."""
        if self._clock.monotonic() < self._chunks_at:
            return
        self._chunks_at = self._clock.monotonic() + _CHUNK_SECONDS
        try:
            with self._store.giving_up_after(_FIRST_PATIENCE):
                await self._store.make_chunk(self._clock.now())
                await self._store.make_chunk(self._clock.now() + dt.timedelta(days=1))
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "tomorrow's chunk is not made yet",
                action="chunk_failed",
                error=str(error),
            )

    async def _write(self, batch: Batch, situation: Callable[[], Situation]) -> Plan:
        all_late, pause, patience = False, _SHORTEST_PAUSE, _FIRST_PATIENCE
        batch = batch.with_joined_blocks()
        known = self._past.flag(batch.blocks, self._clock.now_ms())
        while True:
            attempt: Plan | None = None
            try:
                with self._store.giving_up_after(patience):
                    attempt = await self._plan(batch, all_late=all_late)
                    await self._commit(attempt, situation())
            except Exception as error:
                if is_duplicate_key(error) and not all_late:
                    all_late = True  # the table knew more than we did
                    continue
                if not is_transient(error):
                    raise
                if await self._recover(error, pause) and attempt is not None:
                    break
                pause = min(2 * pause, _LONGEST_PAUSE)
                patience = min(2 * patience, _LONGEST_PATIENCE)
            else:
                break
        self._newest.advance(attempt.log.frame_ids, attempt.log.times_ms)
        self._past.advance(known)
        return attempt

    async def _commit(self, attempt: Plan, situation: Situation) -> None:
        waiting = log_batch.Waiting.of(situation.waiting)
        entry = NewEntry(
            body=log_batch.encode(replace(attempt.log, waiting=waiting)),
            now=self._log_time(),
            caught_up=situation.caught_up,
            waiting=situation.waiting.total(),
            received=int(attempt.log.accounts.received.sum()),
        )
        with metrics.COMMIT_SECONDS.time():
            await self._store.write(attempt, entry)

    async def _plan(self, batch: Batch, *, all_late: bool) -> Plan:
        if batch.answers:
            asked = {answer.command_id for answer in batch.answers}
            batch = batch.judging_answers(await self._store.load_asked(asked))
        lanes = divide(batch, self._newest, all_late=all_late)
        merged = await self._merge(lanes) if lanes.late else Merged()
        return plan(batch, lanes, merged)

    async def _merge(self, lanes: Lanes) -> Merged:
        stored = await self._store.load_rows(lanes.keys())
        past: dict[Place, Known] = {}
        while True:
            try:
                return merge(stored, lanes.late, past)
            except RowsNeededError as error:
                stored |= await self._store.load_rows(error.keys)
                past |= await self._store.load_past(error.past)

    async def _recover(self, error: Exception, pause: float) -> bool:
        """Wait, and take over again for as long as it takes; whether the batch is committed after all."""
        while True:
            log.warning(
                "the database does not take a batch; trying again",
                action="write_retry",
                error=f"{type(error).__name__}: {error}",
            )
            await self._clock.sleep(pause * self._chance.uniform(0.5, 1.0))
            try:
                return await self._store.reopen()
            except Exception as next_error:
                if not is_transient(next_error):
                    raise
                error = next_error
                pause = min(2 * pause, _LONGEST_PAUSE)
