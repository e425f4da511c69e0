"""PURE: identifiers that outsiders depend on."""

import re
from typing import Final

DEVICE_ID: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
KEY: Final = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,127}$")
CHANNEL: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")

FIRST_INTERNAL_DATASTREAM_ID: Final = 1 << 20  # below: public, numbered densely from 1
_TIME_BITS: Final = 40
_EPOCH_MS: Final = 1_577_836_800_000  # 2020-01-01T00:00:00Z; 40 bits of milliseconds reach to November 2054


def is_device_id(text: str) -> bool:
    return DEVICE_ID.match(text) is not None and "\n" not in text


def datastream_key(thing_key: str, channel: str) -> str:
    return f"{thing_key}.{channel}"


def observation_id(datastream_id: int, time_ms: int) -> int:
    """The id of the observation of a datastream at a Unix millisecond: no stored id, no second index.

    63 bits; below 2^53 (exact in JSON) for datastreams up to 8,191.

    Raises:
        ValueError: the time is before 2020 or after November 2054.
    """
    since = time_ms - _EPOCH_MS
    if not 0 <= since < 1 << _TIME_BITS:
        raise ValueError("an observation's id exists from 2020-01-01 to 2054-11")
    return datastream_id << _TIME_BITS | since


def observation_key(observation_id: int) -> tuple[int, int]:
    """(datastream_id, Unix milliseconds) of an observation's id."""
    return observation_id >> _TIME_BITS, (
        observation_id & (1 << _TIME_BITS) - 1
    ) + _EPOCH_MS
