"""Publishers' certificates in the registry: issued, revoked, and until when their sessions last."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.core.authority import Issued
from services.core.errors import PlatformError
from services.core.storage import registry_sql as sql
from services.core.storage.credentials import locked_publishers
from services.core.storage.pool import Connection

# A device that is out of service, or publishes no more, has no valid certificate.
_OUT: Final = (
    "(c.revoked_at IS NOT NULL OR d.retired_at IS NOT NULL OR NOT d.publishes)"
)
_INSERT: Final = """
INSERT INTO certificates (serial, device_id, fingerprint, issued_at, not_after, revision)
SELECT $1, device_id, $2, $3, $4, $5 FROM devices WHERE key = $6
"""
_OF_DEVICE: Final = """
SELECT c.serial, c.fingerprint, c.issued_at, c.not_after, c.revoked_at, c.ended_at
FROM certificates c JOIN devices d USING (device_id) WHERE d.key = $1 ORDER BY c.issued_at, c.serial
"""
_REVOKE_ONE: Final = """
UPDATE certificates c SET revoked_at = $2, revision = $3 FROM devices d
WHERE d.device_id = c.device_id AND c.serial = $1 AND d.key = $4 AND c.revoked_at IS NULL
RETURNING c.serial
"""
_AUDIT: Final = """
INSERT INTO audit (at, actor, action, entity, entity_key, new) VALUES ($1, $2, $3, 'certificates', $4, $5)
"""
_REFUSED: Final = f"""
SELECT c.serial FROM certificates c JOIN devices d USING (device_id) WHERE {_OUT} AND c.not_after > $1
"""  # noqa: S608 - a fragment from above
_TO_END: Final = f"""
SELECT c.serial, d.key FROM certificates c JOIN devices d USING (device_id)
WHERE c.ended_at IS NULL AND ({_OUT} OR c.not_after <= $1) ORDER BY c.serial
"""  # noqa: S608 - a fragment from above
_ENDED: Final = "UPDATE certificates SET ended_at = $2 WHERE serial = ANY ($1)"
# Taken into service again: whatever ends these later must end their sessions anew.
_LIVE_AGAIN: Final = f"""
UPDATE certificates SET ended_at = NULL FROM devices d
WHERE d.device_id = certificates.device_id AND certificates.ended_at IS NOT NULL
  AND NOT {_OUT.replace("c.", "certificates.")} AND certificates.not_after > $1
"""  # noqa: S608 - a fragment from above


class UnknownCertificateError(PlatformError):
    """This device has no such certificate, or it is revoked already."""

    remedy = "`alatau devices show ID` lists a device's certificates."


@dataclass(frozen=True, slots=True)
class Certificate:
    """ended_at: revoked, expired or out of service, and since then without a session."""

    serial: str
    fingerprint: str
    issued_at: dt.datetime
    not_after: dt.datetime
    revoked_at: dt.datetime | None
    ended_at: dt.datetime | None


async def record_certificate(
    connection: Connection, device: str, issued: Issued, *, actor: str, now: dt.datetime
) -> None:
    """Before it is handed out.

    Raises:
        UnknownPublisherError: there is no such publisher.
    """
    async with connection.transaction():
        await locked_publishers(connection, [device])
        revision = await connection.fetchval(sql.NEXT_REVISION)
        await connection.execute(
            _INSERT,
            issued.serial,
            issued.fingerprint,
            now,
            issued.not_after,
            revision,
            device,
        )
        told = {"serial": issued.serial, "not_after": issued.not_after.isoformat()}
        await connection.execute(_AUDIT, now, actor, "create", device, told)


async def revoke_certificate(
    connection: Connection, device: str, serial: str, *, actor: str, now: dt.datetime
) -> None:
    """The broker refuses it and ends the device's session within seconds.

    Raises:
        UnknownPublisherError, UnknownCertificateError
    """
    async with connection.transaction():
        await locked_publishers(connection, [device])
        revision = await connection.fetchval(sql.NEXT_REVISION)
        if not await connection.fetchval(_REVOKE_ONE, serial, now, revision, device):
            raise UnknownCertificateError
        told = {"serial": serial}
        await connection.execute(_AUDIT, now, actor, "revoke", device, told)


async def certificates_of(connection: Connection, device: str) -> list[Certificate]:
    return [Certificate(**row) for row in await connection.fetch(_OF_DEVICE, device)]


async def refused_serials(connection: Connection, now: dt.datetime) -> frozenset[str]:
    """What the revocation list must hold: what has expired is refused anyway."""
    return frozenset(row["serial"] for row in await connection.fetch(_REFUSED, now))


async def sessions_to_end(
    connection: Connection, now: dt.datetime
) -> list[tuple[str, str]]:
    """(serial, device id) of what is valid no more and may still have a session."""
    await connection.execute(_LIVE_AGAIN, now)
    rows = await connection.fetch(_TO_END, now)
    return [(row["serial"], row["key"]) for row in rows]


async def mark_ended(
    connection: Connection, serials: Sequence[str], now: dt.datetime
) -> None:
    await connection.execute(_ENDED, list(serials), now)
