"""New secrets on their way to devices: begun by people, moved on by the broker's door."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.core.broker.rotation import Rotation, Step
from services.core.errors import PlatformError
from services.core.storage import registry_sql as sql
from services.core.storage.commands import CommandName, NewCommand, ask
from services.core.storage.credentials import audit, locked_publishers, refuse_without
from services.core.storage.pool import Connection

ROTATE_WITHIN: Final = dt.timedelta(days=7)
_CONFIRM_WITHIN: Final = dt.timedelta(hours=1)

_BEGIN: Final = """
INSERT INTO rotations (device_id, secret, secret_hash, began_at, asked_by, moved_at, command_id)
SELECT device_id, $2, $3, $4, $5, $4, $6 FROM devices WHERE key = $1
"""
_SELECT: Final = """
SELECT d.key, r.secret, r.asked_by, r.began_at, r.on_trial, r.moved_at, r.trials, r.command_id IS NOT NULL AS asked,
       CASE WHEN c.answered_at IS NOT NULL THEN coalesce(c.ok, false) END AS answer,
       c.expired_at IS NOT NULL AS expired
FROM rotations r JOIN devices d USING (device_id) LEFT JOIN commands c USING (command_id)
"""
_ALL: Final = (
    f"{_SELECT} WHERE d.retired_at IS NULL AND d.publishes ORDER BY r.device_id"
)
_ONE: Final = f"{_SELECT} WHERE d.key = $1"
_UNDER_WAY: Final = "SELECT d.key FROM rotations r JOIN devices d USING (device_id) WHERE d.key = ANY ($1)"
_ASKED: Final = """
UPDATE rotations r SET command_id = $2 FROM devices d WHERE d.device_id = r.device_id AND d.key = $1
"""
_MOVE: Final = """
UPDATE rotations r SET on_trial = $2::boolean, moved_at = $3, trials = trials + $2::boolean::int, command_id = NULL
FROM devices d WHERE d.device_id = r.device_id AND d.key = $1
"""
_TAKE: Final = """
UPDATE credentials c SET secret_hash = r.secret_hash, issued_at = $2, revision = $3
FROM rotations r, devices d
WHERE c.device_id = r.device_id AND d.device_id = r.device_id AND d.key = $1 AND c.revoked_at IS NULL
"""
_END: Final = "DELETE FROM rotations r USING devices d WHERE d.device_id = r.device_id AND d.key = $1"


class RotationUnderWayError(PlatformError):
    """A new secret is on its way to this device already."""

    remedy = "`alatau devices show ID` says how it stands; `alatau devices rotate ID --now` replaces both secrets at once."


@dataclass(frozen=True, slots=True)
class Underway:
    """secret: the new one, which only the device may see."""

    device: str
    asked_by: str
    began_at: dt.datetime
    state: Rotation
    secret: bytes = field(repr=False)


async def begin_rotations(
    connection: Connection,
    secrets: Mapping[str, str],
    hashes: Mapping[str, str],
    *,
    actor: str,
    now: dt.datetime,
) -> None:
    """Send publishers new secrets; the old ones are in force until the new ones have proved themselves.

    Raises:
        UnknownPublisherError, NoCredentialsError, RotationUnderWayError: all or none.
    """
    devices = list(secrets)
    async with connection.transaction():
        refuse_without(await locked_publishers(connection, devices))
        found = await connection.fetch(_UNDER_WAY, devices)
        if found:
            named = ", ".join(row["key"] for row in found[:5])
            raise RotationUnderWayError(f"On its way already: {named}")
        for device, secret in secrets.items():
            asked = await ask(
                connection, _rotate(device, secret), asked_by=actor, now=now
            )
            row = (secret.encode(), hashes[device], now, actor, asked)
            await connection.execute(_BEGIN, device, *row)
        await audit(connection, devices, "rotate_begun", actor, now)


async def rotations_under_way(connection: Connection) -> Sequence[Underway]:
    return [_underway(row) for row in await connection.fetch(_ALL)]


async def rotation_of(connection: Connection, device: str) -> Underway | None:
    row = await connection.fetchrow(_ONE, device)
    return None if row is None else _underway(row)


async def advance(
    connection: Connection, rotation: Underway, step: Step, now: dt.datetime
) -> None:
    """Take the step; what the broker takes may be another secret afterwards."""
    device, actor = rotation.device, rotation.asked_by
    async with connection.transaction():
        match step:
            case Step.ASK:
                asked = await ask(
                    connection, _question(rotation), asked_by=actor, now=now
                )
                await connection.execute(_ASKED, device, asked)
            case Step.TRY | Step.WITHDRAW:
                await connection.execute(_MOVE, device, step is Step.TRY, now)
            case Step.FINISH:
                revision = await connection.fetchval(sql.NEXT_REVISION)
                await connection.execute(_TAKE, device, now, revision)
                await connection.execute(_END, device)
                await audit(connection, [device], "rotate", actor, now)
            case Step.GIVE_UP:
                await connection.execute(_END, device)
                await audit(connection, [device], "rotate_failed", actor, now)
            case Step.WAIT:
                pass


def _question(rotation: Underway) -> NewCommand:
    if rotation.state.on_trial:
        return NewCommand(
            rotation.device, CommandName.REBIRTH, expires_in=_CONFIRM_WITHIN
        )
    return _rotate(rotation.device, rotation.secret.decode())


def _rotate(device: str, secret: str) -> NewCommand:
    return NewCommand(
        device,
        CommandName.ROTATE,
        expires_in=ROTATE_WITHIN,
        sealed={"secret": secret},
    )


def _underway(row: Mapping[str, Any]) -> Underway:
    state = Rotation(
        row["on_trial"],
        row["moved_at"],
        row["trials"],
        row["asked"],
        row["answer"],
        row["expired"],
    )
    return Underway(
        row["key"],
        row["asked_by"],
        row["began_at"],
        state,
        row["secret"],
    )
