"""A transaction that is sent at once does all or nothing, and leaves asyncpg's connection as it was."""

import asyncio
import struct
from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest

from services.core.storage.copy_format import Column, Type, encode_parts
from services.core.storage.one_round_trip import Transaction
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient
from tests.integration.ingest_stage import until

pytestmark = pytest.mark.integration

INSERT = "INSERT INTO notes VALUES ($1, $2) RETURNING number, text"
SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
)
WAIT = "SELECT pg_advisory_xact_lock($1)"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, "test")
    await connection.execute(
        "CREATE TABLE rows (a integer PRIMARY KEY, b float8[]);"
        "CREATE TABLE notes (number bigint CHECK (number > 0), text text)"
    )
    yield connection
    connection.terminate()


def rows(*numbers: int, slots: int = 1) -> bytes:
    columns = [
        Column(Type.INT4, np.array(numbers)),
        Column(Type.FLOAT8, np.full((len(numbers), slots), 0.5)),
    ]
    return b"".join(encode_parts([columns]))


def number(value: int) -> bytes:
    return struct.pack(">q", value)


async def stored(connection: Connection) -> tuple[int, int]:
    """(rows, notes); asked by asyncpg, which also shows that the connection is its own again."""
    found = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM notes)"
    )
    assert not connection.is_in_transaction()
    return tuple(found)


async def test_all_of_it_is_committed_and_answered(connection: Connection) -> None:
    insert = await connection.prepare(INSERT)
    transaction = Transaction()
    transaction.copy("rows", ("a", "b"), rows(1, 2, 3))
    transaction.execute(insert.get_name(), [number(7), None])
    transaction.execute(insert.get_name(), [number(8), "әлем".encode()])
    copied, first, second = await transaction.commit(connection)
    assert (copied.tag, copied.row) == ("COPY 3", None)
    assert (first.tag, first.row) == ("INSERT 0 1", (number(7), None))
    assert second.row == (number(8), "әлем".encode())
    assert await stored(connection) == (3, 2)


async def test_more_than_the_sockets_hold_is_sent_and_answers_come_in_parts(
    connection: Connection,
) -> None:
    insert = await connection.prepare(INSERT)
    long = b"x" * 3_000_000
    transaction = Transaction()
    transaction.copy("rows", ("a", "b"), rows(*range(20_000), slots=50))
    transaction.execute(insert.get_name(), [number(1), long])
    copied, inserted = await transaction.commit(connection)
    assert copied.tag == "COPY 20000"
    assert inserted.row == (number(1), long)
    assert await stored(connection) == (20_000, 1)


async def test_the_first_error_is_told_and_nothing_is_done(
    connection: Connection,
) -> None:
    insert = await connection.prepare(INSERT)
    transaction = Transaction()
    transaction.copy("rows", ("a", "b"), rows(1, 2))
    transaction.execute(insert.get_name(), [number(-1), None])
    with pytest.raises(asyncpg.CheckViolationError) as failed:
        await transaction.commit(connection)
    assert failed.value.constraint_name == "notes_number_check"
    assert await stored(connection) == (0, 0)
    transaction = Transaction()
    transaction.copy("rows", ("a", "b"), rows(1, 1))
    transaction.execute(insert.get_name(), [number(1), None])
    with pytest.raises(asyncpg.UniqueViolationError):
        await transaction.commit(connection)
    assert await stored(connection) == (0, 0)


async def test_a_table_that_does_not_take_the_rows_at_all(
    connection: Connection,
) -> None:
    transaction = Transaction()
    transaction.copy("no_such_table", ("a", "b"), rows(1, 2))
    with pytest.raises(asyncpg.UndefinedTableError):
        await transaction.commit(connection)
    assert await stored(connection) == (0, 0)


async def waiting_for_a_lock(
    connection: Connection, other: Connection
) -> asyncio.Task[object]:
    """A transaction of connection's that waits for other."""
    await other.execute("SELECT pg_advisory_lock(1)")
    wait = await connection.prepare(WAIT)
    transaction = Transaction()
    transaction.copy("rows", ("a", "b"), rows(1))
    transaction.execute(wait.get_name(), [number(1)])
    committing = asyncio.create_task(transaction.commit(connection))
    await until(lambda: other.fetchval(SOMEBODY_WAITS))
    return committing


async def test_a_session_that_the_server_ends(
    connection: Connection, database_url: str
) -> None:
    other = await connect(database_url, "test-other")
    committing = await waiting_for_a_lock(connection, other)
    backend = connection.get_server_pid()
    await other.execute("SELECT pg_terminate_backend($1, 5000)", backend)
    with pytest.raises(asyncpg.AdminShutdownError) as ended:
        await committing
    assert is_transient(ended.value)
    assert await stored(other) == (0, 0)
    assert connection.is_closed()
    with pytest.raises(asyncpg.InterfaceError):
        await Transaction().commit(connection)
    await other.close()


@pytest.mark.parametrize("how", ["cut", "cancelled"])
async def test_a_connection_that_we_give_up(
    connection: Connection, database_url: str, how: str
) -> None:
    """What was sent is committed all the same: who gives up has to look."""
    other = await connect(database_url, "test-other")
    committing = await waiting_for_a_lock(connection, other)
    if how == "cut":
        connection.terminate()
        with pytest.raises(asyncpg.ConnectionDoesNotExistError) as lost:
            await committing
        assert is_transient(lost.value)
    else:
        committing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await committing
    assert connection.is_closed()
    await other.execute("SELECT pg_advisory_unlock(1)")

    async def is_committed() -> bool:
        return await stored(other) == (1, 0)

    await until(is_committed)
    await other.close()
