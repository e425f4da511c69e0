"""The wire messages of docs/device-protocol.md, as a publisher writes them and we answer.

Reading what devices send is ingest's decoders; these structs are what well-behaved parties produce.
"""

import re
from typing import Final, Literal

import msgspec

from services.core.reasons import Reason

SourceQuality = Literal[
    "good",
    "unknown",
    "suspect",
    "fail",
    "substituted",
    "blocked",
    "overflow",
    "stale",
    "estimated",
]


class Item(msgspec.Struct, omit_defaults=True, kw_only=True):
    """All values of one device at one time (Unix milliseconds)."""

    time: int | None = None
    values: dict[str, float | bool | str | None]
    quality: dict[str, SourceQuality] | None = None
    time_quality: Literal["synced", "unsynced", "gateway"] | None = None
    device: str | None = None
    revises: bool = False


class Data(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Many items in one numbered message."""

    items: list[Item]
    seq: int | None = None
    epoch: int | None = None


class Birth(msgspec.Struct, omit_defaults=True, kw_only=True):
    time: int
    epoch: int | None = None
    oldest_seq: int | None = None
    device_type: str | None = None
    firmware: str | None = None
    channels: list[str] | None = None
    device: str | None = None


class Death(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The MQTT will (no time), or a gateway's word about a device it hosts."""

    time: int | None = None
    device: str | None = None


class Refusal(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """One refused item or value. index: the item's place in its message; channel: none when all of it was refused."""

    seq: int
    index: int = 0
    device: str | None = None
    channel: str | None = None
    reason: Reason


class Receipt(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What is committed of a publisher's numbered messages: all through stored_through, and the ranges in also."""

    epoch: int
    stored_through: int
    also: tuple[tuple[int, int], ...] = ()
    rejected: tuple[Refusal, ...] = ()

    def covers(self, seq: int) -> bool:
        return seq <= self.stored_through or any(
            first <= seq <= last for first, last in self.also
        )


class Command(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What a device may be asked; no plant control in v1."""

    id: str
    name: Literal["replay", "rebirth", "configure", "rotate"]
    args: dict[str, int | float | bool | str] = {}
    expires_at: int | None = None


class Result(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """How a command went; it may be said again, and then changes nothing. detail: a sentence for the operator."""

    id: str
    ok: bool
    detail: str | None = None


_LARGEST_COMMAND: Final = (1 << 63) - 1
_COMMAND_ID: Final = re.compile(r"c-([1-9][0-9]{0,18})", re.ASCII)


def command_id(number: int) -> str:
    """How a command is called on the wire."""
    return f"c-{number}"


def command_number(spelled: str) -> int | None:
    """The number of a command's id; None: no id of ours."""
    found = _COMMAND_ID.fullmatch(spelled)
    number = int(found[1]) if found else 0
    return number if 0 < number <= _LARGEST_COMMAND else None
