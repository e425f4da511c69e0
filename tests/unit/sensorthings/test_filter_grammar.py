"""The grammar of $filter: precedence, round trips, and no text that makes it fail."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.failures import BadQueryError, NotOfferedError
from services.api.sensorthings.entities import ENTITY_SETS
from services.api.sensorthings.filter_grammar import (
    COMPARISONS,
    DEEPEST,
    LONGEST,
    Binary,
    Call,
    Expression,
    FilterRefusedError,
    Literal,
    Logic,
    Not,
    Path,
    read_filter,
    write_filter,
)
from services.api.sensorthings.filter_sql import Bound, parse, where
from services.api.sensorthings.model import Voice
from services.core.clock import from_milliseconds

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
MOMENTS = st.integers(0, 4_102_444_799_999).map(from_milliseconds)
LITERALS = st.one_of(
    TEXTS,
    st.integers(-(10**15), 10**15),
    st.floats(-1e12, 1e12, allow_nan=False).filter(lambda one: "." in repr(one)),
    st.booleans(),
    MOMENTS,
    st.none(),
).map(Literal)
PATHS = st.sampled_from(
    [("name",), ("@iot.id",), ("Datastream", "Thing", "name"), ("properties", "key")]
).map(Path)


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    pairs = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Binary, st.sampled_from([*COMPARISONS, "add", "div"]), inner, inner),
        st.builds(Logic, st.sampled_from(["and", "or"]), pairs),
        st.builds(Not, inner),
        st.builds(Call, st.sampled_from(["length", "contains"]), pairs),
    )


EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(LITERALS, PATHS), grown, max_leaves=8
)


@given(EXPRESSIONS)
def test_what_is_written_reads_as_the_same(expression: Expression) -> None:
    assert read_filter(write_filter(expression)) == expression


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    with suppress(FilterRefusedError):
        read_filter(text)


WORDS = st.sampled_from(
    ['name', 'id', 'result', 'eq', 'ne', 'gt', 'and', 'or', 'not', '(', ')', ',', "'x'", '5', '-1.5', 'null', 'true', 'add', 'div', 'length(', 'now()', 'contains(', 'Datastreams/name', 'Thing/id', 'phenomenonTime', '2026-11-22T00:00:00Z', 'properties/key', 'geo.length(']
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map(" ".join), st.sampled_from(sorted(ENTITY_SETS)))
def test_whatever_is_asked_is_sql_or_a_refusal(text: str, name: str) -> None:
    bound = Bound(Voice("en", "http://api.test"), NOW)
    with suppress(BadQueryError, NotOfferedError):
        sql = where(ENTITY_SETS[name], "e", parse(text), bound)
        assert sql.count("$") >= len(bound.values)
        assert "'x'" not in sql


@given(TEXTS)
def test_a_value_never_becomes_sql(text: str) -> None:
    bound = Bound(Voice("en", "http://api.test"), NOW)
    expression = Binary("eq", Path(("name",)), Literal(text))
    sql = where(ENTITY_SETS["Things"], "e", parse(write_filter(expression)), bound)
    assert sql == "(((e.name->>$1::text)) = $2::text)"
    assert bound.values == ["en", text]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a eq 1 or b eq 2 and c eq 3", "a eq 1 or (b eq 2 and c eq 3)"),
        ("not a eq 1 and b eq 2", "(not (a eq 1)) and b eq 2"),
        ("a add 2 mul 3 eq 7", "(a add (2 mul 3)) eq 7"),
        ("a sub 1 sub 2 eq 3", "((a sub 1) sub 2) eq 3"),
        ("  a   eq\t'it''s' ", "a eq 'it''s'"),
        ("t ge 2026-11-22", "t ge 2026-11-22T00:00:00Z"),
        ("t ge 2026-11-22T09:00:00 05:00", "t ge 2026-11-22T04:00:00.000Z"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    assert read_filter(text) == read_filter(same)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "(" * (DEEPEST + 1) + "a eq 1" + ")" * (DEEPEST + 1),
        "not " * (DEEPEST + 1) + "a eq 1",
        " add ".join("a" * 50) + " eq 1",
        "a eq '" + "x" * LONGEST + "'",
        "a eq 1e999",
        "a eq " + "9" * 100,
        "a eq 2026-02-31",
        "a eq 1 b",
        "a eq 1 and",
        "a eq 'x\x00'",
        "a = 1",
        "eq eq eq",
        "duration'P1D' eq 1",
        " or ".join(["a eq 1"] * 200),
    ],
)
def test_what_is_too_much_or_nothing_is_refused(text: str) -> None:
    if text == "a":
        assert read_filter(text) == Path(("a",))
        return
    with pytest.raises(FilterRefusedError):
        read_filter(text)
