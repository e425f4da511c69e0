"""PURE: a datastream as a series of observations, and where its rows are."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, get_args

from services.core.city.catalogue import Aggregation, Kind
from services.core.city.entities import Sampling
from services.core.city.quality import Quality, pack

MILLISECOND: Final = dt.timedelta(milliseconds=1)
_DEFAULT_PERIOD_MS: Final = 60_000
_LARGEST_ID: Final = 0x7FFF_FFFF

QualityWord = Literal["good", "unknown", "suspect", "fail", "missing"]
_WORDS: Final[dict[Quality, QualityWord]] = dict(
    zip(Quality, get_args(QualityWord), strict=True)
)
# By packed quality: overall, as the source said it, as our checks found it.
QUALITY_WORDS: Final = {
    pack(source, check): (_WORDS[max(source, check)], _WORDS[source], _WORDS[check])
    for source in Quality
    for check in Quality
}


@dataclass(frozen=True, slots=True)
class Series:
    """A datastream that the asker may see. codes: of a state or of bits, as the catalogue has them.

    before_ms: how long before its time stamp the period of a value begins.
    """

    datastream_id: int
    key: str
    name: Mapping[str, str]
    thing: str
    observed_property: str
    kind: Kind
    unit: str
    period_ms: int
    before_ms: int
    aggregations: frozenset[Aggregation]
    codes: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Series":
        return cls(
            datastream_id=row["datastream_id"],
            key=row["key"],
            name=row["name"],
            thing=row["thing"],
            observed_property=row["observed_property"],
            kind=Kind(row["kind"]),
            unit=row["unit"],
            period_ms=row["period_ms"],
            before_ms=before_ms(row),
            aggregations=frozenset(Aggregation(word) for word in row["aggregations"]),
            codes=row["codes"],
        )

    def expected(self, span: dt.timedelta) -> float:
        """About how many observations a time span has."""
        return span / ((self.period_ms or _DEFAULT_PERIOD_MS) * MILLISECOND)

    def code_keys(self, result: float) -> list[str]:
        return code_keys(self.kind, self.codes, result)


def before_ms(row: Mapping[str, Any]) -> int:
    """How long before its time stamp the period of a value begins, by sampling and sampling_ms of its datastream."""
    sampled: int = row["sampling_ms"]
    return sampled if row["sampling"] == Sampling.PERIOD_END else 0


def code_keys(
    kind: Kind, codes: Sequence[Mapping[str, Any]], result: float
) -> list[str]:
    """The words of a state's number (one) or of a bit set (any)."""
    number = int(result)
    if kind is Kind.BITS:
        return [code["key"] for code in codes if number & code["value"]]
    return [code["key"] for code in codes if number == code["value"]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a series' time range that lies in one slot of one frame; end is exclusive.

    since: when the slot became the datastream's; what is older is not its own. 1970 for always.
    """

    datastream_id: int
    frame_id: int
    slot: int
    start: dt.datetime
    end: dt.datetime
    since: dt.datetime


class Observation(NamedTuple):
    """quality: packed as core.city.quality. A tuple, for there are ten thousand in an answer."""

    datastream_id: int
    phenomenon_time: dt.datetime
    result: float
    quality: int
    ingested_at: dt.datetime


@dataclass(slots=True)
class Sums:
    """What one bucket of one series adds up to. durations: seconds by state number."""

    count: int = 0
    excluded: int = 0
    avg: float | None = None
    min: float | None = None
    max: float | None = None
    sum: float | None = None
    last: float | None = None
    delta: float | None = None
    durations: dict[int, float] = field(default_factory=dict)


SumsByBucket = dict[tuple[int, int], Sums]  # by datastream id and bucket number from 0
Place = tuple[
    int, int
]  # datastream id, Unix milliseconds: of the last observation read


def keys_and_ids(names: Sequence[str]) -> tuple[list[str], list[int]]:
    """A datastream's key has a dot in it; digits alone are an id."""
    keys = [name for name in names if not name.isdecimal()]
    ids = [int(name) for name in names if name.isdecimal()]
    return keys, [number for number in ids if number <= _LARGEST_ID]
