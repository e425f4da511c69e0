"""What to read for a request, within which limits."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.api.failures import BadRangeError, NotFoundError, TooMuchError
from services.api.moments import say_moment
from services.api.series.aggregates_store import (
    RISES_BEFORE_MS,
    add_rises,
    add_stays,
    add_up,
)
from services.api.series.model import MILLISECOND, Piece, Series, SumsByBucket
from services.api.series.ranges import (
    LONGEST,
    LONGEST_RAW,
    Bucket,
    Range,
    RangeRefusedError,
    TooMuchAskedError,
    bucket_edges,
    check_cost,
)
from services.api.series.saying import say_buckets, say_head
from services.api.series.store import find_pieces
from services.core.city.catalogue import Aggregation
from services.core.city.language import Language
from services.core.storage.pool import Connection

_HELD_PERIODS: Final = 3  # how long a state is believed without being said again


def raw_range(start: dt.datetime, end: dt.datetime) -> Range:
    """Raises BadRangeError."""
    return time_range(start, end, LONGEST_RAW, "A series of single observations")


def bucket_range(bucket: Bucket, start: dt.datetime, end: dt.datetime) -> Range:
    """Raises BadRangeError."""
    return time_range(start, end, LONGEST[bucket], f"A series in buckets of {bucket}")


def time_range(
    start: dt.datetime, end: dt.datetime, longest: dt.timedelta, what: str
) -> Range:
    """Raises BadRangeError."""
    try:
        return Range(start, end).at_most(longest, what)
    except RangeRefusedError as error:
        raise BadRangeError(str(error)) from error


def require_all(names: Sequence[str], found: Sequence[Series]) -> None:
    """Raises NotFoundError, naming the datastreams that were asked for and not found."""
    known = {one.key for one in found} | {str(one.datastream_id) for one in found}
    if missing := [name for name in names if name not in known]:
        raise NotFoundError(
            f"There is no datastream {', '.join(map(repr, missing[:10]))} that you may see."
        )


class Buckets:
    """The buckets of one request: which, and of what."""

    def __init__(
        self,
        bucket: Bucket,
        within: Range,
        time_zone: str,
        aggregations: Collection[Aggregation] | None,
    ) -> None:
        self.bucket = bucket
        self.time_zone = time_zone
        self.edges = bucket_edges(bucket, within, ZoneInfo(time_zone))
        self.range = Range(self.edges[0], self.edges[-1])
        self._aggregations = aggregations

    def wanted(self, series: Series) -> frozenset[Aggregation]:
        """What of this series was asked for and is allowed by the catalogue."""
        if self._aggregations is None:
            return series.aggregations
        return series.aggregations.intersection(self._aggregations)

    async def read(
        self, connection: Connection, series: Sequence[Series], now: dt.datetime
    ) -> SumsByBucket:
        """Raises TooMuchError."""
        try:
            check_cost(series, self.range, len(self.edges) - 1)
        except TooMuchAskedError as error:
            raise TooMuchError(str(error)) from error
        before_ms = {one.datastream_id: one.before_ms for one in series}
        latest = max(RISES_BEFORE_MS, *before_ms.values()) * MILLISECOND
        behind = Range(self.range.start, self.range.end + latest)
        pieces = await find_pieces(connection, list(before_ms), behind)
        if not pieces:
            return {}
        sums = await add_up(connection, pieces, self.edges, before_ms)
        if counters := self._of(Aggregation.DELTA, series, pieces):
            await add_rises(connection, counters, self.edges, sums)
        if states := self._of(Aggregation.DURATION, series, pieces):
            holds = {one.datastream_id: one.period_ms * _HELD_PERIODS for one in series}
            await add_stays(
                connection, states, self.edges, sums, holds_ms=holds, now=now
            )
        return sums

    def document(
        self, series: Sequence[Series], sums: SumsByBucket, language: Language | None
    ) -> dict[str, Any]:
        """As series.schemas.BucketPage describes it."""
        return {
            "start": say_moment(self.range.start),
            "end": say_moment(self.range.end),
            "bucket": self.bucket,
            "time_zone": self.time_zone,
            "series": [
                {
                    **say_head(one, language),
                    "aggregations": sorted(self.wanted(one)),
                    "buckets": say_buckets(one, sums, self.edges, self.wanted(one)),
                }
                for one in series
            ],
        }

    def _of(
        self,
        aggregation: Aggregation,
        series: Sequence[Series],
        pieces: Sequence[Piece],
    ) -> list[Piece]:
        ids = {one.datastream_id for one in series if aggregation in self.wanted(one)}
        return [piece for piece in pieces if piece.datastream_id in ids]
