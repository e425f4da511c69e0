"""PURE: durations as ISO 8601 writes them (PT30S, PT15M, P1DT12H); no months or years, which have no length."""

import datetime as dt
import re
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?P<time>T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,3})?)S)?)?)",
    re.ASCII,
)
_PARTS: Final = ("weeks", "days", "hours", "minutes", "seconds")


def parse_duration(text: str) -> dt.timedelta:
    """The length of an ISO 8601 duration, to the millisecond.

    Raises:
        ValueError: it is not one of days, hours, minutes and seconds (or of weeks).
    """
    found = _DURATION.fullmatch(text)
    parts = (
        {name: float(found[name]) for name in _PARTS if found[name]} if found else {}
    )
    if found is None or not parts or found["time"] == "T":
        raise ValueError(
            f"{text!r} is not a duration like PT30S, PT15M, PT2H or P1DT12H"
        )
    try:
        return dt.timedelta(**parts)
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than a duration can be") from error


def format_duration(duration: dt.timedelta) -> str:
    """The ISO 8601 text of a duration that is not negative; parse_duration reads it back."""
    minutes, milliseconds = divmod(duration // dt.timedelta(milliseconds=1), 60_000)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    seconds = f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".")
    time = "".join(
        f"{amount}{letter}"
        for amount, letter in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if amount not in (0, "0")
    )
    day = f"{days}D" if days else ""
    return f"P{day}{'T' + time if time else ''}" if day or time else "PT0S"
