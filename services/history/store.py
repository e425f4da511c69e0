"""The only SQL that writes latest values, presence, totals, sequences and gaps."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import astuple

import numpy as np

from services.core.broker.sequences import PublisherSequences
from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.event_log import Cursor, save_cursor
from services.core.storage.pool import Connection
from services.history.accounts import AccountChanges, EpochKey
from services.history.latest import NEVER, LatestRow
from services.history.presence import Presence

CONSUMER = "history"


async def load_latest(connection: Connection, frame_ids: list[int]) -> list[LatestRow]:
    rows = await connection.fetch(
        "SELECT frame_id, results, times, quality FROM latest_observations WHERE frame_id = ANY($1)",
        frame_ids,
    )
    return [
        LatestRow(
            row["frame_id"],
            np.array(
                [np.nan if result is None else result for result in row["results"]],
                np.float64,
            ),
            np.array(
                [
                    NEVER if time is None else to_milliseconds(time)
                    for time in row["times"]
                ],
                np.int64,
            ),
            np.array(row["quality"], np.uint8),
        )
        for row in rows
    ]


async def load_sequences(
    connection: Connection, keys: Iterable[EpochKey]
) -> dict[EpochKey, PublisherSequences]:
    """The stored sequences of these epochs; fresh ones for epochs never met."""
    wanted = list(keys)
    rows = await connection.fetch(
        """
        SELECT publisher_id, epoch, first_seq, settled FROM publisher_sequences
        JOIN unnest($1::integer[], $2::bigint[]) AS wanted (publisher_id, epoch) USING (publisher_id, epoch)
        """,
        [publisher_id for publisher_id, _ in wanted],
        [epoch for _, epoch in wanted],
    )
    known = {
        (row["publisher_id"], row["epoch"]): PublisherSequences(
            [(first, last) for first, last in row["settled"]], row["first_seq"]
        )
        for row in rows
    }
    return {key: known.get(key) or PublisherSequences() for key in wanted}


async def load_device_of_frame(connection: Connection) -> dict[int, int]:
    return {
        row["frame_id"]: row["device_id"]
        for row in await connection.fetch("SELECT frame_id, device_id FROM frames")
    }


async def save_latest(
    connection: Connection, rows: list[LatestRow], now: dt.datetime
) -> None:
    await connection.executemany(
        """
        INSERT INTO latest_observations (frame_id, results, times, quality, updated_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (frame_id) DO UPDATE
        SET results = excluded.results, times = excluded.times, quality = excluded.quality, updated_at = excluded.updated_at
        """,
        [
            (
                row.frame_id,
                [
                    None if np.isnan(result) else result
                    for result in row.results.tolist()
                ],
                [
                    None if time == NEVER else from_milliseconds(time)
                    for time in row.times_ms.tolist()
                ],
                row.quality.tolist(),
                now,
            )
            for row in rows
        ],
    )


async def save_presence(
    connection: Connection, changes: Mapping[int, Presence]
) -> None:
    await connection.executemany(
        """
        INSERT INTO device_status AS held (device_id, last_seen, last_time, online, online_since, firmware)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (device_id) DO UPDATE SET
            last_seen = greatest(held.last_seen, excluded.last_seen),
            last_time = greatest(held.last_time, excluded.last_time),
            online = coalesce(excluded.online, held.online),
            online_since = CASE WHEN excluded.online IS DISTINCT FROM held.online AND excluded.online IS NOT NULL
                                THEN excluded.online_since ELSE held.online_since END,
            firmware = coalesce(excluded.firmware, held.firmware)
        """,
        [
            (
                device_id,
                change.last_seen,
                None
                if change.last_time_ms is None
                else from_milliseconds(change.last_time_ms),
                change.online,
                change.online_since,
                change.firmware,
            )
            for device_id, change in sorted(changes.items())
        ],
    )


async def save_totals(connection: Connection, changes: AccountChanges) -> None:
    await connection.executemany(
        """
        INSERT INTO publisher_totals AS held
            (publisher_id, received, stored, merged, duplicate, rejected, rejected_values, last_seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (publisher_id) DO UPDATE SET
            received = held.received + excluded.received, stored = held.stored + excluded.stored,
            merged = held.merged + excluded.merged, duplicate = held.duplicate + excluded.duplicate,
            rejected = held.rejected + excluded.rejected,
            rejected_values = held.rejected_values + excluded.rejected_values,
            last_seen = greatest(held.last_seen, excluded.last_seen)
        """,
        [
            (publisher_id, *astuple(totals))
            for publisher_id, totals in sorted(changes.totals.items())
        ],
    )


async def save_sequences(
    connection: Connection,
    sequences: Mapping[EpochKey, PublisherSequences],
    changes: AccountChanges,
    now: dt.datetime,
) -> None:
    """The changed epochs' settled ranges; their open gaps anew; lost numbers once and for good."""
    changed = sorted(changes.epochs)
    await connection.executemany(
        """
        INSERT INTO publisher_sequences (publisher_id, epoch, first_seq, settled, updated_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (publisher_id, epoch) DO UPDATE
        SET first_seq = excluded.first_seq, settled = excluded.settled, updated_at = excluded.updated_at
        """,
        [(*key, sequences[key].first, sequences[key].settled, now) for key in changed],
    )
    await connection.executemany(
        "DELETE FROM gaps WHERE publisher_id = $1 AND epoch = $2 AND NOT lost", changed
    )
    found = [(key, gap, False) for key in changed for gap in sequences[key].open_gaps()]
    found += [(key, gap, True) for key, gap in changes.lost]
    await connection.executemany(
        """
        INSERT INTO gaps (publisher_id, epoch, from_seq, to_seq, lost, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (publisher_id, epoch, from_seq) DO UPDATE SET to_seq = excluded.to_seq, lost = excluded.lost
        """,
        [(*key, *gap, lost, now) for key, gap, lost in found],
    )


async def save_place(connection: Connection, cursor: Cursor) -> None:
    await save_cursor(connection, CONSUMER, "observations", cursor)


async def drop_passed_log(
    connection: Connection, keep: dt.timedelta, now: dt.datetime
) -> int:
    """Drop whole chunks of the event log that every consumer has passed; returns how many."""
    return len(
        await connection.fetch("SELECT event_log_drop_passed($1, $2)", keep, now)
    )
