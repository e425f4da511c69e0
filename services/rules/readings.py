"""PURE: which readings of a batch count for which targets, and which of them need a closer look. NumPy only.

Most readings are of targets at rest and say nothing new: they are remembered here and go no further.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.alerting.rule import (
    AnyBit,
    InCodes,
    Operator,
    Rule,
    SilentFor,
    Threshold,
)
from services.core.city.quality import Quality
from services.core.storage.log_batch import ObservationBatch
from services.rules.lookup import Lookup
from services.rules.memory import Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import Int64, Targets

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

_MASKED_CODES: Final = 63  # codes beyond are always looked at closer


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Columns by reading, in order of target and then of time."""

    target: Int64
    time_ms: Int64
    value: Float64

    def of(self, chosen: Int64 | Bools) -> "Readings":
        return Readings(self.target[chosen], self.time_ms[chosen], self.value[chosen])

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, slots=True, eq=False)
class _Bounds:
    """Columns by target. A reading of a target at rest can only matter beyond low or high, or with a bit of mask."""

    low: Float64
    high: Float64
    mask: Int64
    bits: Bools  # mask is of bits, not of codes

    @classmethod
    def of(cls, targets: Targets) -> "_Bounds":
        rows = np.array([_bounds(rule) for rule in targets.rules], object)
        low, high, mask, bits = rows.reshape(-1, 4)[targets.rule_of].T
        return cls(
            low=low.astype(np.float64),
            high=high.astype(np.float64),
            mask=mask.astype(np.int64),
            bits=bits.astype(np.bool_),
        )

    def may_matter(self, readings: Readings) -> Bools:
        target, value = readings.target, readings.value
        matter = (value > self.high[target]) | (value < self.low[target])
        coded = np.flatnonzero(self.mask[target] != 0)
        if len(coded):
            target, code = target[coded], value[coded].astype(np.int64)
            shown = np.where(
                self.bits[target],
                code,
                np.left_shift(1, np.clip(code, 0, _MASKED_CODES - 1)),
            )
            matter[coded] |= (shown & self.mask[target]) != 0
        return matter


def _bounds(rule: Rule) -> tuple[float, float, int, bool]:
    """(low, high, mask, bits) of the mildest condition of a rule."""
    low, high, mask, bits = -math.inf, math.inf, 0, False
    for level in rule.levels:
        match level.condition:
            case Threshold(operator, value) if operator.upward:
                high = min(high, _just_short_of(operator, value, -math.inf))
            case Threshold(operator, value):
                low = max(low, _just_short_of(operator, value, math.inf))
            case AnyBit(weights):
                mask, bits = mask | weights, True
            case InCodes(values):
                low, high = 0, _MASKED_CODES - 1
                for code in values & set(range(_MASKED_CODES)):
                    mask |= 1 << code
            case SilentFor():
                pass
    return low, high, mask, bits


def _just_short_of(operator: Operator, value: float, side: float) -> float:
    """The bound that a strict comparison needs to be true where the operator is."""
    strict = operator in (Operator.ABOVE, Operator.BELOW)
    return value if strict else math.nextafter(value, side)


class ReadingScan:
    """Takes batches into the memory and gives back what has to be judged."""

    def __init__(self, targets: Targets, lookup: Lookup) -> None:
        self._lookup = lookup
        self._bounds = _Bounds.of(targets)
        listens = [rule.dead_man is not None for rule in targets.rules]
        accept = [
            Quality.MISSING if rule.dead_man else rule.evidence.accept
            for rule in targets.rules
        ]
        self._listens = np.array(listens, np.bool_)[targets.rule_of]
        self._accept = np.array(accept, np.uint8)[targets.rule_of]
        self._max_age_ms = targets.by_period(
            lambda rule, period_ms: rule.evidence.max_age_ms(period_ms)
        )

    def take(
        self, batch: ObservationBatch, memory: Memory, clock: RuleClock
    ) -> tuple[Readings, Int64]:
        """(the readings that count, the time of each one's target before the batch); memory has them afterwards."""
        readings = self._that_count(batch, memory, clock.now_ms or 0)
        before = memory.newest_ms[readings.target]
        memory.hear(readings.target, clock)
        memory.take_newest(readings.target, readings.time_ms, readings.value)
        return readings, before

    def fresh_frames(self, batch: ObservationBatch, now_ms: int) -> Int64:
        """The targets that listen for devices and are heard by a fresh item of their own."""
        rows, targets = self._lookup.of_frames.find(batch.frame_ids.astype(np.int64))
        fresh = now_ms - batch.times_ms[rows] <= self._max_age_ms[targets]
        return targets[fresh & batch.first_hand[rows]]

    def _that_count(
        self, batch: ObservationBatch, memory: Memory, now_ms: int
    ) -> Readings:
        values, items, places = self._lookup.values_of_interest(batch)
        rows, targets = self._lookup.of_slots.find(places)
        at = values[rows]
        value, quality = batch.results[at], batch.quality[at]
        # A reading from the future counts as of its arrival, or it would make those that follow late.
        time_ms = np.minimum(batch.times_ms[items[rows]], now_ms)
        counts = (
            ~np.isnan(value)
            & (np.maximum(quality & 15, quality >> 4) <= self._accept[targets])
            & (now_ms - time_ms <= self._max_age_ms[targets])
            & np.where(
                self._listens[targets],
                batch.first_hand[items[rows]],
                time_ms >= memory.newest_ms[targets],
            )
        )
        return Readings(targets, time_ms, value).of(counts)

    def to_judge(self, readings: Readings, active: Bools) -> Int64:
        """Indexes of all readings of targets that are not at rest or may leave it, by target and time."""
        matter = active[readings.target] | self._bounds.may_matter(readings)
        if not matter.any():
            return np.empty(0, np.int64)
        touched = np.flatnonzero(
            np.isin(readings.target, np.unique(readings.target[matter]))
        )
        order = np.lexsort((readings.time_ms[touched], readings.target[touched]))
        return touched[order]
