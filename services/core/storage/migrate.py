"""Brings a database to this version's schema; safe to run again and side by side.

Alembic is loaded only where there is something to migrate: it takes as long to load as a service to start.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.core.storage.pool import Connection, connect

if TYPE_CHECKING:
    from sqlalchemy import Connection as SyncConnection

_FOLDER: Final = Path(__file__).parent
_MIGRATIONS: Final = _FOLDER / "migrations"
_MIGRATION_LOCK = 0x616C61746175  # "alatau"


async def migrate(dsn: str) -> None:
    """Run what is missing, each migration in a transaction, one process at a time; then the grants."""
    guard = await connect(dsn, "migrate")
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await guard.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        if await _applied(guard) != newest_schema():
            await _upgrade(dsn)
        await guard.execute(
            (_FOLDER / "schema" / "grants.sql").read_text(encoding="utf-8")
        )
    finally:
        await guard.close()


async def _upgrade(dsn: str) -> None:
    from alembic import command  # noqa: PLC0415 # see above
    from alembic.config import Config  # noqa: PLC0415 # see above
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 # see above
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 # see above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))

    def upgrade(connection: "SyncConnection") -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    url = "postgresql+asyncpg://" + dsn.split("://", 1)[1]
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


def newest_schema() -> str:
    """The newest migration this version knows, e.g. "0002"."""
    return max(
        found[1]
        for path in (_MIGRATIONS / "versions").iterdir()
        if (found := re.fullmatch(r"m(\d{4})_\w+\.py", path.name))
    )


async def schema_version(dsn: str) -> tuple[str | None, str]:
    """(the database's migration, the newest this version knows); None: not migrated at all."""
    connection = await connect(dsn, "migrate")
    try:
        return await _applied(connection), newest_schema()
    finally:
        await connection.close()


async def _applied(connection: Connection) -> str | None:
    if not await connection.fetchval(
        "SELECT to_regclass('alembic_version') IS NOT NULL"
    ):
        return None
    applied: str | None = await connection.fetchval(
        "SELECT version_num FROM alembic_version"
    )
    return applied
