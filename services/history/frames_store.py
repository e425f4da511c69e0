"""The only SQL that writes latest values and presence: rows are staged by COPY and merged, some at a time."""

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.copy_format import (
    Column,
    Type,
    encode_parts,
    postgres_times,
)
from services.core.storage.pool import Connection
from services.core.unhurried import Unhurried
from services.history.latest import NEVER, LatestRows
from services.history.presence import FrameDevices, Seen

_CHUNK: Final = 50_000
_PIECE: Final = 1_000  # rows merged at once
_MOST_PIECES: Final = 16  # each looks through all that is staged
_LATEST: Final = ("frame_id", "results", "times", "quality", "updated_at")
_STATUS: Final = (
    *("device_id", "last_seen", "last_time"),
    *("online", "online_since", "firmware"),
)
_STAGES: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_latest (LIKE latest_observations) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_status (LIKE device_status) ON COMMIT DELETE ROWS;
"""
# In the order of the table: neighbours are reported by one gateway, so one page takes many of them.
_MERGE_LATEST: Final = """
INSERT INTO latest_observations (frame_id, results, times, quality, updated_at)
SELECT frame_id, results, times, quality, updated_at FROM staged_latest WHERE frame_id BETWEEN $1 AND $2 ORDER BY frame_id
ON CONFLICT (frame_id) DO UPDATE
SET results = excluded.results, times = excluded.times, quality = excluded.quality, updated_at = excluded.updated_at
"""
_MERGE_STATUS: Final = """
INSERT INTO device_status AS held (device_id, last_seen, last_time, online, online_since, firmware)
SELECT device_id, last_seen, last_time, online, online_since, firmware FROM staged_status WHERE device_id BETWEEN $1 AND $2 ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE SET
    last_seen = greatest(held.last_seen, excluded.last_seen),
    last_time = greatest(held.last_time, excluded.last_time),
    online = coalesce(excluded.online, held.online),
    online_since = CASE WHEN excluded.online IS DISTINCT FROM held.online AND excluded.online IS NOT NULL
                        THEN excluded.online_since ELSE held.online_since END,
    firmware = coalesce(excluded.firmware, held.firmware)
"""


async def prepare_stages(connection: Connection) -> None:
    """What the saves go through; they last as long as the connection."""
    await connection.execute(_STAGES)


async def load_latest(connection: Connection, frame_ids: list[int]) -> LatestRows:
    rows = await connection.fetch(
        "SELECT frame_id, results, times, quality FROM latest_observations WHERE frame_id = ANY($1)",
        frame_ids,
    )
    widths = [len(row["results"]) for row in rows]
    return LatestRows(
        frame_ids=np.array([row["frame_id"] for row in rows], np.int32),
        offsets=np.concatenate(([0], np.cumsum(widths, dtype=np.int64))),
        results=np.array(
            [
                np.nan if result is None else result
                for row in rows
                for result in row["results"]
            ],
            np.float64,
        ),
        times_ms=np.array(
            [
                NEVER if time is None else to_milliseconds(time)
                for row in rows
                for time in row["times"]
            ],
            np.int64,
        ),
        quality=np.array([code for row in rows for code in row["quality"]], np.uint8),
    )


async def load_owners(connection: Connection, owners: FrameDevices) -> None:
    """Of the frames that were opened since owners were loaded last."""
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(
            "SELECT frame_id, device_id FROM frames WHERE frame_id > $1", owners.newest
        )
        while rows := await cursor.fetch(_CHUNK):
            pairs = np.array(rows, np.int32)
            owners.take(pairs[:, 0], pairs[:, 1])


async def save_latest(
    connection: Connection, rows: LatestRows, now: dt.datetime, pace: Unhurried
) -> None:
    """Inside a transaction."""
    if not len(rows):
        return
    await _copy(connection, "staged_latest", _LATEST, _latest_columns(rows, now))
    await pace.rest()
    for piece in _pieces(rows.frame_ids):
        await connection.execute(_MERGE_LATEST, *piece)
        await pace.rest()


async def save_presence(connection: Connection, seen: Seen, pace: Unhurried) -> None:
    """Inside a transaction."""
    if not len(seen.device_ids):
        return
    silent = ~np.isin(seen.device_ids, list(seen.said))
    status = [
        Column(Type.INT4, seen.device_ids),
        _moments(seen.last_seen_ms),
        _moments(seen.last_time_ms),
    ]
    await _copy(
        connection,
        "staged_status",
        _STATUS[:3],
        [[column.of(silent) for column in status]],
    )
    await connection.copy_records_to_table(
        "staged_status",
        records=_said_records(seen, np.flatnonzero(~silent)),
        columns=_STATUS,
    )
    await pace.rest()
    for piece in _pieces(seen.device_ids):
        await connection.execute(_MERGE_STATUS, *piece)
        await pace.rest()


def _pieces(ids: NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """The first and the last of so many of these rising ids."""
    size = max(_PIECE, -(-len(ids) // _MOST_PIECES))
    for first in range(0, len(ids), size):
        last = min(first + size, len(ids)) - 1
        yield int(ids[first]), int(ids[last])


def _latest_columns(
    rows: LatestRows, now: dt.datetime
) -> Iterator[list[Column | None]]:
    """Frames of one width at a time."""
    updated_at = postgres_times(np.array([to_milliseconds(now)]))
    widths = np.diff(rows.offsets)
    for width in np.unique(widths).tolist():
        chosen = np.flatnonzero(widths == width)
        places = rows.offsets[chosen][:, np.newaxis] + np.arange(width)
        results = rows.results[places]
        yield [
            Column(Type.INT4, rows.frame_ids[chosen]),
            Column(Type.FLOAT8, results, missing=np.isnan(results)),
            _moments(rows.times_ms[places]),
            Column(Type.INT2, rows.quality[places]),
            Column(Type.TIMESTAMPTZ, np.repeat(updated_at, len(chosen))),
        ]


def _said_records(seen: Seen, places: NDArray[np.intp]) -> Iterator[tuple[Any, ...]]:
    for place in places.tolist():
        device_id = int(seen.device_ids[place])
        said = seen.said[device_id]
        yield (
            device_id,
            _moment(int(seen.last_seen_ms[place])),
            _moment(int(seen.last_time_ms[place])),
            *(said.online, said.since, said.firmware),
        )


def _moment(time_ms: int) -> dt.datetime | None:
    return None if time_ms == NEVER else from_milliseconds(time_ms)


def _moments(times_ms: NDArray[np.int64]) -> Column:
    """NULL for NEVER."""
    never = times_ms == NEVER
    return Column(Type.TIMESTAMPTZ, postgres_times(times_ms), missing=never)


async def _copy(
    connection: Connection,
    table: str,
    names: Sequence[str],
    parts: Iterable[Sequence[Column | None]],
) -> None:
    """Rows as they are encoded: those of a part at a time."""

    async def stream() -> AsyncIterator[bytes]:
        for part in encode_parts(parts):
            yield part

    await connection.copy_to_table(
        table, source=stream(), columns=names, format="binary"
    )
