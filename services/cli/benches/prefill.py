"""Fills `observations` with the readings of the last day, so that its indexes are those of a city at work."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import numpy as np

from services.core.city.quality import ALL_GOOD
from services.core.storage.pool import Connection
from services.ingest.pgcopy import COLUMNS, Rows, encode_rows

_ROWS: Final = 200_000  # encoded at once
_DAY_MS: Final = 86_400_000
_GAP_MS: Final = 3_600_000  # between the last one filled in and what is measured


async def prefill(
    connection: Connection,
    sizes: Sequence[int],
    readings: int,
    now_ms: int,
    say: Callable[[str], None],
) -> int:
    """Spread readings over the frames of the bench's devices, a share for each size; returns how many.

    In key order, and over the day before the last hour.
    """
    filled = 0
    for values in sizes:
        frames = await connection.fetch(
            "SELECT frame_id FROM frames JOIN devices USING (device_id) WHERE devices.key LIKE $1 ORDER BY 1",
            f"bench-{values:02}-%",
        )
        frame_ids = np.array([row["frame_id"] for row in frames], np.int32)
        each = readings // len(sizes) // values // len(frame_ids)
        if not each:
            continue
        await _fill(connection, frame_ids, values, each, now_ms)
        filled += each * len(frame_ids) * values
        say(f"  {filled:,} readings are in the store")
    return filled


async def _fill(
    connection: Connection,
    frame_ids: np.ndarray[tuple[int], np.dtype[np.int32]],
    values: int,
    each: int,
    now_ms: int,
) -> None:
    last_ms = now_ms - _GAP_MS
    times_ms = last_ms - np.linspace(_DAY_MS, 0, each).astype(np.int64)
    for day in sorted({int(time) // _DAY_MS for time in times_ms[[0, -1]]}):
        of_day = times_ms[times_ms // _DAY_MS == day]
        together = max(1, _ROWS // max(1, len(of_day)))
        for first in range(0, len(frame_ids), together):
            some = frame_ids[first : first + together]
            shape = (len(some) * len(of_day), values)
            rows = Rows(
                np.repeat(some, len(of_day)),
                np.tile(of_day, len(some)),
                np.full(shape, 21.5),
                np.full(shape, ALL_GOOD, np.uint8),
            )
            await connection.copy_to_table(
                "observations",
                source=_once(encode_rows([rows], now_ms)),
                columns=COLUMNS,
                format="binary",
            )


async def _once(encoded: bytes) -> AsyncIterator[bytes]:
    yield encoded
