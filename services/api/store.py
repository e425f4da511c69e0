"""The database as the API uses it: a read-only pool with a time limit, a small one for writing, connections for followers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from services.api.failures import QueryTooSlowError
from services.core.errors import StorageUnavailableError
from services.core.storage.pool import Connection, Pool, connect, open_pool
from services.core.storage.transient import is_transient

_QUERY_MS = 10_000
_ACQUIRE_SECONDS = 5.0
_READING_SESSION = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(_QUERY_MS),
    # Time bounds as constants: whole chunks are left out while planning.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
}
_WRITING_SESSION = {"statement_timeout": str(_QUERY_MS), "lock_timeout": "3000"}


class Database:
    """Raises StorageUnavailableError and QueryTooSlowError for what the server cannot do now."""

    def __init__(self, dsn: str, reading: Pool, writing: Pool) -> None:
        self._dsn = dsn
        self._reading = reading
        self._writing = writing

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        with _said_plainly():
            async with self._reading.acquire(timeout=_ACQUIRE_SECONDS) as connection:
                yield connection

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
        await open_pool(dsn, "api", largest=8, session=_READING_SESSION) as reading,
        await open_pool(
            dsn, "api-write", largest=2, session=_WRITING_SESSION
        ) as writing,
    ):
        yield Database(dsn, reading, writing)


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
