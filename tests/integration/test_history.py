"""History folds the event log into tables; a crash at any point repeats nothing and forgets nothing."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from typing_extensions import override

from services.core.city.quality import ALL_GOOD
from services.core.clock import ManualClock, SystemClock, from_milliseconds
from services.core.storage import event_log, log_batch
from services.core.storage.event_log import Cursor, NewEntry
from services.core.storage.ledger import read_ledger
from services.core.storage.log_batch import (
    Accounts,
    ItemFlag,
    Notice,
    NumberedMessages,
    ObservationBatch,
)
from services.core.storage.pool import Connection, connect
from services.history import frames_store, store
from services.history.folding import Folding
from services.history.service import run_history

pytestmark = pytest.mark.integration

START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
START_MS = 1_795_320_000_000
Item = tuple[int, int, list[float]]  # frame, seconds after the start, results


def batch_of(items: Sequence[Item]) -> ObservationBatch:
    widths = [len(results) for _, _, results in items]
    values = [value for _, _, results in items for value in results]
    return ObservationBatch(
        frame_ids=np.array([frame for frame, _, _ in items], np.int32),
        times_ms=np.array([START_MS + 1000 * after for _, after, _ in items], np.int64),
        flags=np.full(len(items), ItemFlag.NEW, np.uint8),
        offsets=np.cumsum([0, *widths], dtype=np.int32),
        results=np.array(values, np.float64),
        quality=np.full(len(values), ALL_GOOD, np.uint8),
    )


def accounts_of(publisher_id: int, **counts: int) -> Accounts:
    names = ("received", "stored", "merged", "duplicate", "rejected", "rejected_values")
    return Accounts(
        np.array([publisher_id], np.int32),
        *(np.array([counts.get(name, 0)], np.int32) for name in names),
    )


def numbered_of(publisher_id: int, epoch: int, *seqs: int) -> NumberedMessages:
    return NumberedMessages(
        np.full(len(seqs), publisher_id, np.int32),
        np.full(len(seqs), epoch, np.int64),
        np.array(seqs, np.int64),
    )


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    await opened.execute(
        """
        WITH sensor AS (INSERT INTO sensors (key, name, revision) VALUES ('s', '{}', 1) RETURNING sensor_id),
        kind AS (INSERT INTO device_types (key, name, sensor_id, period_ms, revision)
                 SELECT 't', '{}', sensor_id, 1000, 1 FROM sensor RETURNING device_type_id),
        device AS (INSERT INTO devices (key, device_type_id, publishes, revision)
                   SELECT 'meter-' || n, device_type_id, true, 1 FROM kind, generate_series(1, 2) n
                   RETURNING device_id, device_type_id)
        INSERT INTO frames (device_id, device_type_id, revision) SELECT device_id, device_type_id, 1 FROM device
        """
    )
    yield opened
    await opened.close()


async def log(
    connection: Connection,
    *batches: ObservationBatch,
    waiting: int = 0,
    after: int = 0,
) -> None:
    """after: seconds after the start."""
    at = START + dt.timedelta(seconds=after)
    for batch in batches:
        body, received = log_batch.encode(batch), batch.accounts.received.sum()
        entry = NewEntry(body, at, waiting=waiting, received=int(received))
        async with connection.transaction():
            await event_log.append(connection, "observations", entry)


async def fold_all(connection: Connection) -> None:
    """As after a restart."""
    await fold_on(connection, await Folding.begin(connection, ManualClock(START)))


async def fold_on(connection: Connection, folding: Folding) -> None:
    await folding.fold(
        await event_log.read(connection, "observations", folding.cursor, 1000)
    )
    await folding.flush()


async def latest(
    connection: Connection, frame_id: int
) -> tuple[list[float | None], list[int | None]]:
    row = await connection.fetchrow(
        "SELECT results, times FROM latest_observations WHERE frame_id = $1", frame_id
    )
    seconds = [
        None
        if time is None
        else round((time - from_milliseconds(START_MS)).total_seconds())
        for time in row["times"]
    ]
    return row["results"], seconds


async def test_the_newest_value_of_each_slot_is_kept(connection: Connection) -> None:
    nothing = float("nan")
    await log(
        connection,
        batch_of([(1, 10, [1.0, 2.0]), (1, 5, [9.0, 9.0])]),
        batch_of([(1, 20, [nothing, 3.0])]),
    )
    await fold_all(connection)
    assert await latest(connection, 1) == ([1.0, 3.0], [10, 20])


@pytest.mark.parametrize(("rows", "most"), [(1, 16), (1, 1), (2, 16)])
async def test_rows_are_merged_some_at_a_time(
    rows: int, most: int, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_store, "_PIECE", rows)
    monkeypatch.setattr(store, "_PIECE", rows)
    monkeypatch.setattr(frames_store, "_MOST_PIECES", most)
    both = [
        replace(
            batch_of([(device, 10 * device, [float(device)])]),
            accounts=accounts_of(device, received=device, stored=device),
            numbered=numbered_of(device, 7, device),
        )
        for device in (2, 1)
    ]
    await log(connection, *both)
    await fold_all(connection)
    for device in (1, 2):
        assert await latest(connection, device) == ([float(device)], [10 * device])
    assert await connection.fetchval("SELECT count(*) FROM device_status") == 2
    rows_of = "SELECT publisher_id::bigint, {} FROM {} ORDER BY 1"
    for what, table in (
        ("received", "publisher_totals"),
        ("lowest_seq", "publisher_sequences"),
    ):
        told = await connection.fetch(rows_of.format(what, table))
        assert [tuple(row) for row in told] == [(1, 1), (2, 2)]


class SlowClock(ManualClock):
    """Ten milliseconds pass between two looks at it; it sleeps at once."""

    @override
    def monotonic(self) -> float:
        self.advance(0.01)
        return super().monotonic()

    @override
    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


async def test_a_flush_leaves_others_as_much_time_as_it_takes(
    connection: Connection,
) -> None:
    await log(connection, batch_of([(1, 10, [1.0])]))
    folding = await Folding.begin(connection, SlowClock(START))
    await folding.fold(await event_log.read(connection, "observations", Cursor(), 1000))
    # Twice after the latest values' COPY and merge, twice after the devices'.
    assert await folding.flush() == pytest.approx(0.04)
    assert await folding.flush() == 0.0


async def test_a_correction_of_the_newest_value_is_taken(
    connection: Connection,
) -> None:
    corrected = replace(
        batch_of([(1, 10, [7.0])]), flags=np.array([ItemFlag.CORRECTED], np.uint8)
    )
    await log(connection, batch_of([(1, 10, [1.0])]), corrected)
    await fold_all(connection)
    assert await latest(connection, 1) == ([7.0], [10])


async def test_a_frame_that_gets_a_slot_keeps_its_others(
    connection: Connection,
) -> None:
    await log(connection, batch_of([(1, 10, [1.0]), (2, 10, [5.0])]))
    await fold_all(connection)
    await log(connection, batch_of([(1, 20, [float("nan"), 2.0])]))
    await fold_all(connection)
    assert await latest(connection, 1) == ([1.0, 2.0], [10, 20])
    assert await latest(connection, 2) == ([5.0], [10])


async def test_folding_again_from_any_crash_gives_the_same_tables(
    connection: Connection,
) -> None:
    batches = [
        replace(
            batch_of([(1, after, [float(after)])]),
            accounts=accounts_of(1, received=2, stored=1, duplicate=1),
            numbered=numbered_of(1, 7, after + 1),
        )
        for after in range(5)
    ]
    await log(connection, *batches)
    lost = await Folding.begin(connection, ManualClock(START))
    await lost.fold(
        await event_log.read(connection, "observations", Cursor(), 3)
    )  # killed before its flush
    first = await Folding.begin(connection, ManualClock(START))
    await first.fold(await event_log.read(connection, "observations", Cursor(), 2))
    await first.flush()  # killed after it
    await fold_all(connection)
    assert await latest(connection, 1) == ([4.0], [4])
    row = await connection.fetchrow(
        "SELECT received, stored, duplicate FROM publisher_totals WHERE publisher_id = 1"
    )
    assert tuple(row) == (10, 5, 5)
    assert await connection.fetchval(
        "SELECT settled FROM publisher_sequences WHERE publisher_id = 1"
    ) == [[1, 5]]


def birth_of(oldest_seq: int) -> ObservationBatch:
    notice = Notice(
        kind="birth",
        device_id=1,
        publisher_id=1,
        time_ms=START_MS,
        epoch=7,
        oldest_seq=oldest_seq,
    )
    return replace(ObservationBatch.empty(), notices=(notice,))


def messages(*seqs: int) -> ObservationBatch:
    return replace(ObservationBatch.empty(), numbered=numbered_of(1, 7, *seqs))


async def gaps(connection: Connection) -> list[tuple[int, int, bool, bool]]:
    rows = await connection.fetch(
        "SELECT from_seq, to_seq, lost, closed_at IS NOT NULL FROM gaps ORDER BY from_seq"
    )
    return [tuple(row) for row in rows]


async def test_gaps_are_recorded_closed_and_lost_for_good(
    connection: Connection,
) -> None:
    folding = await Folding.begin(connection, ManualClock(START))
    await log(connection, birth_of(1), messages(1, 3, 6))
    await fold_on(connection, folding)
    assert await gaps(connection) == []  # perhaps mere disorder
    await log(connection, ObservationBatch.empty(), after=9)
    await fold_on(connection, folding)
    assert await gaps(connection) == []
    await log(connection, ObservationBatch.empty(), after=11)
    await fold_on(connection, folding)
    still_open = [(2, 2, False, False), (4, 5, False, False)]
    assert await gaps(connection) == still_open
    await log(connection, messages(2), birth_of(5), after=12)
    await fold_all(connection)
    assert await gaps(connection) == [
        (2, 2, False, True),
        (4, 4, True, False),
        (5, 5, False, False),
    ]
    await log(connection, messages(4, 5), after=13)  # lost, and found again
    await fold_all(connection)
    assert {gap[2:] for gap in await gaps(connection)} == {(False, True)}
    row = await connection.fetchrow(
        "SELECT lowest_seq, highest_seq, messages, missing, lost FROM publisher_sequences"
    )
    assert tuple(row) == (1, 6, 6, 0, 0)
    assert await connection.fetch("SELECT * FROM ledger_violations") == []


async def test_a_birth_counts_in_its_place_when_batches_are_folded_together(
    connection: Connection,
) -> None:
    """What it gave up as lost was lost then, though it came in the very next batch."""
    for batch in (messages(1, 2, 3), birth_of(5), messages(4, 5)):
        await log(connection, batch)
    await fold_all(connection)
    assert await gaps(connection) == [(4, 4, False, True)]


async def test_presence_follows_births_deaths_and_items(connection: Connection) -> None:
    birth = Notice(
        kind="birth", device_id=1, publisher_id=1, time_ms=START_MS, firmware="1.2"
    )
    death = Notice(kind="death", device_id=1, publisher_id=1, time_ms=START_MS + 5000)
    await log(connection, replace(batch_of([(1, 3, [1.0])]), notices=(birth,)))
    await fold_all(connection)
    status = "SELECT online, firmware, last_seen, last_time FROM device_status WHERE device_id = 1"
    assert tuple(await connection.fetchrow(status)) == (
        True,
        "1.2",
        START,
        from_milliseconds(START_MS + 3000),
    )
    await log(connection, replace(ObservationBatch.empty(), notices=(death,)))
    await fold_all(connection)
    assert tuple(await connection.fetchrow(status))[:2] == (False, "1.2")


async def test_what_is_told_again_or_corrected_is_no_sign_of_life(
    connection: Connection,
) -> None:
    heard = replace(batch_of([(1, 3, [1.0])]), accounts=accounts_of(2, received=1))
    again = replace(
        batch_of([(1, 4, [2.0])]),
        flags=np.array([ItemFlag.NEW | ItemFlag.SECOND_HAND], np.uint8),
        accounts=accounts_of(2, received=1),
        unheard=np.array([2], np.int32),
    )
    status = "SELECT last_seen, last_time FROM device_status ORDER BY device_id"
    await log(connection, again)
    await fold_all(connection)
    observed_at = from_milliseconds(START_MS + 4000)
    assert [tuple(row) for row in await connection.fetch(status)] == [
        (None, observed_at)
    ]
    await log(connection, heard, after=5)
    await log(connection, again, after=60)
    await fold_all(connection)
    seen_at = START + dt.timedelta(seconds=5)
    assert [tuple(row) for row in await connection.fetch(status)] == [
        (seen_at, observed_at),
        (seen_at, None),
    ]


async def test_a_text_that_postgresql_cannot_keep_does_not_end_it(
    connection: Connection,
) -> None:
    birth = Notice(
        kind="birth", device_id=1, publisher_id=1, time_ms=START_MS, firmware="1\x002"
    )
    await log(connection, replace(ObservationBatch.empty(), notices=(birth,)))
    await fold_all(connection)
    firmware = "SELECT firmware FROM device_status WHERE device_id = 1"
    assert await connection.fetchval(firmware) == "1\\02"


async def test_the_ledger_counts_what_history_has_not_folded_yet(
    connection: Connection,
) -> None:
    one = replace(
        ObservationBatch.empty(),
        accounts=accounts_of(1, received=3, stored=2, rejected=1, rejected_values=4),
    )
    await log(connection, one)
    await fold_all(connection)
    await log(connection, one, waiting=5)
    ledger = await read_ledger(connection)
    assert ledger.balanced
    assert ledger.total.as_dict() == {
        "received": 11, "stored": 4, "merged": 0, "duplicate": 0, "rejected": 2, "waiting": 5, "rejected_values": 8,
    }  # fmt: skip
    assert ledger.devices["meter-1"].received == 6
    await fold_all(connection)
    assert (await read_ledger(connection)).as_dict() == ledger.as_dict()


async def test_a_ledger_that_does_not_balance_says_so(connection: Connection) -> None:
    await log(
        connection,
        replace(
            ObservationBatch.empty(), accounts=accounts_of(2, received=3, stored=2)
        ),
    )
    assert not (await read_ledger(connection)).balanced


async def test_the_log_is_dropped_only_where_every_cursor_has_passed(
    connection: Connection,
) -> None:
    async def remaining() -> int:
        count: int = await connection.fetchval("SELECT count(*) FROM event_log")
        return count

    async def drop(at: dt.datetime) -> None:
        await connection.fetch(
            "SELECT event_log_drop_passed(interval '24 hours', $1)", at
        )

    await log(connection, ObservationBatch.empty())
    later = START + dt.timedelta(hours=5)
    await event_log.save_cursor(
        connection, "slow", "observations", Cursor(0, START - dt.timedelta(hours=1))
    )
    await drop(later)
    assert await remaining() == 1
    await event_log.save_cursor(connection, "slow", "observations", Cursor(1, later))
    await drop(later)
    assert await remaining() == 0


async def test_the_service_outlasts_a_lost_connection_and_stops_when_asked(
    connection: Connection, database_url: str
) -> None:
    clock, stop = SystemClock(), asyncio.Event()

    async def folded(seconds: int) -> None:
        async with asyncio.timeout(20):
            while await connection.fetchval(
                "SELECT times[1] FROM latest_observations WHERE frame_id = 1"
            ) != from_milliseconds(START_MS + 1000 * seconds):
                await clock.sleep(0.02)

    service = asyncio.create_task(run_history(database_url, clock, stop))
    await log(connection, batch_of([(1, 1, [1.0])]))
    await folded(1)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alatau-history'"
    )
    await log(connection, batch_of([(1, 2, [2.0])]))
    await folded(2)
    stop.set()
    async with asyncio.timeout(10):
        await service
