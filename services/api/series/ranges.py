"""PURE: time ranges, their limits, and the edges of buckets."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.api.series.model import Series
from services.core.errors import PlatformError

_DAY: Final = dt.timedelta(days=1)
LONGEST_RAW: Final = dt.timedelta(days=31)
MOST_BUCKETS: Final = 50_000
MOST_OBSERVATIONS: Final = 3_000_000


class RangeRefusedError(PlatformError):
    """The time range cannot be used."""


class TooMuchAskedError(PlatformError):
    """Too much at once."""


class Bucket(StrEnum):
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"


# Days and weeks are the city's, and only about so long.
LENGTH: Final = {
    Bucket.MINUTE: dt.timedelta(minutes=1),
    Bucket.FIVE_MINUTES: dt.timedelta(minutes=5),
    Bucket.QUARTER: dt.timedelta(minutes=15),
    Bucket.HOUR: dt.timedelta(hours=1),
    Bucket.DAY: _DAY,
    Bucket.WEEK: 7 * _DAY,
}
LONGEST: Final = {
    Bucket.MINUTE: 2 * _DAY,
    Bucket.FIVE_MINUTES: 8 * _DAY,
    Bucket.QUARTER: 31 * _DAY,
    Bucket.HOUR: 92 * _DAY,
    Bucket.DAY: 366 * _DAY,
    Bucket.WEEK: 366 * _DAY,
}


@dataclass(frozen=True, slots=True)
class Range:
    """[start, end), both aware."""

    start: dt.datetime
    end: dt.datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a time without an offset")
        if self.start >= self.end:
            raise RangeRefusedError("start must be before end.")

    @property
    def span(self) -> dt.timedelta:
        return self.end - self.start

    def at_most(self, longest: dt.timedelta, what: str) -> "Range":
        """Itself.

        Raises:
            RangeRefusedError: it is longer.
        """
        if self.span > longest:
            raise RangeRefusedError(
                f"{what} is given for at most {longest.days} days at once; this range has "
                f"{self.span / _DAY:.1f}. Ask for a shorter one, or for longer buckets."
            )
        return self


def bucket_edges(bucket: Bucket, within: Range, zone: ZoneInfo) -> list[dt.datetime]:
    """The edges of all buckets that the range touches, in UTC: n + 1 for n buckets.

    Days and weeks (from Monday) begin at midnight in the zone; shorter buckets are counted in UTC.
    """
    if bucket in (Bucket.DAY, Bucket.WEEK):
        edges = _local_edges(bucket, within, zone)
    else:
        edges = _utc_edges(LENGTH[bucket], within)
    return list(edges)


def _utc_edges(length: dt.timedelta, within: Range) -> Iterator[dt.datetime]:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    edge = within.start.astimezone(dt.UTC)
    edge -= (edge - epoch) % length
    yield edge
    while edge < within.end:
        edge += length
        yield edge


def _local_edges(
    bucket: Bucket, within: Range, zone: ZoneInfo
) -> Iterator[dt.datetime]:
    day = within.start.astimezone(zone).date()
    if bucket is Bucket.WEEK:
        day -= day.weekday() * _DAY
    edge = _midnight(day, zone)
    yield edge
    while edge < within.end:
        day += LENGTH[bucket]
        edge = _midnight(day, zone)
        yield edge


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def check_cost(series: Sequence[Series], within: Range, buckets: int) -> None:
    """Refuse what would take too long to add up.

    Raises:
        TooMuchAskedError: it would.
    """
    if buckets * len(series) > MOST_BUCKETS:
        raise TooMuchAskedError(
            f"{buckets} buckets of {len(series)} datastreams are more than {MOST_BUCKETS} values: "
            "ask for fewer datastreams, a shorter range or longer buckets."
        )
    expected = sum(one.expected(within.span) for one in series)
    if expected > MOST_OBSERVATIONS:
        raise TooMuchAskedError(
            f"About {expected:,.0f} observations would have to be added up, more than {MOST_OBSERVATIONS:,}: "
            "ask for a shorter range or fewer datastreams."
        )
