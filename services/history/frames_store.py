"""The only SQL that writes latest values and presence: rows are staged by COPY and merged in one statement."""

import datetime as dt
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.pool import Connection
from services.history.latest import NEVER, LatestRows
from services.history.presence import FrameDevices, Seen

_CHUNK: Final = 50_000
_STAGES: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_latest (LIKE latest_observations) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_status (LIKE device_status) ON COMMIT DELETE ROWS;
"""
# In the order of the table: neighbours are reported by one gateway, so one page takes many of them.
_MERGE_LATEST: Final = """
INSERT INTO latest_observations (frame_id, results, times, quality, updated_at)
SELECT frame_id, results, times, quality, updated_at FROM staged_latest ORDER BY frame_id
ON CONFLICT (frame_id) DO UPDATE
SET results = excluded.results, times = excluded.times, quality = excluded.quality, updated_at = excluded.updated_at
"""
_MERGE_STATUS: Final = """
INSERT INTO device_status AS held (device_id, last_seen, last_time, online, online_since, firmware)
SELECT device_id, last_seen, last_time, online, online_since, firmware FROM staged_status ORDER BY device_id
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
    connection: Connection, rows: LatestRows, now: dt.datetime
) -> None:
    """Inside a transaction."""
    if not len(rows):
        return
    offsets = rows.offsets.tolist()
    spans = [slice(begin, end) for begin, end in pairwise(offsets)]
    results, quality = _results(rows.results), rows.quality.tolist()
    times = _moments(rows.times_ms)
    await connection.copy_records_to_table(
        "staged_latest",
        records=(
            (frame_id, results[span], times[span], quality[span], now)
            for frame_id, span in zip(rows.frame_ids.tolist(), spans, strict=True)
        ),
        columns=("frame_id", "results", "times", "quality", "updated_at"),
    )
    await connection.execute(_MERGE_LATEST)


async def save_presence(connection: Connection, seen: Seen) -> None:
    """Inside a transaction."""
    if not len(seen.device_ids):
        return
    silent = (None, None, None)
    said = {
        device_id: (word.online, word.since, word.firmware)
        for device_id, word in seen.said.items()
    }
    await connection.copy_records_to_table(
        "staged_status",
        records=(
            (device_id, last_seen, last_time, *said.get(device_id, silent))
            for device_id, last_seen, last_time in zip(
                seen.device_ids.tolist(),
                _moments(seen.last_seen_ms),
                _moments(seen.last_time_ms),
                strict=True,
            )
        ),
        columns=(
            *("device_id", "last_seen", "last_time"),
            *("online", "online_since", "firmware"),
        ),
    )
    await connection.execute(_MERGE_STATUS)


def _results(results: NDArray[np.float64]) -> list[float | None]:
    values = results.astype(object)
    values[np.isnan(results)] = None
    return list(values)


def _moments(times_ms: NDArray[np.int64]) -> list[Any]:
    """Times repeat a lot: each is made once. None for NEVER."""
    distinct, inverse = np.unique(times_ms, return_inverse=True)
    moments = np.array(
        [
            None if time_ms == NEVER else from_milliseconds(time_ms)
            for time_ms in distinct.tolist()
        ],
        object,
    )
    return list(moments[inverse])
