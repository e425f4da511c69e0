"""PURE: THE MAP of judging a batch: rule time ▸ readings ▸ who was heard ▸ holds that are due ▸ who is silent.

The same batches give the same moves, however they are grouped and wherever the process was restarted.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.core.alerting.alert import Move, MoveReason
from services.core.alerting.hold import (
    OFF,
    Hold,
    LastReading,
    LevelHold,
    Turn,
    after_reading,
    after_time,
    next_change_ms,
    turns_between,
)
from services.core.clock import from_milliseconds
from services.core.storage.log_batch import ObservationBatch
from services.rules.dead_man import DeadManWatch
from services.rules.lookup import Lookup
from services.rules.memory import NEVER, Memory
from services.rules.readings import Readings, ReadingScan
from services.rules.rule_clock import RuleClock
from services.rules.targets import Int64, Targets


@dataclass(frozen=True, slots=True)
class TargetMove:
    target: int
    move: Move


class Evaluation:
    """The rules' state of mind. holds: of the targets that are not at rest."""

    def __init__(
        self,
        targets: Targets,
        memory: Memory,
        clock: RuleClock,
        holds: Mapping[int, Hold],
    ) -> None:
        lookup = Lookup.of(targets)
        self.targets, self.memory, self.clock = targets, memory, clock
        self.holds = dict(holds)
        self.changed: set[int] = set()  # targets whose hold is not stored yet
        self._active = np.zeros(len(targets), np.bool_)
        self._levels_on = np.zeros(len(targets), np.int8)
        self._scan = ReadingScan(targets, lookup)
        self._dead_men = DeadManWatch(targets, lookup)
        self._due: list[tuple[int, int]] = []  # (rule time, target), a heap
        for target, hold in holds.items():
            self._mark(target, hold)
            self._wait(target)

    def learn(
        self, batch: ObservationBatch, logged_ms: int, *, caught_up: bool
    ) -> None:
        """Take a batch into the memory alone: it was judged before."""
        self._take(batch, logged_ms, caught_up=caught_up)

    def advance(
        self, batch: ObservationBatch, logged_ms: int, *, caught_up: bool
    ) -> list[TargetMove]:
        """What a batch changes, in order."""
        new_second, readings, before, heard = self._take(
            batch, logged_ms, caught_up=caught_up
        )
        moves = [*self._judge(readings, before), *self._hear_devices_again(heard)]
        if caught_up:
            moves += self._expire()
            if new_second:
                moves += self._notice_silent()
        return moves

    def _take(
        self, batch: ObservationBatch, logged_ms: int, *, caught_up: bool
    ) -> tuple[bool, Readings, Int64, Int64]:
        new_second = self.clock.advance(logged_ms, caught_up=caught_up)
        if new_second:
            self._dead_men.begin(self.memory, self.clock)
        by_item = self._scan.fresh_frames(batch, logged_ms)
        self.memory.hear(by_item, self.clock)
        by_notice = self._dead_men.hear_of(batch, self.memory, self.clock)
        readings, before = self._scan.take(batch, self.memory, self.clock)
        heard = np.concatenate([by_notice, by_item])
        return new_second, readings, before, heard

    def _judge(self, readings: Readings, before: Int64) -> Iterable[TargetMove]:
        chosen = self._scan.to_judge(readings, self._active)
        found = readings.of(chosen)
        columns = (found.target, found.time_ms, found.value, before[chosen])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for target, of_target in groupby(rows, key=lambda row: row[0]):
            if self.targets.rule(target).dead_man is not None:
                yield from self._heard_again(target)
                continue
            previous_ms: int | None = None
            for _, time_ms, value, before_ms in of_target:
                if previous_ms is None and before_ms != NEVER:
                    previous_ms = before_ms
                yield from self._judge_reading(target, time_ms, value, previous_ms)
                previous_ms = time_ms
            self._wait(target)

    def _judge_reading(
        self, target: int, time_ms: int, value: float, previous_ms: int | None
    ) -> Iterable[TargetMove]:
        policy = self.targets.policy(target)
        held = self.holds.get(target, policy.at_rest)
        after = after_reading(policy, held, value, time_ms, previous_ms)
        if after == held:
            return
        self._set(target, after)
        for turn in turns_between(policy.levels, held, after, time_ms, lost=False):
            yield self._move(target, turn, value)

    def _expire(self) -> Iterable[TargetMove]:
        """Holds that rule time alone completes, or whose readings have stopped."""
        now_ms, due = self.clock.now_ms or 0, set()
        while self._due and self._due[0][0] <= now_ms:
            due.add(heapq.heappop(self._due)[1])
        for target in sorted(due):
            held = self.holds.get(target)
            if held is None:
                continue
            policy, last = self.targets.policy(target), self._last(target)
            after = after_time(policy, held, last, now_ms)
            if after != held:
                self._set(target, after)
                lost = now_ms - last.heard_ms >= policy.valid_for_ms
                value = float(self.memory.value[target])
                for turn in turns_between(
                    policy.levels, held, after, now_ms, lost=lost
                ):
                    yield self._move(target, turn, value)
            self._wait(target)

    def _notice_silent(self) -> Iterable[TargetMove]:
        targets, reached = self._dead_men.reached(self.memory, self.clock)
        for place in np.flatnonzero(reached > self._levels_on[targets]):
            target, levels = int(targets[place]), int(reached[place])
            policy = self.targets.policy(target)
            held = self.holds.get(target, policy.at_rest)
            after = tuple(
                LevelHold(on=level.on or index < levels)
                for index, level in enumerate(held)
            )
            self._set(target, after)
            since_ms = int(self.memory.heard_ms[target])
            for turn in turns_between(policy.levels, held, after, since_ms, lost=False):
                yield self._move(target, _because(turn, MoveReason.SILENT), None)

    def _hear_devices_again(self, heard: Int64) -> Iterable[TargetMove]:
        for target in np.unique(heard[self._active[heard]]).tolist():
            yield from self._heard_again(target)

    def _heard_again(self, target: int) -> Iterable[TargetMove]:
        policy, held = self.targets.policy(target), self.holds.get(target)
        if held is None:
            return
        self._set(target, policy.at_rest)
        now_ms = self.clock.now_ms or 0
        for turn in turns_between(
            policy.levels, held, policy.at_rest, now_ms, lost=False
        ):
            yield self._move(target, _because(turn, MoveReason.HEARD_AGAIN), None)

    def _move(self, target: int, turn: Turn, value: float | None) -> TargetMove:
        now_ms = self.clock.now_ms or 0
        move = Move(
            to=turn.to,
            at=from_milliseconds(now_ms),
            since=from_milliseconds(min(turn.since_ms, now_ms)),
            severity=turn.severity,
            value=value,
            reason=turn.reason,
        )
        return TargetMove(target, move)

    def _set(self, target: int, hold: Hold) -> None:
        self.changed.add(target)
        self._mark(target, hold)
        if self._active[target]:
            self.holds[target] = hold
        else:
            self.holds.pop(target, None)

    def _mark(self, target: int, hold: Hold) -> None:
        self._active[target] = any(level != OFF for level in hold)
        self._levels_on[target] = sum(level.on for level in hold)

    def _last(self, target: int) -> LastReading:
        return LastReading(
            int(self.memory.newest_ms[target]), int(self.memory.heard_ms[target])
        )

    def _wait(self, target: int) -> None:
        held = self.holds.get(target)
        if held is None:
            return
        due_ms = next_change_ms(self.targets.policy(target), held, self._last(target))
        if due_ms is not None:
            heapq.heappush(self._due, (due_ms, target))


def _because(turn: Turn, reason: MoveReason) -> Turn:
    """A dead-man's first alert and its end have reasons of their own."""
    if turn.reason in (MoveReason.SEVERITY_ROSE, MoveReason.SEVERITY_FELL):
        return turn
    return Turn(turn.to, turn.since_ms, turn.severity, reason)
