"""PURE: dead-man rules: who has been silent for how long, counted only while ingest keeps up."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.alerting.rule import Rule, SilentFor
from services.core.storage.log_batch import ObservationBatch
from services.rules.lookup import Lookup
from services.rules.memory import NEVER, Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import Int64, Targets

_NO_LIMIT: Final = 1 << 62


class DeadManWatch:
    """How many levels of its rule each target has reached. What was never heard counts only where a rule says so."""

    def __init__(self, targets: Targets, lookup: Lookup) -> None:
        self._lookup = lookup
        dead_men = [rule.dead_man for rule in targets.rules]
        never_heard = [bool(each and each.never_heard) for each in dead_men]
        only_dead = [bool(each and each.only_after_death) for each in dead_men]
        after_death = [_after_death_ms(rule) for rule in targets.rules]
        listens = np.array([each is not None for each in dead_men], np.bool_)
        self._targets = np.flatnonzero(listens[targets.rule_of])
        # Where silence is nothing until a death, what was silent for long before it is not yet overdue.
        self._counts_from_death = np.array(only_dead, np.bool_)[targets.rule_of]
        rule_of = targets.rule_of[self._targets]
        self._never_heard = np.array(never_heard, np.bool_)[rule_of]
        self._only_dead = np.array(only_dead, np.bool_)[rule_of]
        self._after_death_ms = np.array(after_death, np.int64)[rule_of]
        depth = max((len(rule.levels) for rule in targets.rules), default=1)
        self._limits_ms = np.stack(
            [_limits_ms(targets, level)[self._targets] for level in range(depth)]
        )

    def hear_of(
        self, batch: ObservationBatch, memory: Memory, clock: RuleClock
    ) -> Int64:
        """The targets that births, and gateways that published for others, were heard by.

        Births and deaths count in their order, and after the batch's items: a will is a publisher's last word.
        """
        publishers = batch.accounts.publisher_ids.astype(np.int64)
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
        return np.concatenate(heard)

    def begin(self, memory: Memory, clock: RuleClock) -> None:
        """Count those never heard from when they are first known, where their rule wants it."""
        unknown = self._never_heard & (memory.heard_counted[self._targets] == NEVER)
        memory.hear(self._targets[unknown], clock)

    def reached(
        self, memory: Memory, clock: RuleClock
    ) -> tuple[Int64, NDArray[np.int8]]:
        """(targets that listen, how many levels each has reached)."""
        heard = memory.heard_counted[self._targets]
        dead = memory.dead[self._targets]
        counts = (heard != NEVER) & (dead | ~self._only_dead)
        silent_ms = np.where(
            counts, clock.counted_ms - np.maximum(heard, clock.floor_ms), NEVER
        )
        reached = np.zeros(len(self._targets), np.int8)
        for level, limits_ms in enumerate(self._limits_ms):
            limits = limits_ms
            if level == 0:
                sooner = np.minimum(limits, self._after_death_ms)
                limits = np.where(dead, sooner, limits)
            reached[silent_ms >= limits] = level + 1
        return self._targets, reached


def _after_death_ms(rule: Rule) -> int:
    after = rule.dead_man.after_death_ms if rule.dead_man else None
    return _NO_LIMIT if after is None else after


def _limits_ms(targets: Targets, level: int) -> Int64:
    def limit(rule: Rule, period_ms: int) -> int:
        if level < len(rule.levels):
            condition = rule.levels[level].condition
            if isinstance(condition, SilentFor):
                return condition.length.of(period_ms)
        return _NO_LIMIT

    return targets.by_period(limit)
