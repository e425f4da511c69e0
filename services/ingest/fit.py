"""PURE: an item whose names and units are another standard's, fitted to the channels of its device type.

A name is a path: `Phase A/voltage` is the channel `Phase A/voltage`, else `Phase_A.voltage`, else
`Phase_A_voltage`, else `voltage`; the first of them that the device type has. Without a name the only channel is meant.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeGuard

import msgspec

from services.core.city.units import Conversion, conversion
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.messages import (
    LARGEST_INTEGER,
    ForeignReading,
    ForeignValue,
    Quantity,
    Reading,
    Unusable,
)

_OUTSIDE_NAMES: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME: Final = 512  # that is looked at
_COUNT: Final = "1"


def fit(
    reading: ForeignReading, profile: Profile, device: str | None = None
) -> ForeignReading | None:
    """The same item with our name of its device, channels for names and values in the channels' units.

    A name that no channel has is left as it is, to be refused, unless it is optional. Of two names of one
    channel the second is refused. None: all that it says is optional, and there is no such channel.
    """
    names = sorted(reading.values, key=lambda name: name not in profile.channels)
    channels: dict[str, str] = {}
    values: dict[str, ForeignValue] = {}
    for name in names:
        channel = channel_of(name, profile)
        value = reading.values[name]
        if channel is None:
            if name not in reading.optional:
                values[name] = value
        elif channel in values:
            values[name] = Unusable(
                Reason.UNKNOWN_CHANNEL, f"{channel} has a value in this item already"
            )
        else:
            channels[name] = channel
            values[channel] = _in_unit(value, channel, profile)
    if reading.optional and not values:
        return None
    quality = {channels.get(n, n): said for n, said in (reading.quality or {}).items()}
    return msgspec.structs.replace(
        reading, values=values, quality=quality or None, device=device
    )


def is_optional(reading: Reading) -> bool:
    """Whether nobody would miss any of its values."""
    return isinstance(reading, ForeignReading) and reading.optional.issuperset(
        reading.values
    )


def channel_of(name: str, profile: Profile) -> str | None:
    """The channel that a foreign name means; None: the device type has none for it."""
    if name in profile.channels:
        return name
    if (slot := profile.aliases.get(name)) is not None:
        return next(one for one, at in profile.channels.items() if at == slot)
    if len(name) > _LONGEST_NAME:
        return None
    if not name and len(profile.channels) == 1:
        return next(iter(profile.channels))
    return next((one for one in _spellings(name) if one in profile.channels), None)


def _spellings(name: str) -> Iterator[str]:
    parts = [_OUTSIDE_NAMES.sub("_", part) for part in name.split("/")]
    yield ".".join(parts)
    yield "_".join(parts)
    yield parts[-1]


def _in_unit(value: ForeignValue, channel: str, profile: Profile) -> ForeignValue:
    if not isinstance(value, Quantity):
        return value
    unit = profile.units[profile.channels[channel]]
    how = _conversion(value.unit, unit)
    if how is None:
        return Unusable(
            Reason.WRONG_UNIT,
            f"{channel} is sent in {value.unit}, and the platform takes {unit}",
        )
    number = value.value
    if how == _AS_IT_IS or not _is_convertible(number):
        return number
    return how.convert(float(number))


def _is_convertible(number: object) -> TypeGuard[int | float]:
    """What is beyond 2^53 is refused as it is."""
    if type(number) is int:
        return abs(number) <= LARGEST_INTEGER
    return type(number) is float


_AS_IT_IS: Final = Conversion(1.0, 0.0)


@lru_cache(maxsize=1024)
def _conversion(sent: str, unit: str) -> Conversion | None:
    """A count fits what is counted: `{vehicles}`."""
    if sent == unit or (sent == _COUNT and unit.startswith("{")):
        return _AS_IT_IS
    try:
        return conversion(sent, unit)
    except ValueError:
        return None
