"""PURE: data quality in QARTOD's order, as the source said it and as our checks found it.

Source: QARTOD, Manual for Real-Time Oceanographic Data Quality Control Flags, version 1.2, IOOS 2020.
"""

from enum import IntEnum
from typing import Final


class Quality(IntEnum):
    GOOD = 1
    UNKNOWN = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


ALL_GOOD: Final = Quality.GOOD + 16 * Quality.GOOD

# What devices may say, and what that amounts to.
SOURCE_WORDS: Final[dict[str, Quality]] = {
    "good": Quality.GOOD,
    "unknown": Quality.UNKNOWN,
    "suspect": Quality.SUSPECT,
    "fail": Quality.FAIL,
    "substituted": Quality.SUSPECT,
    "blocked": Quality.SUSPECT,
    "overflow": Quality.FAIL,
    "stale": Quality.SUSPECT,
    "estimated": Quality.SUSPECT,
}


def pack(source: Quality, check: Quality) -> int:
    """One small integer of both flags, as stored in observations.quality."""
    return source + 16 * check


def source_of(packed: int) -> Quality:
    return Quality(packed & 15)


def check_of(packed: int) -> Quality:
    return Quality(packed >> 4)


def overall(packed: int) -> Quality:
    """The worse of the two flags."""
    return max(source_of(packed), check_of(packed))
