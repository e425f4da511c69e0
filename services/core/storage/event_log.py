"""The event log: append in the transaction that makes it true, read in order from a cursor, wake on commit.

This is the seam where a distributed log takes over when one machine is not enough: keep it narrow.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, Literal

import asyncpg

from services.core.errors import CursorTooOldError, WriterFencedError
from services.core.storage.one_round_trip import Row
from services.core.storage.pool import Connection

Stream = Literal["observations", "alerts"]
WAKE_CHANNEL: Final = "event_log"
_POLL_SECONDS: Final = 1.0
_BEGINNING: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_POSTGRES_EPOCH: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_INT4, _INT8 = Struct(">i"), Struct(">q")

# A writer that is fenced finds no place: its entry is in no stream, which the table refuses, and the transaction with it.
APPEND: Final = """
WITH place AS (
    UPDATE log_streams
    SET last_batch = last_batch + 1, logged_at = greatest(logged_at, $3), received = received + $7
    WHERE stream = $1 AND ($2::bigint IS NULL OR writer_epoch = $2)
    RETURNING stream, last_batch, logged_at, received
)
INSERT INTO event_log (stream, batch, logged_at, caught_up, waiting, body, received_through)
SELECT stream, coalesce(last_batch, 0), coalesce(logged_at, $3), $4, $5, $6, received
FROM (VALUES (true)) AS one LEFT JOIN place ON true
RETURNING batch, logged_at
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """All batches up to this one are done. logged_at bounds the chunks that a read touches."""

    batch: int = 0
    logged_at: dt.datetime = _BEGINNING


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A batch to append. It is logged at now, or at the last batch's time when the clock fell back.

    received: items whose fate it tells; the stream's running sum of them is kept beside it.
    """

    body: bytes
    now: dt.datetime
    caught_up: bool = True
    waiting: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    batch: int
    logged_at: dt.datetime
    caught_up: bool
    waiting: int
    body: bytes

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.batch, self.logged_at)


@dataclass(frozen=True, slots=True)
class Writer:
    """The one writer of a stream, as of its epoch. last_batch: what was committed when it took over."""

    stream: Stream
    epoch: int
    last_batch: int


async def take_over(connection: Connection, stream: Stream) -> Writer:
    """Become the stream's writer: waits for a running append of the former one, then fences it off.

    last_batch tells a writer that lost its connection in COMMIT whether that commit succeeded.
    """
    row = await connection.fetchrow(
        "UPDATE log_streams SET writer_epoch = writer_epoch + 1 WHERE stream = $1 RETURNING writer_epoch, last_batch",
        stream,
    )
    return Writer(stream, row["writer_epoch"], row["last_batch"])


async def append(
    connection: Connection,
    stream: Stream,
    entry: NewEntry,
    *,
    writer_epoch: int | None = None,
) -> Cursor:
    """Append one batch inside the caller's transaction; the caller wakes consumers after its commit.

    The stream's row stays locked until the transaction ends, so numbers are dense and in commit order.

    Raises:
        WriterFencedError: writer_epoch is not the stream's any more.
    """
    try:
        row = await connection.fetchrow(
            APPEND,
            stream,
            writer_epoch,
            entry.now,
            entry.caught_up,
            entry.waiting,
            entry.body,
            entry.received,
        )
    except asyncpg.NotNullViolationError as error:
        if is_fence(error):
            raise WriterFencedError from None
        raise
    return Cursor(row["batch"], row["logged_at"])


def is_fence(error: BaseException) -> bool:
    """Whether APPEND failed because another writer has taken over."""
    return (
        isinstance(error, asyncpg.NotNullViolationError)
        and error.column_name == "stream"
    )


def encode_entry(
    stream: Stream, entry: NewEntry, writer_epoch: int
) -> list[bytes | None]:
    """APPEND's parameters in PostgreSQL's binary formats."""
    return [
        stream.encode(),
        _INT8.pack(writer_epoch),
        _INT8.pack((entry.now - _POSTGRES_EPOCH) // _MICROSECOND),
        bytes([entry.caught_up]),
        _INT4.pack(entry.waiting),
        entry.body,
        _INT8.pack(entry.received),
    ]


def decode_place(row: Row) -> Cursor:
    """What APPEND returns, in the binary formats."""
    (batch,), (microseconds,) = (_INT8.unpack(value or b"") for value in row)
    return Cursor(batch, _POSTGRES_EPOCH + microseconds * _MICROSECOND)


async def begin_counting(connection: Connection, stream: Stream, received: int) -> None:
    """Set the running sum of a stream that was not counted yet to what its batches so far add up to."""
    await connection.execute(
        "UPDATE log_streams SET received = $2 WHERE stream = $1 AND received IS NULL",
        stream,
        received,
    )


async def wake_consumers(connection: Connection, stream: Stream) -> None:
    """After the commit, and never inside the transaction: there it halves the commits."""
    await connection.execute("SELECT pg_notify($1, $2)", WAKE_CHANNEL, stream)


async def read(
    connection: Connection, stream: Stream, after: Cursor, limit: int = 100
) -> Sequence[LogEntry]:
    """The next batches after a cursor, in order; none: nothing new.

    Raises:
        CursorTooOldError: what comes next was dropped; rebuild from the tables, then start at tail().
    """
    rows = await connection.fetch(
        """
        SELECT batch, logged_at, caught_up, waiting, body FROM event_log
        WHERE stream = $1 AND batch > $2 AND logged_at >= $3
        ORDER BY batch LIMIT $4
        """,
        stream,
        after.batch,
        after.logged_at,
        limit,
    )
    if rows and rows[0]["batch"] != after.batch + 1:
        raise CursorTooOldError
    return [LogEntry(*row) for row in rows]


async def tail(connection: Connection, stream: Stream) -> Cursor:
    """The cursor of the newest committed batch."""
    row = await connection.fetchrow(
        "SELECT last_batch, nullif(logged_at, '-infinity') AS logged_at FROM log_streams WHERE stream = $1",
        stream,
    )
    return Cursor(row["last_batch"], row["logged_at"] or _BEGINNING)


async def load_cursor(
    connection: Connection, consumer: str, stream: Stream
) -> Cursor | None:
    row = await connection.fetchrow(
        "SELECT batch, logged_at FROM log_cursors WHERE consumer = $1 AND stream = $2",
        consumer,
        stream,
    )
    return None if row is None else Cursor(row["batch"], row["logged_at"])


async def save_cursor(
    connection: Connection, consumer: str, stream: Stream, cursor: Cursor
) -> None:
    """Inside the transaction that holds what the consumer made of the batches."""
    await connection.execute(
        """
        INSERT INTO log_cursors (consumer, stream, batch, logged_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (consumer, stream) DO UPDATE SET batch = excluded.batch, logged_at = excluded.logged_at
        """,
        consumer,
        stream,
        cursor.batch,
        cursor.logged_at,
    )


async def follow(
    connection: Connection,
    stream: Stream,
    after: Cursor,
    *,
    limit: int = 100,
    rest: float = 0.0,
) -> AsyncGenerator[Sequence[LogEntry], None]:
    """Endless: the next batches as they come, many a wake-up; polls every second, as a wake-up is only a hint.

    rest: seconds without a look after each, for those who need not be the first: reading two batches costs as much
    as one. The connection is the follower's own. Raises what read() raises.
    """
    wake = asyncio.Event()

    def on_notice(
        _connection: object, _pid: int, _channel: str, notified_stream: object
    ) -> None:
        if notified_stream == stream:
            wake.set()

    await connection.add_listener(WAKE_CHANNEL, on_notice)
    try:
        while True:
            wake.clear()
            if entries := await read(connection, stream, after, limit):
                after = entries[-1].cursor
                yield entries
                await asyncio.sleep(rest if len(entries) < limit else 0)
                continue
            try:
                await asyncio.wait_for(wake.wait(), _POLL_SECONDS)
            except TimeoutError:
                continue
    finally:
        if not connection.is_closed():
            await connection.remove_listener(WAKE_CHANNEL, on_notice)
