"""Connections to PostgreSQL: one place for session settings and codecs."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import asyncpg

from services.core.errors import StorageUnavailableError

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = asyncpg.Pool

_NO_ENTRY: Final = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


async def _prepare(connection: Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind,
            schema="pg_catalog",
            encoder=json.dumps,
            decoder=json.loads,
            format="text",
        )


def _session(application: str) -> dict[str, Any]:
    return {"application_name": f"alatau-{application}", "timezone": "UTC"}


async def connect(dsn: str, application: str) -> Connection:
    """One connection; times are UTC, json and jsonb are Python values.

    Raises:
        StorageUnavailableError: there is no server, or it does not let us in.
    """
    try:
        connection = await asyncpg.connect(dsn, server_settings=_session(application))
    except _NO_ENTRY as error:
        raise StorageUnavailableError(
            f"The database does not answer: {error}"
        ) from error
    await _prepare(connection)
    return connection


async def open_pool(
    dsn: str,
    application: str,
    *,
    largest: int = 4,
    session: Mapping[str, str] | None = None,
) -> Pool:
    """A pool of such connections; one is opened at once, so a wrong DSN fails here.

    session: settings of the server for each connection, such as statement_timeout.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=largest,
        init=_prepare,
        server_settings={**_session(application), **(session or {})},
    )
