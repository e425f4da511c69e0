"""Brings a database to this version's schema; safe to run again and side by side."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from services.core.storage.pool import connect

_FOLDER = Path(__file__).parent
_MIGRATION_LOCK = 0x616C61746175  # "alatau"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER / "migrations"))
    return config


def _engine_url(dsn: str) -> str:
    return "postgresql+asyncpg://" + dsn.split("://", 1)[1]


def _upgrade(connection: SyncConnection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(dsn: str) -> None:
    """Run what is missing, each migration in a transaction, one process at a time; then the grants."""
    guard = await connect(dsn, "migrate")
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await guard.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        engine = create_async_engine(_engine_url(dsn), poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, _config())
        await engine.dispose()
        await guard.execute(
            (_FOLDER / "schema" / "grants.sql").read_text(encoding="utf-8")
        )
    finally:
        await guard.close()


async def schema_version(dsn: str) -> tuple[str | None, str | None]:
    """(the database's migration, the newest this version knows); None: not migrated at all."""
    newest = await asyncio.to_thread(
        lambda: ScriptDirectory.from_config(_config()).get_current_head()
    )
    connection = await connect(dsn, "migrate")
    try:
        if not await connection.fetchval(
            "SELECT to_regclass('alembic_version') IS NOT NULL"
        ):
            return None, newest
        return await connection.fetchval(
            "SELECT version_num FROM alembic_version"
        ), newest
    finally:
        await connection.close()
