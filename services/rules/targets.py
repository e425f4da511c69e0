"""PURE: what the rules look at, as columns: one target is one rule on one datastream or device."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.alerting.hold import HoldPolicy
from services.core.alerting.rule import Rule

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

NONE: Final = -1


@dataclass(frozen=True, slots=True)
class DatastreamPlace:
    """Where a datastream's values are now. labels: of core.alerting.rule.LABELS."""

    datastream_id: int
    frame_id: int
    slot: int
    period_ms: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """frame_id: None of a gateway that measures nothing; it is heard when it publishes for others."""

    device_id: int
    frame_id: int | None
    period_ms: int
    labels: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Targets:
    """Columns by target. The targets of rule i are starts[i] to starts[i + 1], by rising source_id."""

    rules: tuple[Rule, ...]
    starts: Int64
    source_id: Int32  # datastream_id; device_id of a rule that watches devices
    period_ms: Int32
    frame_id: Int32  # NONE: of a gateway without one
    slot: Int32  # NONE: of a device

    def __len__(self) -> int:
        return len(self.source_id)

    @cached_property
    def rule_of(self) -> Int32:
        return np.repeat(
            np.arange(len(self.rules), dtype=np.int32), np.diff(self.starts)
        )

    @cached_property
    def _index(self) -> dict[str, int]:
        return {rule.key: index for index, rule in enumerate(self.rules)}

    @cached_property
    def _policies(self) -> dict[tuple[int, int], HoldPolicy]:
        return {}

    def rule(self, target: int) -> Rule:
        return self.rules[int(self.rule_of[target])]

    def policy(self, target: int) -> HoldPolicy:
        index, period_ms = int(self.rule_of[target]), int(self.period_ms[target])
        policy = self._policies.get((index, period_ms))
        if policy is None:
            rule = self.rules[index]
            policy = self._policies[index, period_ms] = HoldPolicy(
                rule.levels, rule.clear_for_ms, rule.evidence.valid_for_ms(period_ms)
            )
        return policy

    def span(self, index: int) -> slice:
        """The targets of a rule by its place."""
        return slice(int(self.starts[index]), int(self.starts[index + 1]))

    def of_rule(self, key: str) -> slice:
        """The targets of a rule by its key; none where it is not there."""
        index = self._index.get(key)
        return slice(0, 0) if index is None else self.span(index)

    def find(self, key: str, source_id: int) -> int | None:
        span = self.of_rule(key)
        at = span.start + int(np.searchsorted(self.source_id[span], source_id))
        return at if at < span.stop and self.source_id[at] == source_id else None

    def by_rule(self, values: Sequence[int]) -> Int64:
        """A column of one value a rule."""
        return np.array(values, np.int64)[self.rule_of]

    def by_period(self, of_rule: Callable[[Rule, int], int]) -> Int64:
        """A column with the rule's value for the target's period."""
        column = np.zeros(len(self), np.int64)
        for index, rule in enumerate(self.rules):
            span = self.span(index)
            periods, where = np.unique(self.period_ms[span], return_inverse=True)
            lengths = [of_rule(rule, period) for period in periods.tolist()]
            column[span] = np.array(lengths, np.int64)[where]
        return column


@dataclass(slots=True)
class _Found:
    """Of one rule, in the order they were found."""

    source_ids: "array[int]" = field(default_factory=lambda: array("i"))
    periods: "array[int]" = field(default_factory=lambda: array("i"))
    frames: "array[int]" = field(default_factory=lambda: array("i"))
    slots: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, source_id: int, period_ms: int, frame_id: int, slot: int) -> None:
        self.source_ids.append(source_id)
        self.periods.append(period_ms)
        self.frames.append(frame_id)
        self.slots.append(slot)


class TargetFinder:
    """Collects what a rulebook looks at, place by place."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._found = [_Found() for _ in rules]
        self._device_rules: list[int] = []
        self._by_property: dict[str | None, list[int]] = {}
        for index, rule in enumerate(self._rules):
            if rule.watches_devices:
                self._device_rules.append(index)
            else:
                wanted = rule.selector.observed_property
                self._by_property.setdefault(wanted, []).append(index)

    @property
    def properties(self) -> list[str] | None:
        """The observed properties whose datastreams are of interest; None: all."""
        if None in self._by_property:
            return None
        return [key for key in self._by_property if key is not None]

    @property
    def wants_devices(self) -> bool:
        return bool(self._device_rules)

    def add_datastream(self, place: DatastreamPlace) -> None:
        of_property = self._by_property.get(place.labels.get("observed_property"), [])
        for index in (*of_property, *self._by_property.get(None, [])):
            if self._rules[index].selector.fits(place.labels):
                self._found[index].add(
                    place.datastream_id, place.period_ms, place.frame_id, place.slot
                )

    def add_device(self, place: DevicePlace) -> None:
        frame_id = NONE if place.frame_id is None else place.frame_id
        for index in self._device_rules:
            if self._rules[index].selector.fits(place.labels):
                self._found[index].add(place.device_id, place.period_ms, frame_id, NONE)

    def targets(self) -> Targets:
        columns: dict[str, list[Int32]] = {
            name: [] for name in ("source_ids", "periods", "frames", "slots")
        }
        for found in self._found:
            order = np.argsort(np.array(found.source_ids, np.int64), kind="stable")
            for name, parts in columns.items():
                parts.append(np.array(getattr(found, name), np.int32)[order])
        source_id, period_ms, frame_id, slot = (
            np.concatenate([np.empty(0, np.int32), *parts])
            for parts in columns.values()
        )
        sizes = [len(found.source_ids) for found in self._found]
        starts = np.cumsum([0, *sizes], dtype=np.int64)
        return Targets(self._rules, starts, source_id, period_ms, frame_id, slot)
