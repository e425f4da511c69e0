"""PURE: times at the edge: RFC 3339 with an offset in, UTC milliseconds with a Z out."""

import datetime as dt
import re
from typing import Final

_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_PLUS_LOST: Final = re.compile(r"(\S+) (\d\d:\d\d)", re.ASCII)
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2099
FIRST_MS: Final = (
    0  # Unix milliseconds of the first and last moment that may be asked for
)
LAST_MS: Final = 4_102_444_800_000


def read_moment(text: str) -> dt.datetime:
    """An RFC 3339 time with an offset, in UTC, rounded down to the millisecond.

    Raises:
        ValueError: it is something else, or not between 1970 and 2099.
    """
    # An unescaped "+" in a query arrives as a space.
    text = _PLUS_LOST.sub(r"\1+\2", text) if "T" in text.upper() else text
    if not _RFC_3339.fullmatch(text):
        raise ValueError(
            "must be an RFC 3339 time with an offset, such as 2026-11-22T04:00:00Z"
        )
    if not _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR:
        raise ValueError(f"must be between {_FIRST_YEAR} and {_LAST_YEAR}")
    try:
        moment = dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
    except ValueError as error:
        raise ValueError(f"is not a time: {error}") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def say_moment(moment: dt.datetime) -> str:
    """RFC 3339 in UTC to the millisecond, such as 2026-11-22T04:00:00.250Z."""
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    return moment.isoformat("T", "milliseconds")[:-6] + "Z"


def say_period(milliseconds: int) -> str:
    """A duration as ISO 8601 says it, in the largest unit that fits, such as PT10S."""
    for size, letter in ((3_600_000, "H"), (60_000, "M")):
        if milliseconds and milliseconds % size == 0:
            return f"PT{milliseconds // size}{letter}"
    return f"PT{milliseconds / 1000:g}S"
