"""PURE: what the rules look at, as columns: one target is one rule on one datastream or device."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.alerting.hold import HoldPolicy
from services.core.alerting.rule import Rule, Selector

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

NONE: Final = -1
OWN_LABELS: Final = frozenset({"thing", "device", "datastream"})


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Datastreams, or devices, that share most labels. labels: of core.alerting.rule.LABELS.

    named: those labels that each has of its own, where a rule asks for them. frame_id: NONE of a gateway that
    measures nothing (it is heard when it publishes for others). slot: NONE of a device.
    """

    labels: Mapping[str, str]
    source_id: Int32
    frame_id: Int32
    slot: Int32
    period_ms: Int32
    named: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def fitting(self, selector: Selector) -> slice | NDArray[np.intp]:
        """Which of them a rule looks at."""
        if not self.named:
            return slice(None) if selector.fits(self.labels) else slice(0)
        own = zip(*self.named.values(), strict=True)
        return np.flatnonzero(
            [selector.fits(self._labels_with(values)) for values in own]
        )

    def _labels_with(self, values: Sequence[str | None]) -> dict[str, str]:
        own = zip(self.named, values, strict=True)
        return {**self.labels, **{label: value for label, value in own if value}}


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


class TargetFinder:
    """Collects what a rulebook looks at, many places at a time."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._found: list[list[tuple[Int32, ...]]] = [[] for _ in rules]
        self._of_devices = [rule for rule in rules if rule.watches_devices]
        self._of_datastreams = [rule for rule in rules if not rule.watches_devices]

    @property
    def properties(self) -> list[str] | None:
        """The observed properties whose datastreams are of interest; None: all."""
        wanted = {rule.selector.observed_property for rule in self._of_datastreams}
        return None if None in wanted else sorted(key for key in wanted if key)

    @property
    def wants_devices(self) -> bool:
        return bool(self._of_devices)

    @property
    def names_of_datastreams(self) -> frozenset[str]:
        """The labels by which rules tell single datastreams apart."""
        return _own_labels(self._of_datastreams)

    @property
    def names_of_devices(self) -> frozenset[str]:
        return _own_labels(self._of_devices)

    def add_datastreams(self, places: Places) -> None:
        self._add(places, devices=False)

    def add_devices(self, places: Places) -> None:
        self._add(places, devices=True)

    def _add(self, places: Places, *, devices: bool) -> None:
        for index, rule in enumerate(self._rules):
            if rule.watches_devices == devices:
                at = places.fitting(rule.selector)
                columns = (
                    places.source_id[at],
                    places.period_ms[at],
                    places.frame_id[at],
                    places.slot[at],
                )
                if len(columns[0]):
                    self._found[index].append(columns)

    def targets(self) -> Targets:
        empty = tuple(np.empty(0, np.int32) for _ in range(4))
        of_rules = []
        for found in self._found:
            columns = [
                np.concatenate(parts) for parts in zip(empty, *found, strict=True)
            ]
            order = np.argsort(columns[0], kind="stable")
            of_rules.append([column[order] for column in columns])
        sizes = [len(columns[0]) for columns in of_rules]
        source_id, period_ms, frame_id, slot = (
            np.concatenate(parts) for parts in zip(empty, *of_rules, strict=True)
        )
        starts = np.cumsum([0, *sizes], dtype=np.int64)
        return Targets(self._rules, starts, source_id, period_ms, frame_id, slot)


def _own_labels(rules: Iterable[Rule]) -> frozenset[str]:
    found: set[str] = set()
    for rule in rules:
        found |= {matcher.label for matcher in rule.selector.matchers}
        found |= {"thing"} if rule.selector.things else set()
    return frozenset(found & OWN_LABELS)
