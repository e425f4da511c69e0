"""SQL of the health check."""

import datetime as dt
from dataclasses import dataclass

from services.core.storage.event_log import tail
from services.core.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class Vitals:
    """migration: None before the first. logged_at: of ingest's newest batch, None before the first."""

    migration: str | None
    logged_at: dt.datetime | None


async def read_vitals(connection: Connection) -> Vitals:
    if not await connection.fetchval(
        "SELECT to_regclass('alembic_version') IS NOT NULL"
    ):
        return Vitals(None, None)
    migration = await connection.fetchval("SELECT version_num FROM alembic_version")
    newest = await tail(connection, "observations")
    return Vitals(migration, newest.logged_at if newest.batch else None)
