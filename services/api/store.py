"""The database as the API uses it: a read-only pool with a time limit, a small one for writing, connections for followers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg

from services.api.failures import QueryTooSlowError
from services.core.errors import StorageUnavailableError
from services.core.storage.pool import Connection, Pool, connect, open_pool
from services.core.storage.transient import is_transient

_ACQUIRE_SECONDS: Final = 5.0
_WRITING_SESSION: Final = {"statement_timeout": "10000", "lock_timeout": "3000"}


class Reader:
    """Connections that read, each query for so long at most."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        with _said_plainly():
            async with self._pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                yield connection


class Database(Reader):
    """Operators' connections. public: the open doors', so that a crowd there keeps no operator waiting.

    Raises StorageUnavailableError and QueryTooSlowError for what the server cannot do now.
    """

    def __init__(self, dsn: str, reading: Pool, public: Pool, writing: Pool) -> None:
        super().__init__(reading)
        self.public = Reader(public)
        self._dsn = dsn
        self._writing = writing

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """Whoever writes opens the transaction."""
        with _said_plainly():
            async with self._writing.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                yield connection

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Connection]:
        """A connection of its own for a follower of the log."""
        with _said_plainly():
            connection = await connect(self._dsn, "api-live")
            try:
                yield connection
            finally:
                await connection.close(timeout=_ACQUIRE_SECONDS)


@asynccontextmanager
async def open_database(dsn: str) -> AsyncIterator[Database]:
    async with (
        await open_pool(dsn, "api", largest=8, session=_session(10_000)) as reading,
        await open_pool(dsn, "api-open", largest=4, session=_session(5_000)) as public,
        await open_pool(
            dsn, "api-write", largest=2, session=_WRITING_SESSION
        ) as writing,
    ):
        yield Database(dsn, reading, public, writing)


def _session(query_ms: int) -> dict[str, str]:
    return {
        "default_transaction_read_only": "on",
        "statement_timeout": str(query_ms),
        # Time bounds as constants: whole chunks are left out while planning.
        "plan_cache_mode": "force_custom_plan",
        "jit": "off",
    }


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise QueryTooSlowError from error
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
        TimeoutError,
    ) as error:
        if is_transient(error):
            raise StorageUnavailableError from error
        raise
