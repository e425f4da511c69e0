import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.alerting.duration import format_duration, parse_duration


@given(st.integers(0, 10**12))
def test_a_duration_survives_being_written_and_read(milliseconds: int) -> None:
    duration = dt.timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT30S", 30),
        ("PT15M", 900),
        ("P1DT12H", 129_600),
        ("P2W", 1_209_600),
        ("PT0.25S", 0.25),
    ],
)
def test_iso_8601_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1D T",
        "P1M",
        "P1Y",
        "30s",
        "PT-5S",
        "PT١S",
        "P1DT",
        "P99999999999D",
    ],
)
def test_what_has_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)
