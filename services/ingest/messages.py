"""What decoders make of a publication: readings, births and deaths, not yet tied to the registry."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from services.core.broker.link import Publication
from services.core.reasons import Reason

Value = int | float | bool | str | None
AwareTime = Annotated[dt.datetime, msgspec.Meta(tz=True)]

LARGEST_INTEGER: Final = 1 << 53
NOT_FINITE: Final = 1 << 60  # stands for NaN and infinities, which are refused alike


class Reading(msgspec.Struct, gc=False, kw_only=True):
    """One item as it was sent; its floats are finite. Values that are arrays or objects are left for check to refuse."""

    values: dict[str, Value]
    time: int | AwareTime | None = None
    quality: dict[str, str] | None = None
    time_quality: str | None = None
    device: str | None = None
    revises: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a message or an item of it cannot be used. detail: a sentence for the device's maker."""

    reason: Reason
    detail: str


class Quantity(msgspec.Struct, gc=False, frozen=True):
    """A value that says its own unit. unit: a UCUM code."""

    value: Value
    unit: str


ForeignValue = Value | Quantity | Unusable


class ForeignReading(Reading, kw_only=True):
    """An item of a format that does not know our channels: fit() ties its names and units to the device type.

    values: by path. optional: names that are nobody's loss where the device type has no such channel.
    relative_ms: of an item without a time of its own, how long after now it was; before is negative.
    """

    values: dict[str, ForeignValue]  # type: ignore[assignment] # until it is fitted
    optional: frozenset[str] = frozenset()
    relative_ms: int = 0


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    time: int | AwareTime | None = None
    epoch: int | None = None
    oldest_seq: int | None = None
    firmware: str | None = None
    device: str | None = None


class Death(msgspec.Struct, frozen=True, kw_only=True):
    time: int | AwareTime | None = None
    device: str | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a command of ours went."""

    id: str
    ok: bool
    detail: str | None = None


class Message(msgspec.Struct, gc=False, frozen=True):
    """Items; one that is no reading stands in its place as Unusable. notices: births and deaths that it tells besides."""

    items: Sequence[Reading | Unusable]
    seq: int | None = None
    epoch: int | None = None
    notices: Sequence[Birth | Death] = ()


Decoded = Message | Birth | Death | Result | Unusable


class Received(msgspec.Struct, gc=False, frozen=True):
    """A publication and what it says. publisher, kind: of its topic; empty when the topic is none of ours.

    by: the person whose word it is, where it is not the publisher's.
    """

    publication: Publication
    publisher: str
    kind: str
    content: Decoded
    by: str | None = None


_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def milliseconds(time: int | dt.datetime) -> int:
    """Unix milliseconds, rounded to the nearest."""
    if isinstance(time, int):
        return time
    return ((time - _EPOCH) // _MICROSECOND + 500) // 1000
