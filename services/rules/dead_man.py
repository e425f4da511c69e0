"""PURE: dead-man rules: who has been silent for how long, counted only while ingest keeps up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.alerting.rule import DeadMan, Rule, SilentFor
from services.core.storage.log_batch import ObservationBatch
from services.rules.lookup import Lookup
from services.rules.memory import NEVER, Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import Int32, Int64, Targets

_NO_LIMIT: Final = 1 << 60  # added to a time it is still a number of 63 bits


@dataclass(slots=True, eq=False)
class _Watched:
    """A rule that listens. limits_ms: by level, of each of its targets. quiet_until_ms: nobody is overdue before."""

    span: slice
    only_dead: bool
    never_heard: bool
    after_death_ms: int
    limits_ms: list[Int64]
    quiet_until_ms: int = 0  # of RuleClock.counted_ms

    @classmethod
    def of(cls, targets: Targets, index: int, dead_man: DeadMan) -> "_Watched":
        rule = targets.rules[index]
        after = dead_man.after_death_ms
        return cls(
            span=targets.span(index),
            only_dead=dead_man.only_after_death,
            never_heard=dead_man.never_heard,
            after_death_ms=_NO_LIMIT if after is None else after,
            limits_ms=[
                _limits_ms(rule, level, targets.period_ms[targets.span(index)])
                for level in range(len(rule.levels))
            ],
        )

    def begin(self, memory: Memory, clock: RuleClock) -> None:
        unknown = np.flatnonzero(memory.heard_counted[self.span] == NEVER)
        memory.hear(unknown + self.span.start, clock)

    def reached(self, memory: Memory, clock: RuleClock) -> NDArray[np.int8]:
        """How many levels each target has reached; notes until when it will not be more."""
        heard, dead = memory.heard_counted[self.span], memory.dead[self.span]
        since = np.maximum(heard, clock.floor_ms)
        counts = heard != NEVER
        if self.only_dead:
            counts &= dead
        reached = np.zeros(len(heard), np.int8)
        soonest = clock.counted_ms + _NO_LIMIT
        for level, limits in enumerate(self.limits_ms):
            own = limits
            if level == 0 and self.after_death_ms < _NO_LIMIT:
                own = np.where(dead, np.minimum(limits, self.after_death_ms), limits)
            due = since + own
            over = counts & (due <= clock.counted_ms)
            reached[over] = level + 1
            soonest = min(
                soonest,
                int(due[counts & ~over].min(initial=soonest)),
                clock.counted_ms + int(own.min(initial=_NO_LIMIT)),
            )
        self.quiet_until_ms = soonest
        return reached


class DeadManWatch:
    """How many levels of its rule each target has reached. What was never heard counts only where a rule says so."""

    def __init__(self, targets: Targets, lookup: Lookup) -> None:
        self._lookup = lookup
        self._rule_of = targets.rule_of
        self._watched = {
            index: _Watched.of(targets, index, rule.dead_man)
            for index, rule in enumerate(targets.rules)
            if rule.dead_man is not None
        }
        self._begun = False
        only_dead = [
            bool(rule.dead_man and rule.dead_man.only_after_death)
            for rule in targets.rules
        ]
        # Where silence is nothing until a death, what was silent for long before it is not yet overdue.
        self._counts_from_death = np.array(only_dead, np.bool_)[targets.rule_of]

    def hear_of(
        self, batch: ObservationBatch, memory: Memory, clock: RuleClock
    ) -> Int64:
        """The targets that births, and gateways that published for others, were heard by.

        Births and deaths count in their order, and after the batch's items: a will is a publisher's last word.
        """
        publishers = batch.heard.astype(np.int64)
        _, published = self._lookup.of_devices.find(publishers)
        heard = [published[self._lookup.without_frame[published]]]
        memory.hear(heard[0], clock)
        for notice in batch.notices:
            _, targets = self._lookup.of_devices.find(np.array([notice.device_id]))
            if notice.kind == "birth":
                memory.hear(targets, clock)
                heard.append(targets)
            else:
                memory.hear(targets[self._counts_from_death[targets]], clock)
                memory.dead[targets] = True
                self._look_again(targets)
        return np.concatenate(heard)

    def begin(self, memory: Memory, clock: RuleClock) -> None:
        """Count those never heard from when they are first known, where their rule wants it."""
        if not self._begun:
            for watched in self._watched.values():
                if watched.never_heard:
                    watched.begin(memory, clock)
        self._begun = True

    def reached(
        self, memory: Memory, clock: RuleClock
    ) -> tuple[Int64, NDArray[np.int8]]:
        """(targets, how many levels each has reached) of the rules of which somebody may be overdue."""
        found, levels = [np.empty(0, np.int64)], [np.empty(0, np.int8)]
        for watched in self._watched.values():
            if watched.quiet_until_ms <= clock.counted_ms:
                found.append(np.arange(watched.span.start, watched.span.stop))
                levels.append(watched.reached(memory, clock))
        return np.concatenate(found), np.concatenate(levels)

    def _look_again(self, targets: Int64) -> None:
        """Somebody died: that may be overdue sooner than was foreseen."""
        for index in set(self._rule_of[targets].tolist()) & self._watched.keys():
            self._watched[index].quiet_until_ms = 0


def _limits_ms(rule: Rule, level: int, period_ms: Int32) -> Int64:
    condition = rule.levels[level].condition
    if not isinstance(condition, SilentFor):
        return np.full(len(period_ms), _NO_LIMIT)
    periods, where = np.unique(period_ms, return_inverse=True)
    lengths = [condition.length.of(period) for period in periods.tolist()]
    limits: Int64 = np.array(lengths, np.int64)[where]
    return limits
