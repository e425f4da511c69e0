"""Connections to PostgreSQL: one place for session settings and codecs."""

import json
import socket
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

# The kernel's own patience with a peer that is silently gone is a quarter of an hour. A server that is merely
# slow is none: its kernel answers.
_DEAD_PEER: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4),  # seconds
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),  # ms, of what was sent
)


async def _prepare(connection: Connection) -> None:
    _notice_dead_peer(connection)
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind,
            schema="pg_catalog",
            encoder=json.dumps,
            decoder=json.loads,
            format="text",
        )


def _notice_dead_peer(connection: Connection) -> None:
    """A peer that the network has lost breaks the connection within ten seconds; asyncpg has no setting for it."""
    link = connection._transport.get_extra_info("socket")  # noqa: SLF001 # see above
    if link.family != socket.AF_UNIX:
        for option in _DEAD_PEER:
            link.setsockopt(*option)


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
