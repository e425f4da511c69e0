"""THE MAP of the rules service: read the log ▸ decode ▸ evaluate ▸ alerts, holds and cursor in one transaction ▸ wake.

Evaluation is a function of the log alone, and what it cannot see again is committed with the cursor: kill -9 at
any line, and the alerts are those of an undisturbed run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from services.core.alerting.alert import Subject, SubjectMove
from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage import log_batch
from services.core.storage.alerts import apply_moves, open_alerts
from services.core.storage.event_log import (
    Cursor,
    LogEntry,
    save_cursor,
    wake_consumers,
)
from services.core.storage.pool import Connection
from services.core.storage.rule_store import load_rulebook
from services.core.unhurried import Unhurried
from services.rules import store
from services.rules.evaluation import Evaluation, TargetMove
from services.rules.memory import Memory, encode_memory
from services.rules.platform_faults import FAULTS
from services.rules.recall import Recollection, recall
from services.rules.rule_clock import RuleClock
from services.rules.settling import Settlement, settle, stored_levels
from services.rules.stored import StoredHold
from services.rules.targets import Targets

log = structlog.get_logger()

_CURSOR_EVERY_MS: Final = 1_000  # of rule time
_CURSOR_EVERY_BATCHES: Final = 1_000  # where rule time stands still
_MEMORY_EVERY_MS: Final = 30_000
_TARGETS_A_MS: Final = (
    10  # a memory of millions is stored less often; what follows it is replayed
)
_MOST_SUBJECTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked at, as of a registry revision."""

    revision: int
    targets: Targets


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """The memory as of a committed cursor; a copy stays as it is."""

    targets: Targets
    memory: Memory
    clock: RuleClock
    cursor: Cursor

    def copy(self) -> "Remembered":
        return replace(self, memory=self.memory.copy(), clock=replace(self.clock))

    async def save(self, connection: Connection, pace: Unhurried | None = None) -> None:
        """Inside a transaction. pace: where the judging goes on beside it."""
        pieces = encode_memory(self.targets, self.memory, self.clock)
        await store.save_memory(connection, pieces, self.cursor, pace)


class Engine:
    """The rules at a place in the log. After any error it is thrown away and begun again from the database."""

    def __init__(
        self,
        connection: Connection,
        watch: Watch,
        evaluation: Evaluation,
        cursor: Cursor,
    ) -> None:
        self._connection = connection
        self._watch = watch
        self._evaluation = evaluation
        self._cursor = cursor
        self._subjects: dict[int, Subject] = {}
        self._saved_ms = self._remembered_ms = 0
        self._saved_batch = 0

    @classmethod
    async def begin(cls, connection: Connection) -> "Engine":
        """The engine where the former one stopped, wherever that was."""
        watch = await load_watch(connection)
        recalled = await recall(connection, watch.targets)
        evaluation = Evaluation(watch.targets, recalled.memory, recalled.clock, {})
        engine = cls(connection, watch, evaluation, recalled.cursor)
        await engine._settle(recalled)
        return engine

    @property
    def cursor(self) -> Cursor:
        return self._cursor

    @property
    def revision(self) -> int:
        return self._watch.revision

    @property
    def targets(self) -> Targets:
        return self._watch.targets

    async def take(self, entries: Sequence[LogEntry]) -> int:
        """Judge batches and commit what they change; how many moves that were."""
        moves: list[TargetMove] = []
        for entry in entries:
            moves += self._evaluation.advance(
                log_batch.decode(entry.body),
                to_milliseconds(entry.logged_at),
                caught_up=entry.caught_up,
            )
            self._cursor = entry.cursor
        if moves or self._evaluation.changed or self._cursor_is_due():
            await self._commit(await self._about(moves))
        return len(moves)

    async def reload(self, watch: Watch) -> None:
        """Take up other rules and targets; holds and alerts follow them."""
        old, clock = self._evaluation, self._evaluation.clock
        self._watch = watch
        memory = Memory.blank(len(self.targets))
        memory.carry_over(old.targets, old.memory, self.targets)
        await self._settle(Recollection(memory, clock, self._cursor))

    def pass_over(self, revision: int) -> None:
        """The registry moved, but nothing that is looked at did."""
        self._watch = replace(self._watch, revision=revision)

    async def remember(self) -> Remembered | None:
        """The memory to be stored, when it is time to: copied, as of a cursor that is committed."""
        now_ms = self._evaluation.clock.now_ms or 0
        pause_ms = max(_MEMORY_EVERY_MS, len(self.targets) // _TARGETS_A_MS)
        if now_ms - self._remembered_ms < pause_ms:
            return None
        await self._commit(())
        self._remembered_ms = now_ms
        return self._as_of_now().copy()

    async def _settle(self, recalled: Recollection) -> None:
        """Fit what is stored to the rules there are, judge what was missed, and commit it as the place to go on from."""
        stored = await store.load_holds(self._connection)
        targets, clock = self.targets, recalled.clock
        found = [targets.find(hold.rule_key, hold.source_id) for hold in stored]
        self._subjects = await store.load_subjects(
            self._connection,
            targets,
            [target for target in found if target is not None],
        )
        at = from_milliseconds(clock.now_ms or 0)
        alerts = {
            fingerprint: alert
            for fingerprint, alert in (await open_alerts(self._connection)).items()
            if alert.subject.rule_key not in FAULTS
        }
        settled = settle(targets, stored, self._subjects, alerts, at)
        self._evaluation = Evaluation(targets, recalled.memory, clock, settled.holds)
        self._evaluation.changed |= settled.holds.keys()
        moves: list[TargetMove] = []
        if recalled.missed is not None and clock.now_ms is not None:
            moves = self._evaluation.advance(
                recalled.missed, clock.now_ms, caught_up=False
            )
        await self._commit([*settled.moves, *await self._about(moves)], settled)

    async def _about(self, moves: Sequence[TargetMove]) -> list[SubjectMove]:
        """The moves with what they are about; also loads it of all targets whose hold is to be stored."""
        if len(self._subjects) > _MOST_SUBJECTS:
            self._subjects.clear()
        wanted = {entry.target for entry in moves} | self._evaluation.changed
        self._subjects |= await store.load_subjects(
            self._connection, self.targets, wanted - self._subjects.keys()
        )
        return [
            SubjectMove(self._subjects[entry.target], entry.move) for entry in moves
        ]

    def _cursor_is_due(self) -> bool:
        now_ms = self._evaluation.clock.now_ms or 0
        waited = now_ms - self._saved_ms >= _CURSOR_EVERY_MS
        return waited or self._cursor.batch - self._saved_batch >= _CURSOR_EVERY_BATCHES

    async def _commit(
        self, moves: Sequence[SubjectMove], settled: Settlement | None = None
    ) -> None:
        now_ms = self._evaluation.clock.now_ms or 0
        async with self._connection.transaction():
            if settled is not None:
                await store.delete_holds(self._connection, settled.orphans)
            await apply_moves(self._connection, moves, from_milliseconds(now_ms))
            await self._save_holds()
            await save_cursor(
                self._connection, store.CONSUMER, "observations", self._cursor
            )
            if settled:
                await self._as_of_now().save(self._connection)
                self._remembered_ms = now_ms
        self._saved_ms, self._saved_batch = now_ms, self._cursor.batch
        self._evaluation.changed.clear()
        if moves:
            await wake_consumers(self._connection, "alerts")

    async def _save_holds(self) -> None:
        evaluation, targets = self._evaluation, self.targets
        kept: list[StoredHold] = []
        gone: list[StoredHold] = []
        for target in sorted(evaluation.changed):
            hold = evaluation.holds.get(target)
            stored = StoredHold(
                targets.rule(target).key,
                int(targets.source_id[target]),
                self._subjects[target].fingerprint,
                stored_levels(targets.rule(target).levels, hold) if hold else {},
            )
            (kept if hold else gone).append(stored)
        await store.delete_holds(self._connection, gone)
        await store.save_holds(self._connection, kept)

    def _as_of_now(self) -> Remembered:
        evaluation = self._evaluation
        return Remembered(
            self.targets, evaluation.memory, evaluation.clock, self._cursor
        )


async def load_watch(connection: Connection) -> Watch:
    """Rules and targets of one registry revision; targets that had to be looked for are kept for the next start."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revision = await store.registry_revision(connection)
        rulebook = await load_rulebook(connection)
        rules = [checked.rule for checked in rulebook.rules]
        kept = await store.read_kept_targets(connection, rules)
        targets = await store.load_targets(connection, rules) if kept is None else kept
    if kept is None:
        await store.keep_targets(connection, targets, revision)
    for problem in rulebook.broken:
        log.error(
            "a stored rule does not fit the city and is not evaluated",
            action="rule_broken",
            problem=problem,
        )
    log.info(
        "the rules look at the city",
        action="rules_loaded",
        revision=revision,
        rules=len(rules),
        targets=len(targets),
    )
    return Watch(revision, targets)
