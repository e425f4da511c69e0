"""PURE: the catalogue of what can be measured."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.core.city.ids import KEY
from services.core.city.language import Text


class Domain(StrEnum):
    POWER = "power"
    WATER = "water"
    WASTEWATER = "wastewater"
    GAS = "gas"
    TRAFFIC = "traffic"
    ENVIRONMENT = "environment"


class Kind(StrEnum):
    MEASUREMENT = "measurement"  # a number with a unit
    COUNTER = "counter"  # a number that only rises, until it is reset or rolls over
    STATE = "state"  # one of the codes
    BITS = "bits"  # any of the codes at once


class Aggregation(StrEnum):
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    LAST = "last"
    DELTA = "delta"  # of a counter over the bucket
    DURATION = "duration"  # seconds in each state


class Privacy(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    HOUSEHOLD = "household"  # never shown singly outside


ALLOWED_AGGREGATIONS: Final[dict[Kind, frozenset[Aggregation]]] = {
    Kind.MEASUREMENT: frozenset(
        {
            Aggregation.AVG,
            Aggregation.MIN,
            Aggregation.MAX,
            Aggregation.SUM,
            Aggregation.LAST,
        }
    ),
    Kind.COUNTER: frozenset(
        {Aggregation.DELTA, Aggregation.LAST, Aggregation.MIN, Aggregation.MAX}
    ),
    Kind.STATE: frozenset({Aggregation.LAST, Aggregation.DURATION}),
    Kind.BITS: frozenset({Aggregation.LAST}),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A closed interval in the canonical unit; None is open."""

    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if (
            self.minimum is not None
            and self.maximum is not None
            and self.minimum > self.maximum
        ):
            raise ValueError(f"the range {self.minimum} to {self.maximum} is empty")

    def contains(self, value: float) -> bool:
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class StateCode:
    """A code of a state (value: the number stored) or of bits (value: the bit's weight)."""

    value: int
    key: str
    name: Text
    abnormal: bool = False


@dataclass(frozen=True, slots=True)
class Checks:
    """Beyond these a value is flagged suspect, in the canonical unit; None is not checked.

    rate: per second, from one value to the next. spike: away from the median of the three before.
    flat_line: how long the very same value is believed.
    """

    rate: float | None = None
    spike: float | None = None
    flat_line: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """What is measured. Ranges are in the canonical unit (UCUM)."""

    key: str
    domain: Domain
    kind: Kind
    unit: str
    name: Text
    aggregations: tuple[Aggregation, ...]
    hard: Span = Span()
    plausible: Span = Span()
    codes: tuple[StateCode, ...] = ()
    privacy: Privacy = Privacy.INTERNAL
    definition: str | None = None
    checks: Checks = Checks()

    def __post_init__(self) -> None:
        if not KEY.match(self.key):
            raise ValueError(f"{self.key!r} is not a key")
        if (self.kind in (Kind.STATE, Kind.BITS)) != bool(self.codes):
            raise ValueError(
                f"{self.key}: codes belong to states and bits, and those need them"
            )
        if refused := set(self.aggregations) - ALLOWED_AGGREGATIONS[self.kind]:
            raise ValueError(
                f"{self.key}: a {self.kind} has no {', '.join(sorted(refused))}"
            )
        if self.codes and self.checks != Checks():
            raise ValueError(f"{self.key}: checks are for numbers, not for codes")
        if len({code.value for code in self.codes}) != len(self.codes):
            raise ValueError(f"{self.key}: two codes have the same value")
