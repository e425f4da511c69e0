"""Publishers' credentials in the registry, from which the broker's password file is written."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.core.city.near import near
from services.core.errors import PlatformError
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection

_PUBLISHERS = """
SELECT d.key, t.key AS device_type, th.key AS thing, c.issued_at, c.revoked_at,
       (SELECT count(*) FROM device_hosts h WHERE h.gateway_id = d.device_id AND h.retired_at IS NULL) AS hosts,
       (SELECT count(*) FROM certificates x
        WHERE x.device_id = d.device_id AND x.revoked_at IS NULL AND x.not_after > now()) AS certificates
FROM devices d
LEFT JOIN device_types t USING (device_type_id)
LEFT JOIN things th USING (thing_id)
LEFT JOIN credentials c USING (device_id)
WHERE d.publishes AND d.retired_at IS NULL
ORDER BY d.key
"""
_ACTIVE = """
SELECT d.key, CASE WHEN r.on_trial THEN r.secret_hash ELSE c.secret_hash END AS secret_hash
FROM credentials c JOIN devices d USING (device_id) LEFT JOIN rotations r USING (device_id)
WHERE c.revoked_at IS NULL AND d.retired_at IS NULL AND d.publishes
"""
_ISSUE = """
WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w (key, secret_hash))
INSERT INTO credentials (device_id, secret_hash, issued_at, revoked_at, revision)
SELECT d.device_id, w.secret_hash, $3, NULL, $4
FROM wanted w JOIN devices d USING (key)
ON CONFLICT (device_id) DO UPDATE
SET secret_hash = excluded.secret_hash, issued_at = excluded.issued_at, revoked_at = NULL, revision = excluded.revision
"""
_REVOKE = """
UPDATE credentials c SET revoked_at = $2, revision = $3
FROM devices d
WHERE d.device_id = c.device_id AND d.key = ANY ($1) AND c.revoked_at IS NULL
"""
_REVOKE_CERTIFICATES = """
UPDATE certificates c SET revoked_at = $2, revision = $3
FROM devices d
WHERE d.device_id = c.device_id AND d.key = ANY ($1) AND c.revoked_at IS NULL
"""
_END_ROTATIONS = """
DELETE FROM rotations r USING devices d WHERE d.device_id = r.device_id AND d.key = ANY ($1)
"""
_END_WEBHOOKS = """
DELETE FROM webhook_secrets w USING devices d WHERE d.device_id = w.device_id AND d.key = ANY ($1) RETURNING d.key
"""
_HOSTED = "SELECT key FROM devices WHERE key = ANY ($1) AND NOT publishes AND retired_at IS NULL ORDER BY key"
_AUDIT = """
INSERT INTO audit (at, actor, action, entity, entity_key)
SELECT $2, $3, $4, $5, key FROM unnest($1::text[]) AS key
"""


class UnknownPublisherError(PlatformError):
    """No such publisher in the registry."""

    remedy = (
        "`alatau devices add KEY --type DEVICE_TYPE --thing THING` registers a new one; `alatau devices list` shows"
        " all there are. Hosted devices have no credentials, their gateway has."
    )


class CredentialsExistError(PlatformError):
    """There are credentials already."""

    remedy = "`alatau devices rotate` replaces them; the device must then be given the new secret."


class NoCredentialsError(PlatformError):
    """There are no credentials."""

    remedy = "`alatau devices add` issues them."


@dataclass(frozen=True, slots=True)
class Publisher:
    """issued_at, revoked_at: of its secret; None: it never had one. certificates: that are valid now."""

    key: str
    device_type: str | None
    thing: str | None
    hosts: int
    issued_at: dt.datetime | None
    revoked_at: dt.datetime | None
    certificates: int = 0

    @property
    def has_secret(self) -> bool:
        return self.issued_at is not None and self.revoked_at is None

    @property
    def may_connect(self) -> bool:
        return self.has_secret or self.certificates > 0


async def registry_revision(connection: Connection) -> int:
    revision: int = await connection.fetchval(sql.REVISION)
    return revision


async def active_hashes(connection: Connection) -> dict[str, str]:
    """Device id to hash, of all who may connect with a secret: the one that is in force now."""
    rows = await connection.fetch(_ACTIVE)
    return {row["key"]: row["secret_hash"] for row in rows}


async def list_publishers(connection: Connection) -> list[Publisher]:
    rows = await connection.fetch(_PUBLISHERS)
    return [Publisher(**row) for row in rows]


async def issue(
    connection: Connection,
    hashes: Mapping[str, str],
    *,
    replace: bool,
    actor: str,
    now: dt.datetime,
) -> None:
    """Give publishers their first secrets, or with replace new ones at once: all or none.

    Raises:
        UnknownPublisherError, CredentialsExistError, NoCredentialsError
    """
    async with connection.transaction():
        known = await locked_publishers(connection, list(hashes))
        if replace:
            refuse_without(known)
        else:
            _refuse_with(known)
            # What it signed with before it was revoked must not come back into force.
            await _end_webhooks(connection, list(hashes), actor, now)
        await connection.execute(_END_ROTATIONS, list(hashes))
        revision = await connection.fetchval(sql.NEXT_REVISION)
        await connection.execute(
            _ISSUE, list(hashes), list(hashes.values()), now, revision
        )
        action = "rotate" if replace else "create"
        await audit(connection, list(hashes), action, actor, now)


async def revoke(
    connection: Connection, keys: Sequence[str], *, actor: str, now: dt.datetime
) -> None:
    """Secrets, certificates and what webhooks are signed with: the broker ends their sessions within a second or two.

    Raises:
        UnknownPublisherError, NoCredentialsError
    """
    async with connection.transaction():
        known = await locked_publishers(connection, keys)
        if wrong := [entry.key for entry in known if not entry.may_connect]:
            raise NoCredentialsError(f"Without credentials: {_some(wrong)}")
        revision = await connection.fetchval(sql.NEXT_REVISION)
        await connection.execute(_END_ROTATIONS, list(keys))
        await connection.execute(_REVOKE, list(keys), now, revision)
        await connection.execute(_REVOKE_CERTIFICATES, list(keys), now, revision)
        await audit(connection, keys, "revoke", actor, now)
        await _end_webhooks(connection, keys, actor, now)


async def audit(
    connection: Connection,
    keys: Sequence[str],
    action: str,
    actor: str,
    now: dt.datetime,
) -> None:
    await connection.execute(_AUDIT, list(keys), now, actor, action, "credentials")


async def _end_webhooks(
    connection: Connection, keys: Sequence[str], actor: str, now: dt.datetime
) -> None:
    rows = await connection.fetch(_END_WEBHOOKS, list(keys))
    ended = [row["key"] for row in rows]
    await connection.execute(_AUDIT, ended, now, actor, "revoke", "webhook_secrets")


async def locked_publishers(
    connection: Connection, keys: Sequence[str]
) -> list[Publisher]:
    """The revision's row is the registry's lock: one change at a time.

    Raises:
        UnknownPublisherError: some are none.
    """
    await connection.execute(sql.LOCK)
    found = {
        publisher.key: publisher for publisher in await list_publishers(connection)
    }
    missing = [key for key in keys if key not in found]
    if missing:
        hosted = await connection.fetch(_HOSTED, missing)
        if hosted:
            named = _some([row["key"] for row in hosted])
            raise UnknownPublisherError(f"Hosted, so without credentials: {named}")
        suggested = near(missing[0], found) if len(missing) == 1 else ""
        raise UnknownPublisherError(f"No such publisher: {_some(missing)}{suggested}")
    return [found[key] for key in keys]


def refuse_without(publishers: Sequence[Publisher]) -> None:
    """Raises NoCredentialsError: some have no secret."""
    if wrong := [entry.key for entry in publishers if not entry.has_secret]:
        raise NoCredentialsError(f"Without a secret: {_some(wrong)}")


def _refuse_with(publishers: Sequence[Publisher]) -> None:
    if wrong := [entry.key for entry in publishers if entry.has_secret]:
        raise CredentialsExistError(f"With a secret already: {_some(wrong)}")


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown  # noqa: PLR2004
