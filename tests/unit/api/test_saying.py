"""How observations are said."""

from services.api.series.model import Series, code_keys, keys_and_ids
from services.api.series.saying import touched
from services.core.city.catalogue import Kind

CODES = (
    {"value": 1, "key": "door"},
    {"value": 2, "key": "flood"},
    {"value": 4, "key": "fire"},
)


def test_a_state_is_one_word_and_bits_are_all_that_are_set() -> None:
    assert code_keys(Kind.STATE, CODES, 2.0) == ["flood"]
    assert code_keys(Kind.STATE, CODES, 3.0) == []
    assert code_keys(Kind.BITS, CODES, 5.0) == ["door", "fire"]
    assert code_keys(Kind.BITS, CODES, 0.0) == []


def test_digits_are_an_id_and_everything_else_a_key() -> None:
    assert keys_and_ids(["a.b", "17", "2026.x", "9" * 30]) == (["a.b", "2026.x"], [17])


def series(datastream_id: int) -> Series:
    return Series(
        datastream_id, "", {}, "", "", Kind.MEASUREMENT, "1", 1, 0, frozenset(), ()
    )


def test_a_page_has_the_series_from_where_it_begins_to_where_it_ends() -> None:
    asked = [series(number) for number in (1, 2, 3)]

    def ids(after: tuple[int, int] | None, until: tuple[int, int] | None) -> list[int]:
        return [one.datastream_id for one in touched(asked, after, until)]

    assert ids(None, None) == [1, 2, 3]
    assert ids(None, (2, 5)) == [1, 2]
    assert ids((2, 5), (2, 9)) == [2]
    assert ids((2, 9), None) == [2, 3]
