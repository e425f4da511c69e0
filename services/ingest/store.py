"""The only SQL that writes observations, their changes, rejected messages and the observations stream."""

import asyncio
import contextlib
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from typing import Any, Final

import asyncpg
import structlog
from asyncpg.prepared_stmt import PreparedStatement

from services.core.city.quality import ALL_GOOD
from services.core.clock import from_milliseconds, to_milliseconds
from services.core.errors import WriterFencedError
from services.core.storage.event_log import (
    APPEND,
    Cursor,
    NewEntry,
    Writer,
    append,
    decode_place,
    encode_entry,
    is_fence,
    take_over,
)
from services.core.storage.one_round_trip import Transaction
from services.core.storage.pool import Connection, connect
from services.core.storage.texts import storable
from services.ingest.inbox import Inbox
from services.ingest.merge import Change, Key, Known, Place, Row
from services.ingest.pgcopy import COLUMNS, encode_rows
from services.ingest.plan import Plan
from services.ingest.resolve import Answer

log = structlog.get_logger()

_WRITER_LOCK: Final = 0x696E67657374  # "ingest"
_DAY_MS: Final = 86_400_000
_REOPEN_SECONDS: Final = 30.0
_DATA_ERROR_CLASSES: Final = frozenset({"22", "23"})

_LOAD_ROWS: Final = """
SELECT o.frame_id, wanted.time_ms, o.results, o.quality
FROM unnest($1::integer[], $2::bigint[]) AS wanted (frame_id, time_ms)
JOIN observations o ON o.frame_id = wanted.frame_id
                   AND o.phenomenon_time = timestamptz 'epoch' + wanted.time_ms * interval '1 ms'
WHERE o.phenomenon_time >= $3 AND o.phenomenon_time < $4
"""
# By the index, however many changes there are by now; who revises one moment without end must not hold up the others.
_LOAD_PAST: Final = """
SELECT asked.frame_id, asked.time_ms, asked.slot, known.old, known.old_quality, known.new, known.new_quality
FROM unnest($1::integer[], $2::bigint[], $3::smallint[]) AS asked (frame_id, time_ms, slot)
CROSS JOIN LATERAL (
    SELECT * FROM observation_changes c
    WHERE c.frame_id = asked.frame_id AND c.slot = asked.slot
      AND c.phenomenon_time = timestamptz 'epoch' + asked.time_ms * interval '1 ms' LIMIT 1000) AS known
"""
_UPSERT: Final = """
INSERT INTO observations (frame_id, phenomenon_time, results, quality, ingested_at)
SELECT frame_id, phenomenon_time, results, quality, ingested_at FROM late_rows
ON CONFLICT (frame_id, phenomenon_time) DO UPDATE SET results = excluded.results, quality = excluded.quality
"""
_LEARN: Final = """
INSERT INTO format_memory (format, key, body, learned_at)
SELECT format, key, body, $4 FROM unnest($1::text[], $2::text[], $3::bytea[]) AS learned (format, key, body)
ON CONFLICT (format, key) DO UPDATE SET body = excluded.body, learned_at = excluded.learned_at
"""
_ANSWER: Final = """
UPDATE commands c SET answered_at = $5, ok = a.ok, detail = a.detail, sealed = NULL
FROM unnest($1::bigint[], $2::integer[], $3::boolean[], $4::text[]) AS a (command_id, device_id, ok, detail)
WHERE c.command_id = a.command_id AND c.device_id = a.device_id AND c.answered_at IS NULL
"""
_CHANGES_COLUMNS: Final = (
    "frame_id",
    "slot",
    "phenomenon_time",
    "old",
    "new",
    "known_at",
    "who",
    "why",
    "old_quality",
    "new_quality",
)


def is_data_error(error: BaseException) -> bool:
    """Whether the statement's own data is to blame: without the bad row the rest can be stored."""
    return (
        isinstance(error, asyncpg.PostgresError)
        and (error.sqlstate or "")[:2] in _DATA_ERROR_CLASSES
    )


def is_duplicate_key(error: BaseException) -> bool:
    return isinstance(error, asyncpg.UniqueViolationError)


class Store:
    """Ingest's one writing connection: it holds the lock of the one writer, and the fence of the stream."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._inbox = Inbox()
        self._session: _Session | None = None
        self._former: _Session | None = None
        self.writer = Writer("observations", 0, 0)

    async def open(self) -> None:
        """Connect and become the one writer; waits while another ingest is it."""
        session = await _Session.begin(self._dsn)
        try:
            if not await session.try_lock():
                log.info("another ingest is at work; waiting", action="wait_for_lock")
                await session.lock()
            self.writer = await take_over(session.connection, "observations")
        except BaseException:
            session.connection.terminate()
            raise
        self._session = session

    async def reopen(self) -> bool:
        """After trouble: whether the batch that was being written is committed after all.

        What an earlier session of ours still does is ended, or waited for by the fence.

        Raises:
            WriterFencedError: another ingest took over meanwhile.
        """
        if self._session is not None:
            self._session.connection.terminate()
            self._former, self._session = self._session, None
        async with asyncio.timeout(_REOPEN_SECONDS):
            session = await _Session.begin(self._dsn)
            try:
                before, now = self.writer, await session.take_over_from(self._former)
            except BaseException:
                session.connection.terminate()
                raise
        self._session, self.writer = session, now
        if now.epoch != before.epoch + 1 or now.last_batch > before.last_batch + 1:
            raise WriterFencedError
        is_committed = now.last_batch == before.last_batch + 1
        if is_committed:
            self._inbox.committed()
        return is_committed

    async def close(self) -> None:
        if self._session is not None:
            await self._session.connection.close()

    @contextlib.contextmanager
    def giving_up_after(self, seconds: float) -> Iterator[None]:
        """Cut the connection when the block takes longer: half-open, it would let us wait for ever."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, self._cut, seconds)
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self, seconds: float) -> None:
        log.warning("no answer from the database", action="cut", seconds=seconds)
        if self._session is not None:
            self._session.connection.terminate()

    @property
    def connection(self) -> Connection:
        return self.session.connection

    @property
    def session(self) -> "_Session":
        if self._session is None:
            raise asyncpg.InterfaceError("not connected")
        return self._session

    async def load_rows(self, keys: Iterable[Key]) -> dict[Key, Row | None]:
        """The stored rows of these keys; None: there is none. A day at a time, so that each touches one chunk."""
        rows: dict[Key, Row | None] = dict.fromkeys(keys)
        by_day = sorted(rows, key=lambda key: key[1])
        for day, group in itertools.groupby(by_day, lambda key: key[1] // _DAY_MS):
            wanted = list(group)
            found = await self.connection.fetch(
                _LOAD_ROWS,
                [frame_id for frame_id, _ in wanted],
                [time_ms for _, time_ms in wanted],
                from_milliseconds(day * _DAY_MS),
                from_milliseconds((day + 1) * _DAY_MS),
            )
            for frame_id, time_ms, results, quality in found:
                rows[frame_id, time_ms] = _row(results, quality)
        return rows

    async def load_past(self, places: Collection[Place]) -> dict[Place, Known]:
        """What a thousand changes of each place told at most; empty where nothing was changed."""
        past: dict[Place, Known] = {place: {} for place in places}
        if not past:
            return past
        found = await self.connection.fetch(
            _LOAD_PAST, *map(list, zip(*past, strict=True))
        )
        for frame_id, time_ms, slot, *words in found:
            known = past[frame_id, time_ms, slot]
            for value, quality in (words[:2], words[2:]):
                known.setdefault(value, []).append(quality)
        return past

    async def load_asked(self, commands: Iterable[int]) -> dict[int, int]:
        """Whom each of these commands was for: device id by command."""
        rows = await self.connection.fetch(
            "SELECT command_id, device_id FROM commands WHERE command_id = ANY($1)",
            list(commands),
        )
        return {row["command_id"]: row["device_id"] for row in rows}

    async def write(self, plan: Plan, entry: NewEntry) -> Cursor:
        """The one transaction.

        Raises:
            WriterFencedError: another ingest has taken over.
        """
        self._inbox.begin()
        if plan.is_plain:
            cursor = await self._write_at_once(plan, entry)
        else:
            cursor = await self._write_in_turn(plan, entry)
        self.writer = Writer("observations", self.writer.epoch, cursor.batch)
        self._inbox.committed()
        return cursor

    async def _write_at_once(self, plan: Plan, entry: NewEntry) -> Cursor:
        """As nearly always: new rows and nothing else."""
        transaction = Transaction()
        if plan.copied:
            rows = encode_rows(plan.copied, to_milliseconds(entry.now))
            transaction.copy("observations", COLUMNS, rows)
        transaction.execute(
            self.session.append.get_name(),
            encode_entry("observations", entry, self.writer.epoch),
        )
        try:
            *_copied, appended = await transaction.commit(self.connection)
        except asyncpg.NotNullViolationError as error:
            if is_fence(error):
                raise WriterFencedError from None
            raise
        return decode_place(appended.row or ())

    async def _write_in_turn(self, plan: Plan, entry: NewEntry) -> Cursor:
        connection = self.connection
        now_ms = to_milliseconds(entry.now)
        async with connection.transaction():
            if plan.copied:
                await _copy_rows(
                    connection, "observations", encode_rows(plan.copied, now_ms)
                )
            if plan.upserted:
                await _copy_rows(
                    connection, "late_rows", encode_rows(plan.upserted, now_ms)
                )
                await connection.execute(_UPSERT)
            if plan.changes:
                await connection.copy_records_to_table(
                    "observation_changes",
                    records=_change_records(plan.changes, entry.now),
                    columns=_CHANGES_COLUMNS,
                )
            await self._inbox.write(connection, plan.refused, plan.replayed, entry.now)
            if plan.answers:
                await _write_answers(connection, plan.answers, entry.now)
            if plan.memories:
                await connection.execute(
                    _LEARN,
                    [name for name, _ in plan.memories],
                    [key for _, key in plan.memories],
                    list(plan.memories.values()),
                    entry.now,
                )
            return await append(
                connection, "observations", entry, writer_epoch=self.writer.epoch
            )

    async def make_chunk(self, at: dt.datetime) -> None:
        """Make the chunk for a time before the first item needs it: a row that comes and goes does it."""
        async with self.connection.transaction():
            await self.connection.execute(
                "INSERT INTO observations VALUES (0, $1, '{}', NULL, $1) ON CONFLICT DO NOTHING",
                at,
            )
            await self.connection.execute(
                "DELETE FROM observations WHERE frame_id = 0 AND phenomenon_time = $1",
                at,
            )


class _Session:
    """A connection, its statement that appends to the log, and what identifies its backend."""

    def __init__(
        self,
        connection: Connection,
        append: PreparedStatement,
        pid: int,
        started: dt.datetime,
    ) -> None:
        self.connection = connection
        self.append = append
        self.pid = pid
        self.started = started

    @classmethod
    async def begin(cls, dsn: str) -> "_Session":
        connection = await connect(dsn, "ingest")
        try:
            # Chunks are excluded at planning only, which needs the values.
            await connection.execute("SET plan_cache_mode = force_custom_plan")
            await connection.execute(
                "CREATE TEMPORARY TABLE late_rows (LIKE observations) ON COMMIT DELETE ROWS"
            )
            prepared = await connection.prepare(APPEND)
            backend = await connection.fetchrow(
                "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
            )
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, prepared, *backend)

    async def try_lock(self) -> bool:
        return bool(
            await self.connection.fetchval(
                "SELECT pg_try_advisory_lock($1)", _WRITER_LOCK
            )
        )

    async def lock(self) -> None:
        await self.connection.execute("SELECT pg_advisory_lock($1)", _WRITER_LOCK)

    async def take_over_from(self, former: "_Session | None") -> Writer:
        """End an earlier session of ours, which may hold the lock still; then take the lock and the stream.

        Raises:
            WriterFencedError: another ingest has the lock.
        """
        if former is not None:
            await self.connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2",
                former.pid,
                former.started,
            )
        if not await self.try_lock():
            raise WriterFencedError
        return await take_over(self.connection, "observations")


async def _copy_rows(connection: Connection, table: str, encoded: bytes) -> None:
    await connection.copy_to_table(
        table, source=_once(encoded), columns=COLUMNS, format="binary"
    )


async def _once(encoded: bytes) -> AsyncIterator[bytes]:
    yield encoded


async def _write_answers(
    connection: Connection, answers: Iterable[Answer], now: dt.datetime
) -> None:
    """The first word on a command counts."""
    first = {answer.command_id: answer for answer in reversed(list(answers))}
    await connection.execute(
        _ANSWER,
        list(first),
        [answer.publisher_id for answer in first.values()],
        [answer.ok for answer in first.values()],
        [None if a.detail is None else storable(a.detail) for a in first.values()],
        now,
    )


def _row(results: list[float | None], quality: list[int] | None) -> Row:
    values = [float("nan") if result is None else result for result in results]
    return Row(values, [ALL_GOOD] * len(values) if quality is None else quality)


def _change_records(
    changes: Iterable[Change], now: dt.datetime
) -> Iterator[tuple[Any, ...]]:
    for change in changes:
        yield (
            change.frame_id,
            change.slot,
            from_milliseconds(change.time_ms),
            change.old,
            change.new,
            now,
            change.who,
            change.why,
            change.old_quality,
            change.new_quality,
        )
