"""PURE: the latest values as one batch, for a start that the event log cannot tell the way to."""

from collections.abc import Iterable, Iterator

import numpy as np

from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.rules.stored import LatestRow

_NOTHING = float("nan")


def batch_of_latest(rows: Iterable[LatestRow]) -> ObservationBatch:
    """An item for each time that a frame's newest values have; slots of other times are missing in it."""
    items = [item for row in rows for item in _items(row)]
    widths = [len(results) for _, _, results, _ in items]
    return ObservationBatch(
        frame_ids=np.array([frame_id for frame_id, _, _, _ in items], np.int32),
        times_ms=np.array([time_ms for _, time_ms, _, _ in items], np.int64),
        flags=np.full(len(items), ItemFlag.NEW, np.uint8),
        offsets=np.cumsum([0, *widths], dtype=np.int32),
        results=np.array([value for _, _, values, _ in items for value in values]),
        quality=np.array(
            [flag for _, _, _, flags in items for flag in flags], np.uint8
        ),
    )


def _items(row: LatestRow) -> Iterator[tuple[int, int, list[float], list[int]]]:
    for time_ms in sorted({time for time in row.times_ms if time is not None}):
        values = [
            value if own == time_ms and value is not None else _NOTHING
            for value, own in zip(row.results, row.times_ms, strict=True)
        ]
        yield row.frame_id, time_ms, values, list(row.quality)
