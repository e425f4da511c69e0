"""Cursors: read back by the request they came from, and by no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.paging import CursorRefusedError, read_cursor, write_cursor

keys = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3)


@given(keys, st.text())
def test_a_cursor_is_read_back(place: list[int], request: str) -> None:
    cursor = write_cursor(place, request)
    assert read_cursor(cursor, request, len(place)) == tuple(place)
    assert cursor.isascii()
    assert not set("+/=&?# ") & set(cursor)


@given(keys)
def test_another_request_or_another_number_of_keys_is_refused(place: list[int]) -> None:
    cursor = write_cursor(place, "/things?[]")
    with pytest.raises(CursorRefusedError):
        read_cursor(cursor, "/devices?[]", len(place))
    with pytest.raises(CursorRefusedError):
        read_cursor(cursor, "/things?[]", len(place) + 1)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_nonsense_is_refused_and_never_an_error_of_ours(nonsense: str) -> None:
    with pytest.raises(CursorRefusedError):
        read_cursor(nonsense, "/things?[]", 1)


@pytest.mark.parametrize(
    "cursor", ["W10", "e30", "WzEuNSwyXQ", "W3RydWUsMV0", "Wy0xLDFlOTlefQ", "[" * 150]
)
def test_json_that_is_no_place_is_refused(cursor: str) -> None:
    with pytest.raises(CursorRefusedError):
        read_cursor(cursor, "", 1)
