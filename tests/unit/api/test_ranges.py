"""Time ranges and the edges of buckets."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.series.model import Series
from services.api.series.ranges import (
    LENGTH,
    LONGEST,
    Bucket,
    Range,
    RangeRefusedError,
    TooMuchAskedError,
    bucket_edges,
    check_cost,
)
from services.core.city.catalogue import Kind

ALMATY = ZoneInfo("Asia/Almaty")
BERLIN = ZoneInfo("Europe/Berlin")  # has summer time, which Almaty has not
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

buckets = st.sampled_from(Bucket)
zones = st.sampled_from([ALMATY, BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")])
starts = st.datetimes(
    dt.datetime(2020, 1, 1),  # noqa: DTZ001 # hypothesis adds the zone
    dt.datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
lengths = st.integers(1, 100_000).map(lambda seconds: dt.timedelta(seconds=seconds))


@given(buckets, zones, starts, lengths)
def test_buckets_cover_the_range_without_gaps_and_without_excess(
    bucket: Bucket, zone: ZoneInfo, start: dt.datetime, length: dt.timedelta
) -> None:
    edges = bucket_edges(bucket, Range(start, start + length), zone)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < start + length <= edges[-1]
    slack = HOUR if bucket in (Bucket.DAY, Bucket.WEEK) else dt.timedelta(0)
    for left, right in pairwise(edges):
        assert abs(right - left - LENGTH[bucket]) <= slack


@given(buckets, zones, starts, lengths)
def test_the_same_moment_is_in_the_same_bucket_whatever_was_asked(
    bucket: Bucket, zone: ZoneInfo, start: dt.datetime, length: dt.timedelta
) -> None:
    narrow = bucket_edges(bucket, Range(start, start + length), zone)
    wide = bucket_edges(
        bucket, Range(start - dt.timedelta(days=8), start + length + HOUR), zone
    )
    assert set(narrow) <= set(wide)


def test_days_and_weeks_begin_at_local_midnight_and_on_monday() -> None:
    (day, _) = bucket_edges(Bucket.DAY, Range(NOON, NOON + HOUR), ALMATY)
    assert day.astimezone(ALMATY).isoformat() == "2026-11-22T00:00:00+05:00"
    (week, _) = bucket_edges(Bucket.WEEK, Range(NOON, NOON + HOUR), ALMATY)
    assert week.astimezone(ALMATY).isoformat() == "2026-11-16T00:00:00+05:00"


def test_a_day_of_summer_times_change_has_another_length() -> None:
    change = dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC)
    start, end = bucket_edges(Bucket.DAY, Range(change, change + HOUR), BERLIN)
    assert end - start == dt.timedelta(hours=23)


def test_a_range_needs_a_length_an_order_and_offsets() -> None:
    for start, end in ((NOON, NOON), (NOON, NOON - HOUR)):
        with pytest.raises(RangeRefusedError):
            Range(start, end)
    with pytest.raises(ValueError, match="offset"):
        Range(NOON.replace(tzinfo=None), NOON)
    with pytest.raises(RangeRefusedError, match="at most 2 days"):
        Range(NOON, NOON + dt.timedelta(days=3)).at_most(LONGEST[Bucket.MINUTE], "It")


def series(period_ms: int) -> Series:
    return Series(
        1, "a.b", {}, "a", "b", Kind.MEASUREMENT, "1", period_ms, 0, frozenset(), ()
    )


def test_cost_is_what_must_be_read_and_what_must_be_said() -> None:
    day = Range(NOON, NOON + dt.timedelta(days=1))
    check_cost([series(2_000)] * 10, day, 24)
    with pytest.raises(TooMuchAskedError, match="4,320,000"):
        check_cost([series(2_000)] * 100, day, 24)
    with pytest.raises(TooMuchAskedError, match="buckets"):
        check_cost([series(60_000)] * 100, day, 1440)
    assert series(0).expected(day.span) == 1440  # unknown: as if every minute
