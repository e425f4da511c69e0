"""What devices are asked: people, history and credentials ask here; ingest sends it and writes the answers."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from services.core.errors import PlatformError
from services.core.storage.pool import Connection
from services.core.storage.registry_device import UnknownDeviceError
from services.core.storage.texts import LONGEST_TEXT

SHORTEST: Final = dt.timedelta(seconds=1)
LONGEST: Final = dt.timedelta(days=35)
_LARGEST: Final = 1 << 53
_MOST_SETTINGS: Final = 100
_MOST_BYTES: Final = 16_000  # a broker ends the connection that brings it a packet above 65 KB: ingest's own

_INSERT: Final = """
INSERT INTO commands (device_id, name, args, sealed, asked_by, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING command_id
"""
_DEVICE: Final = "SELECT device_id, publishes, retired_at FROM devices WHERE key = $1"
_AUDIT: Final = """
INSERT INTO audit (at, actor, action, entity, entity_key, new) VALUES ($1, $2, 'ask', 'commands', $3, $4)
"""
_SELECT: Final = """
SELECT c.command_id, d.key AS device, c.name, c.args, c.asked_by, c.asked_at, c.expires_at, c.sent_at, c.attempts,
       c.answered_at, c.ok, c.detail, c.expired_at
FROM commands c JOIN devices d USING (device_id)
"""


class CommandName(StrEnum):
    """All that version 1 knows: no plant control."""

    REPLAY = "replay"
    REBIRTH = "rebirth"
    CONFIGURE = "configure"
    ROTATE = "rotate"


class CommandState(StrEnum):
    WAITING = "waiting"  # not sent yet
    SENT = "sent"  # and not answered yet
    DONE = "done"
    REFUSED = "refused"  # the device says that it did not
    EXPIRED = "expired"  # nobody answered in time


class BadCommandError(PlatformError):
    """A device cannot be asked that."""

    remedy = (
        "docs/device-protocol.md, section 5, says what each command's arguments are."
    )


class NoSecretToRotateError(BadCommandError):
    """rotate: it brings the device its new secret, sealed; a plain command has none to bring."""

    remedy = "`alatau devices rotate ID` makes the secret, sends it sealed, and ends the old one when the device is back."


@dataclass(frozen=True, slots=True)
class NewCommand:
    """What to ask of a publisher. sealed: arguments that only ingest sends, and nobody else may read.

    Raises:
        BadCommandError: the arguments are not those of the command; NoSecretToRotateError is one.
    """

    device: str
    name: CommandName
    args: Mapping[str, Any] = field(default_factory=dict)
    expires_in: dt.timedelta = dt.timedelta(hours=1)
    sealed: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not SHORTEST <= self.expires_in <= LONGEST:
            raise BadCommandError("A command expires after 1 second to 35 days.")
        if fault := _ARGUMENTS[self.name](self.args):
            raise BadCommandError(f"{self.name}: {fault}.")
        if self.name is CommandName.ROTATE and "secret" not in (self.sealed or {}):
            raise NoSecretToRotateError


@dataclass(frozen=True, slots=True)
class AskedCommand:
    """What was asked, and how it went. sent_at: the last time; a command is sent again until it is answered."""

    command_id: int
    device: str
    name: str
    args: Mapping[str, Any]
    asked_by: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    sent_at: dt.datetime | None
    attempts: int
    answered_at: dt.datetime | None
    ok: bool | None
    detail: str | None
    expired_at: dt.datetime | None

    @property
    def state(self) -> CommandState:
        if self.answered_at is not None:
            return CommandState.DONE if self.ok else CommandState.REFUSED
        if self.expired_at is not None:
            return CommandState.EXPIRED
        return CommandState.WAITING if self.sent_at is None else CommandState.SENT

    @property
    def is_open(self) -> bool:
        """Ingest still sends it, or waits for its answer."""
        return self.state in (CommandState.WAITING, CommandState.SENT)


async def ask(
    connection: Connection, command: NewCommand, *, asked_by: str, now: dt.datetime
) -> int:
    """Write the command down; ingest sends it within a second. Returns its id.

    Raises:
        UnknownDeviceError: there is no such device.
        BadCommandError: it has no connection of its own, or is out of service.
    """
    device = await connection.fetchrow(_DEVICE, command.device)
    if device is None:
        raise UnknownDeviceError(f"No such device: {command.device}")
    if device["retired_at"] is not None:
        raise BadCommandError(f"{command.device} is taken out of service.")
    if not device["publishes"]:
        raise BadCommandError(
            f"{command.device} has no connection of its own: ask its gateway."
        )
    command_id: int = await connection.fetchval(
        _INSERT,
        device["device_id"],
        command.name,
        command.args,
        None if command.sealed is None else msgspec.json.encode(command.sealed),
        asked_by,
        now,
        now + command.expires_in,
    )
    return command_id


async def ask_for_a_person(
    connection: Connection, command: NewCommand, *, actor: str, now: dt.datetime
) -> int:
    """As ask(), with a line in the audit, in one transaction."""
    async with connection.transaction():
        command_id = await ask(connection, command, asked_by=actor, now=now)
        told = {"id": command_id, "name": command.name, "args": dict(command.args)}
        await connection.execute(_AUDIT, now, actor, command.device, told)
    return command_id


async def read_command(connection: Connection, command_id: int) -> AskedCommand | None:
    row = await connection.fetchrow(_SELECT + "WHERE command_id = $1", command_id)
    return None if row is None else AskedCommand(**row)


async def list_commands(
    connection: Connection, device: str, before: int | None, limit: int
) -> Sequence[AskedCommand]:
    """Newest first; before: a command id."""
    rows = await connection.fetch(
        _SELECT
        + """
        WHERE d.key = $1 AND ($2::bigint IS NULL OR c.command_id < $2)
        ORDER BY c.command_id DESC LIMIT $3
        """,
        device,
        before,
        limit,
    )
    return [AskedCommand(**row) for row in rows]


def _fault_of_replay(args: Mapping[str, Any]) -> str | None:
    if set(args) != {"epoch", "from", "to"}:
        return "needs the arguments epoch, from and to, and no others"
    numbers = list(args.values())
    if any(
        type(number) is not int or not 0 <= number <= _LARGEST for number in numbers
    ):
        return "epoch, from and to are integers from 0 to 2^53"
    return "from is above to" if args["from"] > args["to"] else None


def _fault_of_rebirth(args: Mapping[str, Any]) -> str | None:
    return "has no arguments" if args else None


def _fault_of_configure(args: Mapping[str, Any]) -> str | None:
    if not 0 < len(args) <= _MOST_SETTINGS:
        return f"needs 1 to {_MOST_SETTINGS} settings"
    if not all(type(value) in (int, float, bool, str) for value in args.values()):
        return "a setting is a number, a text, true or false"
    if not all(math.isfinite(v) for v in args.values() if isinstance(v, float)):
        return "a setting is a finite number"
    if any(type(v) is int and abs(v) > _LARGEST for v in args.values()):
        return "a setting is a number up to 2^53"
    if any(len(str(part)) > LONGEST_TEXT for pair in args.items() for part in pair):
        return f"a setting has at most {LONGEST_TEXT} characters"
    if len(msgspec.json.encode(args)) > _MOST_BYTES:
        return f"all settings together have at most {_MOST_BYTES:,} bytes"
    return None


def _fault_of_rotate(_args: Mapping[str, Any]) -> str | None:
    return None


_ARGUMENTS: Final = {
    CommandName.REPLAY: _fault_of_replay,
    CommandName.REBIRTH: _fault_of_rebirth,
    CommandName.CONFIGURE: _fault_of_configure,
    CommandName.ROTATE: _fault_of_rotate,
}
