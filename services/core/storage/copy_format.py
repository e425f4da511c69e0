"""PURE: rows in PostgreSQL's binary COPY format, encoded by NumPy column by column, without a loop over rows.

The format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"

_POSTGRES_EPOCH_MS: Final = 946_684_800_000  # 2000-01-01T00:00:00Z
_ARRAY_HEADER_BYTES: Final = 20
_LENGTH_BYTES: Final = 4
_NULL: Final = -1


class Type(Enum):
    """(NumPy's code, bytes, PostgreSQL's number of the type)."""

    INT2 = (">i2", 2, 21)
    INT4 = (">i4", 4, 23)
    FLOAT8 = (">f8", 8, 701)
    TIMESTAMPTZ = (">i8", 8, 1184)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """values: [n], or [n, slots] of an array type. missing: where it is NULL, of an array by element."""

    kind: Type
    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None

    @property
    def slots(self) -> int | None:
        return self.values.shape[1] if self.values.ndim > 1 else None

    def of(self, rows: NDArray[np.bool_]) -> "Column":
        missing = None if self.missing is None else self.missing[rows]
        return Column(self.kind, self.values[rows], missing)


def encode_parts(parts: Iterable[Sequence[Column | None]]) -> Iterator[bytes]:
    """A whole COPY stream; the rows of a part at a time."""
    yield _HEADER
    for columns in parts:
        yield encode(columns)
    yield _TRAILER


def encode(columns: Sequence[Column | None]) -> bytes:
    """Rows without header and trailer; all columns have as many. None: NULL in every row."""
    count = next(len(column.values) for column in columns if column is not None)
    table = np.zeros(count, [("columns", ">i2"), *map(_field, enumerate(columns))])
    table["columns"] = len(columns)
    holes: list[tuple[int, Column]] = []
    for place, column in enumerate(columns):
        field = table[f"{place}"]
        if column is None:
            field["length"] = _NULL
            continue
        if column.slots is None:
            _fill_scalars(field, column)
        else:
            _fill_arrays(field, column)
        if column.missing is not None and column.missing.any():
            holes.append((place, column))
    return _without_holes(table, holes) if holes else table.tobytes()


def postgres_times(times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a timestamptz holds, of Unix milliseconds."""
    return (times_ms - _POSTGRES_EPOCH_MS) * 1000


def _field(numbered: tuple[int, Column | None]) -> tuple[str, list[tuple[Any, ...]]]:
    place, column = numbered
    if column is None:
        return f"{place}", [("length", ">i4")]
    code = column.kind.value[0]
    if column.slots is None:
        return f"{place}", [("length", ">i4"), ("value", code)]
    return f"{place}", [
        ("length", ">i4"),
        ("dimensions", ">i4"),
        ("has_null", ">i4"),
        ("element_type", ">i4"),
        ("size", ">i4"),
        ("lower_bound", ">i4"),
        ("elements", [("length", ">i4"), ("value", code)], (column.slots,)),
    ]


def _fill_scalars(field: NDArray[Any], column: Column) -> None:
    field["length"], field["value"] = column.kind.value[1], column.values
    if column.missing is not None:
        field["length"][column.missing] = _NULL


def _fill_arrays(field: NDArray[Any], column: Column) -> None:
    _, octets, number = column.kind.value
    slots = column.values.shape[1]
    field["length"] = _ARRAY_HEADER_BYTES + slots * (_LENGTH_BYTES + octets)
    field["dimensions"] = 1
    field["element_type"] = number
    field["size"] = slots
    field["lower_bound"] = 1
    field["elements"]["length"] = octets
    field["elements"]["value"] = column.values
    if column.missing is not None:
        nulls = column.missing.sum(axis=1)
        field["length"] -= octets * nulls
        field["has_null"] = nulls > 0
        field["elements"]["length"][column.missing] = _NULL


def _without_holes(table: NDArray[Any], holes: Sequence[tuple[int, Column]]) -> bytes:
    """The table's bytes but for the values of what is missing: a NULL has a length and no value."""
    count, row_bytes = len(table), table.dtype.itemsize
    octets = table.view(np.uint8).reshape(count, row_bytes)
    kept = np.ones(octets.shape, np.bool_)
    for place, column in holes:
        missing = column.missing
        assert missing is not None  # noqa: S101 # it has holes
        start = _offset(table.dtype, f"{place}")
        value_bytes = column.kind.value[1]
        if column.slots is None:
            first = start + _LENGTH_BYTES
            kept[:, first : first + value_bytes] = ~missing[:, np.newaxis]
            continue
        start += _LENGTH_BYTES + _ARRAY_HEADER_BYTES
        size = _LENGTH_BYTES + value_bytes
        elements = np.ones((count, column.slots, size), np.bool_)
        elements[:, :, _LENGTH_BYTES:] = ~missing[:, :, np.newaxis]
        kept[:, start : start + column.slots * size] = elements.reshape(count, -1)
    return octets[kept].tobytes()


def _offset(row: np.dtype[Any], name: str) -> int:
    fields = row.fields
    assert fields is not None  # noqa: S101 # a structured type has fields
    offset: int = fields[name][1]
    return offset
