"""PURE: a rule: which readings it looks at, from when on they are wrong, and what to tell an operator.

Values are in the observed property's canonical unit, times in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.core.alerting.alert import AlertClass, Annotations, Severity
from services.core.alerting.matcher import Matcher
from services.core.city.language import Text
from services.core.city.quality import Quality


class RuleKind(StrEnum):
    THRESHOLD = "threshold"  # of a measurement or a counter
    STATE = "state"  # codes of a state, or bits
    DEAD_MAN = "dead_man"  # a device or a datastream falls silent


class Source(StrEnum):
    """What a dead-man rule listens for."""

    DEVICE = "device"
    DATASTREAM = "datastream"


class Operator(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="

    @property
    def upward(self) -> bool:
        return self in (Operator.ABOVE, Operator.AT_LEAST)


@dataclass(frozen=True, slots=True)
class Length:
    """A time, or a number of a device's periods."""

    milliseconds: int = 0
    periods: float = 0.0

    def of(self, period_ms: int) -> int:
        return self.milliseconds + round(self.periods * period_ms)


@dataclass(frozen=True, slots=True)
class Threshold:
    """True beyond value; once true, until the reading is back beyond clear (hysteresis)."""

    operator: Operator
    value: float
    clear: float

    def __post_init__(self) -> None:
        wrong_side = (
            self.clear > self.value if self.operator.upward else self.clear < self.value
        )
        if wrong_side:
            raise ValueError(
                f"clear {self.clear:g} lies on the wrong side of {self.operator} {self.value:g}"
            )

    def is_raised(self, reading: float) -> bool:
        return self._beyond(reading, self.value)

    def is_cleared(self, reading: float) -> bool:
        return not self._beyond(reading, self.clear)

    def _beyond(self, reading: float, bound: float) -> bool:
        match self.operator:
            case Operator.ABOVE:
                return reading > bound
            case Operator.AT_LEAST:
                return reading >= bound
            case Operator.BELOW:
                return reading < bound
            case Operator.AT_MOST:
                return reading <= bound


@dataclass(frozen=True, slots=True)
class InCodes:
    """True while a state has one of these values."""

    values: frozenset[int]

    def is_raised(self, reading: float) -> bool:
        return reading in self.values

    def is_cleared(self, reading: float) -> bool:
        return reading not in self.values


@dataclass(frozen=True, slots=True)
class AnyBit:
    """True while any of the mask's bits is set."""

    mask: int

    def is_raised(self, reading: float) -> bool:
        return int(reading) & self.mask != 0

    def is_cleared(self, reading: float) -> bool:
        return not self.is_raised(reading)


@dataclass(frozen=True, slots=True)
class SilentFor:
    """True when nothing was heard for that long; the first reading ends it."""

    length: Length


ReadingCondition = Threshold | InCodes | AnyBit


@dataclass(frozen=True, slots=True)
class Level:
    """From when on a rule's alert has this severity. hold_for: how long the condition must be true before."""

    severity: Severity
    condition: ReadingCondition | SilentFor
    hold_for_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What a rule looks at: all that is named must fit; what is empty fits everything."""

    observed_property: str | None = None
    domains: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    device_types: frozenset[str] = frozenset()
    thing_kinds: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    things: frozenset[str] = frozenset()
    matchers: tuple[Matcher, ...] = ()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """labels: of LABELS, those the candidate has."""
        if (
            self.observed_property is not None
            and labels.get("observed_property") != self.observed_property
        ):
            return False
        named = all(
            not wanted or labels.get(label, "") in wanted
            for label, wanted in (
                ("domain", self.domains),
                ("channel", self.channels),
                ("device_type", self.device_types),
                ("thing_kind", self.thing_kinds),
                ("district", self.districts),
                ("thing", self.things),
            )
        )
        return named and all(matcher.matches(labels) for matcher in self.matchers)


LABELS: Final = frozenset(
    {
        "observed_property", "domain", "channel", "device_type", "thing_kind", "district", "thing",
        "device", "datastream",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Which readings count, and for how long.

    accept: the worst quality that is evaluated. valid_for: how long a reading speaks for the present; a hold
    whose readings are further apart begins anew. max_age: a reading older than that on arrival says nothing
    about now.
    """

    accept: Quality = Quality.UNKNOWN
    valid_for: Length = Length(periods=2.5)
    max_age: Length | None = None

    def valid_for_ms(self, period_ms: int) -> int:
        return max(self.valid_for.of(period_ms), _SHORTEST_VALIDITY_MS)

    def max_age_ms(self, period_ms: int) -> int:
        if self.max_age is not None:
            return self.max_age.of(period_ms)
        return max(_USUAL_MAX_AGE_MS, 3 * period_ms)


_SHORTEST_VALIDITY_MS: Final = 5_000  # a fast device's jitter, and ours
_USUAL_MAX_AGE_MS: Final = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMan:
    """after_death: shortens the first level once the broker or a gateway said the device is gone.

    only_after_death: a gateway that measures nothing may be quiet; only one that is gone is missed.
    never_heard: count devices that have not reported yet, from when they were first known.
    """

    source: Source
    after_death_ms: int | None = None
    only_after_death: bool = False
    never_heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """levels: by rising severity. dead_man: of a dead-man rule alone."""

    key: str
    name: Text
    kind: RuleKind
    alert_class: AlertClass
    selector: Selector
    levels: tuple[Level, ...]
    annotations: Annotations
    clear_for_ms: int = 0
    evidence: Evidence = Evidence()
    dead_man: DeadMan | None = None

    def __post_init__(self) -> None:
        ranks = [level.severity.rank for level in self.levels]
        if not ranks or ranks != sorted(set(ranks)):
            raise ValueError("levels need rising severities, at least one")
        if (self.kind is RuleKind.DEAD_MAN) != (self.dead_man is not None):
            raise ValueError("dead_man belongs to a dead-man rule")

    @property
    def watches_devices(self) -> bool:
        return self.dead_man is not None and self.dead_man.source is Source.DEVICE
