"""Columns become rows that PostgreSQL reads; here they are read back by the letter of its manual."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.core.storage.copy_format import Column, Type, encode, postgres_times

FORMATS = {
    Type.INT2: ">h",
    Type.INT4: ">i",
    Type.FLOAT8: ">d",
    Type.TIMESTAMPTZ: ">q",
}
DTYPES = {
    Type.INT2: np.int16,
    Type.INT4: np.int32,
    Type.FLOAT8: np.float64,
    Type.TIMESTAMPTZ: np.int64,
}


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self.data, self.place)
        self.place += struct.calcsize(form)
        return value

    def scalar(self, kind: Type) -> Any:
        length = self.take(">i")
        if length == -1:
            return None
        assert length == struct.calcsize(FORMATS[kind])
        return self.take(FORMATS[kind])

    def array(self, kind: Type) -> list[Any] | None:
        length = self.take(">i")
        if length == -1:
            return None
        end = self.place + length
        dimensions, has_null, number = (self.take(">i") for _ in range(3))
        size, lower_bound = self.take(">i"), self.take(">i")
        assert (dimensions, number, lower_bound) == (1, kind.value[2], 1)
        values = [self.scalar(kind) for _ in range(size)]
        assert bool(has_null) == (None in values)
        assert self.place == end
        return values


@st.composite
def columns(draw: st.DrawFn, rows: int) -> tuple[Column | None, list[Any]]:
    """A column, and what its rows should say."""
    kind = draw(st.sampled_from(Type))
    slots = draw(st.integers(0, 3))
    shape = (rows, slots) if slots else (rows,)
    finite = {"allow_nan": False} if kind is Type.FLOAT8 else {}
    values = draw(arrays.arrays(DTYPES[kind], shape, elements=finite))
    if draw(st.booleans()):
        return Column(kind, values), values.tolist()
    missing = draw(arrays.arrays(np.bool_, shape))
    said = values.astype(object)
    said[missing] = None
    return Column(kind, values, missing), said.tolist()


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[Column | None, list[Any]]]:
    rows = draw(st.integers(0, 5))
    first = draw(columns(rows))
    others = st.one_of(columns(rows), st.just((None, [None] * rows)))
    return [first, *draw(st.lists(others, max_size=4))]


@given(tables())
def test_every_row_comes_back(table: list[tuple[Column | None, list[Any]]]) -> None:
    encoded = encode([column for column, _ in table])
    reader = Reader(encoded)

    def fields() -> Iterator[Any]:
        for column, _ in table:
            if column is None or column.slots is None:
                yield reader.scalar(Type.INT4 if column is None else column.kind)
            else:
                yield reader.array(column.kind)

    for row in range(len(table[0][1])):
        assert reader.take(">h") == len(table)
        assert list(fields()) == [said[row] for _, said in table]
    assert reader.place == len(encoded)


def test_rows_are_chosen_with_what_they_lack() -> None:
    column = Column(
        Type.INT4, np.array([1, 2, 3], np.int32), np.array([False, True, True])
    )
    chosen = column.of(np.array([True, False, True]))
    assert encode([chosen]) == bytes.fromhex("00010000000400000001 0001ffffffff")


def test_a_timestamp_counts_microseconds_from_2000() -> None:
    assert postgres_times(np.array([946_684_800_001])).tolist() == [1000]
