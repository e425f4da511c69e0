"""PURE: rows of `observations` for COPY."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.quality import ALL_GOOD
from services.core.storage.copy_format import (
    Column,
    Type,
    encode_parts,
    postgres_times,
)

COLUMNS: Final = ("frame_id", "phenomenon_time", "results", "quality", "ingested_at")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of one width. results: NaN where missing, which becomes NULL; quality: packed."""

    frame_ids: NDArray[np.int32]  # [n]
    times_ms: NDArray[np.int64]  # [n]
    results: NDArray[np.float64]  # [n, slots]
    quality: NDArray[np.uint8]  # [n, slots]


def encode_rows(groups: list[Rows], ingested_at_ms: int) -> bytes:
    """A whole COPY stream. Quality is NULL where every value of the row is good.

    Rows of a group go in the order of their frames, for the index's sake.
    """
    parts: list[list[Column | None]] = []
    for rows in groups:
        missing = np.isnan(rows.results)
        flagged = ((rows.quality != ALL_GOOD) & ~missing).any(axis=1)
        by_frame = np.argsort(rows.frame_ids, kind="stable")
        for wanted in (False, True):
            order = by_frame[flagged[by_frame] == wanted]
            if len(order):
                part = Rows(
                    rows.frame_ids[order],
                    rows.times_ms[order],
                    rows.results[order],
                    rows.quality[order],
                )
                parts.append(_columns(part, ingested_at_ms, with_quality=wanted))
    return b"".join(encode_parts(parts))


def _columns(
    rows: Rows, ingested_at_ms: int, *, with_quality: bool
) -> list[Column | None]:
    ingested_at = np.full(len(rows.frame_ids), ingested_at_ms)
    return [
        Column(Type.INT4, rows.frame_ids),
        Column(Type.TIMESTAMPTZ, postgres_times(rows.times_ms)),
        Column(Type.FLOAT8, rows.results, missing=np.isnan(rows.results)),
        Column(Type.INT2, rows.quality) if with_quality else None,
        Column(Type.TIMESTAMPTZ, postgres_times(ingested_at)),
    ]
