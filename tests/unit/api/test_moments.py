"""Times at the edge."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.moments import read_moment, say_moment, say_period

moments = st.datetimes(
    dt.datetime(1970, 1, 2),  # noqa: DTZ001 # hypothesis adds the zone
    dt.datetime(2099, 12, 30),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


@given(moments)
def test_what_we_say_we_read_back_to_the_millisecond(moment: dt.datetime) -> None:
    kept = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert read_moment(say_moment(moment)) == kept


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_any_offset_is_the_same_moment(moment: dt.datetime, minutes: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    local = moment.astimezone(zone).isoformat(timespec="milliseconds")
    assert say_moment(read_moment(local)) == say_moment(moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T09:00:00+05:00",
        "2026-11-22T09:00:00 05:00",  # a plus sign that was not escaped
        "2026-11-22t04:00:00z",
        "2026-11-22 04:00:00Z",
        "2026-11-22T04:00:00.0009Z",
    ],
)
def test_the_usual_spellings_are_read(text: str) -> None:
    assert read_moment(text) == dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


@given(st.text())
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is not"):
        read_moment(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T04:00:00",
        "2026-11-22",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
        "٢٠٢٦-11-22T04:00:00Z",
    ],
)
def test_what_has_no_offset_or_no_such_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is not"):
        read_moment(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "PT0S"),
        (500, "PT0.5S"),
        (2_000, "PT2S"),
        (60_000, "PT1M"),
        (90_000, "PT90S"),
        (3_600_000, "PT1H"),
    ],
)
def test_a_period_is_said_as_iso_8601(milliseconds: int, text: str) -> None:
    assert say_period(milliseconds) == text
