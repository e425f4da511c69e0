"""What publishers sign webhooks with, in the registry; the HTTPS door reads it by a function of its own."""

import datetime as dt
from typing import Final

from services.core.broker.passwords import new_secret
from services.core.errors import PlatformError
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection

_ISSUE: Final = """
INSERT INTO webhook_secrets (device_id, secret, issued_at)
SELECT device_id, $2, $3 FROM devices JOIN credentials USING (device_id)
WHERE key = $1 AND publishes AND retired_at IS NULL AND revoked_at IS NULL
ON CONFLICT (device_id) DO UPDATE SET secret = excluded.secret, issued_at = excluded.issued_at
RETURNING device_id
"""
_AUDIT: Final = "INSERT INTO audit (at, actor, action, entity, entity_key) VALUES ($1, $2, 'rotate', 'webhook_secrets', $3)"


class NoPublisherError(PlatformError):
    """No such publisher, or its credentials are revoked."""

    remedy = "`alatau devices list` shows who may publish; `alatau devices add` issues credentials anew."


async def issue_webhook_secret(
    connection: Connection, key: str, *, actor: str, now: dt.datetime
) -> str:
    """A new one, which ends the old one; shown once.

    Raises:
        NoPublisherError
    """
    secret = new_secret()
    async with connection.transaction():
        await connection.execute(sql.LOCK)
        if await connection.fetchval(_ISSUE, key, secret, now) is None:
            raise NoPublisherError(f"No publisher with credentials in force: {key}")
        await connection.execute(sql.NEXT_REVISION)
        await connection.execute(_AUDIT, now, actor, key)
    return secret
