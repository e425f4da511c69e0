"""PURE: rows of `observations` in PostgreSQL's binary COPY format, encoded by NumPy without a loop over rows."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.core.city.quality import ALL_GOOD

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
COLUMNS: Final = ("frame_id", "phenomenon_time", "results", "quality", "ingested_at")

_POSTGRES_EPOCH_MS: Final = 946_684_800_000  # 2000-01-01T00:00:00Z
_FLOAT8: Final = 701
_INT2: Final = 21
_ARRAY_HEADER_BYTES: Final = 20
_NULL: Final = -1


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
    parts = [HEADER]
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
                parts.append(_encode(part, ingested_at_ms, with_quality=wanted))
    parts.append(TRAILER)
    return b"".join(parts)


def _encode(rows: Rows, ingested_at_ms: int, *, with_quality: bool) -> bytes:
    count, slots = rows.results.shape
    kind = _row_type(slots, with_quality=with_quality)
    table = np.zeros(count, kind)
    missing = np.isnan(rows.results)
    table["columns"] = len(COLUMNS)
    table["frame_id_length"], table["frame_id"] = 4, rows.frame_ids
    table["time_length"], table["time"] = 8, _microseconds(rows.times_ms)
    _fill_array(table["results"], _FLOAT8, 8, rows.results)
    nulls = missing.sum(axis=1)
    table["results"]["length"] -= 8 * nulls
    table["results"]["has_null"] = nulls > 0
    table["results"]["elements"]["length"][missing] = _NULL
    if with_quality:
        _fill_array(table["quality"], _INT2, 2, rows.quality)
    else:
        table["quality"]["length"] = _NULL
    table["at_length"], table["at"] = 8, _microseconds(np.array([ingested_at_ms]))
    return _without_nulls(table, missing) if missing.any() else table.tobytes()


def _row_type(slots: int, *, with_quality: bool) -> np.dtype[Any]:
    quality = _array_type(">i2", slots) if with_quality else [("length", ">i4")]
    return np.dtype(
        [
            ("columns", ">i2"),
            ("frame_id_length", ">i4"),
            ("frame_id", ">i4"),
            ("time_length", ">i4"),
            ("time", ">i8"),
            ("results", _array_type(">f8", slots)),
            ("quality", quality),
            ("at_length", ">i4"),
            ("at", ">i8"),
        ]
    )


def _array_type(element: str, slots: int) -> list[tuple[Any, ...]]:
    return [
        ("length", ">i4"),
        ("dimensions", ">i4"),
        ("has_null", ">i4"),
        ("element_type", ">i4"),
        ("size", ">i4"),
        ("lower_bound", ">i4"),
        ("elements", [("length", ">i4"), ("value", element)], (slots,)),
    ]


def _fill_array(
    column: NDArray[Any], element_type: int, element_bytes: int, values: NDArray[Any]
) -> None:
    slots = values.shape[1]
    column["length"] = _ARRAY_HEADER_BYTES + slots * (4 + element_bytes)
    column["dimensions"] = 1
    column["element_type"] = element_type
    column["size"] = slots
    column["lower_bound"] = 1
    column["elements"]["length"] = element_bytes
    column["elements"]["value"] = values


def _without_nulls(table: NDArray[Any], missing: NDArray[np.bool_]) -> bytes:
    """The table's bytes but for the eight of each missing result: a NULL has a length and no value."""
    fields = table.dtype.fields
    assert fields is not None  # noqa: S101 # a structured type has fields
    results, start = fields["results"][0], fields["results"][1]
    assert results.fields is not None  # noqa: S101
    start += results.fields["elements"][1]
    count, slots = missing.shape
    octets = table.view(np.uint8).reshape(count, table.dtype.itemsize)
    kept = np.ones(octets.shape, np.bool_)
    elements = kept[:, start : start + 12 * slots].reshape(count, slots, 12)
    elements[:, :, 4:] = ~missing[:, :, np.newaxis]
    kept[:, start : start + 12 * slots] = elements.reshape(count, 12 * slots)
    return octets[kept].tobytes()


def _microseconds(times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    return (times_ms - _POSTGRES_EPOCH_MS) * 1000
