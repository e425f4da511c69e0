"""PURE: what is asked of observations, taken apart: which datastreams, between which times, and what is left to filter."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.api.failures import BadQueryError
from services.api.sensorthings.entities import OBSERVATIONS
from services.api.sensorthings.filter_grammar import (
    Binary,
    Call,
    Expression,
    Literal,
    Logic,
    Not,
    Path,
)
from services.api.sensorthings.filter_sql import conjuncts
from services.api.sensorthings.options import Order
from services.api.sensorthings.saying import BEGINNING
from services.core.city.ids import observation_key
from services.core.clock import to_milliseconds

FIRST_MS: Final = to_milliseconds(BEGINNING)
LAST_MS: Final = FIRST_MS + (1 << 40)  # as far as observations' ids reach
_ID_END: Final = 1 << 31
_TIMES: Final = ("phenomenonTime", "resultTime")
_MIRRORED: Final = {
    "eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds [first, end) of one of an observation's times."""

    first: int = FIRST_MS
    end: int = LAST_MS

    def narrowed(self, word: str, at: int) -> "Times":
        match word:
            case "eq":
                return Times(max(self.first, at), min(self.end, at + 1))
            case "ge":
                return Times(max(self.first, at), self.end)
            case "gt":
                return Times(max(self.first, at + 1), self.end)
            case "lt":
                return Times(self.first, min(self.end, at))
            case _:
                return Times(self.first, min(self.end, at + 1))


@dataclass(frozen=True, slots=True)
class Apart:
    """datastreams: a filter of the set Datastreams. stored: milliseconds of the stored stamp, from an id. rest: of observations."""

    datastreams: Expression | None
    datastream_ids: frozenset[int] | None
    begins: Times
    ends: Times
    stored: Times
    rest: Expression | None


def take_apart(expression: Expression | None) -> Apart:
    """Raises BadQueryError for an `or` of a datastream's and an observation's own properties."""
    apart = Apart(None, None, Times(), Times(), Times(), None)
    of_datastreams: list[Expression] = []
    rest: list[Expression] = []
    for conjunct in conjuncts(expression):
        narrowed = _by_time(apart, conjunct) or _by_id(apart, conjunct)
        if narrowed is not None:
            apart = narrowed
        elif _speaks_of_others(conjunct):
            of_datastreams.append(_from_datastream(conjunct))
        else:
            rest.append(conjunct)
    return replace(apart, datastreams=_both(of_datastreams), rest=_both(rest))


def by_time(orders: Sequence[Order]) -> tuple[str, bool]:
    """(id, phenomenonTime or resultTime; whether descending). Whatever comes after the first is settled by it.

    Raises:
        BadQueryError: two different times, which no index has.
    """
    if not orders:
        return "id", False
    first, *others = orders
    if first.column != "id" and any(one.column in _TIMES for one in others):
        raise BadQueryError("$orderby: observations are ordered by one time.")
    return first.column, first.descending


def _both(conditions: list[Expression]) -> Expression | None:
    if len(conditions) > 1:
        return Logic("and", tuple(conditions))
    return conditions[0] if conditions else None


def _sides(conjunct: Expression) -> Iterator[tuple[Path, str, Literal]]:
    """A comparison of a property with a value, the property first."""
    match conjunct:
        case Binary(word, Path() as path, Literal() as literal) if word in _MIRRORED:
            yield path, word, literal
        case Binary(word, Literal() as literal, Path() as path) if word in _MIRRORED:
            yield path, _MIRRORED[word], literal
        case _:
            return


def _by_time(apart: Apart, conjunct: Expression) -> Apart | None:
    for path, word, literal in _sides(conjunct):
        moment = literal.value
        if word == "ne" or not isinstance(moment, dt.datetime):
            return None
        at = to_milliseconds(moment)
        match path.steps:
            case ("phenomenonTime",):
                return replace(apart, begins=apart.begins.narrowed(word, at))
            case ("resultTime",):
                return replace(apart, ends=apart.ends.narrowed(word, at))
            case _:
                return None
    return None


def _by_id(apart: Apart, conjunct: Expression) -> Apart | None:
    for path, word, literal in _sides(conjunct):
        number = literal.value
        if word != "eq" or not isinstance(number, int) or isinstance(number, bool):
            return None
        if path.steps in {("id",), ("@iot.id",)}:
            datastream_id, time_ms = observation_key(number)
            apart = replace(apart, stored=apart.stored.narrowed("eq", time_ms))
        elif path.steps[0] == "Datastream" and path.steps[1:] in {
            ("id",),
            ("@iot.id",),
        }:
            datastream_id = number
        else:
            return None
        known = apart.datastream_ids
        ids = frozenset({datastream_id} if 0 < datastream_id < _ID_END else ())
        return replace(apart, datastream_ids=ids if known is None else known & ids)
    return None


def _paths(expression: Expression) -> Iterator[Path]:
    match expression:
        case Path():
            yield expression
        case Call(_, parts) | Logic(_, parts):
            for part in parts:
                yield from _paths(part)
        case Binary(_, left, right):
            yield from _paths(left)
            yield from _paths(right)
        case Not(operand):
            yield from _paths(operand)
        case Literal():
            return


def _speaks_of_others(conjunct: Expression) -> bool:
    ways = {path.steps[0] for path in _paths(conjunct)}
    others = {one.name for one in OBSERVATIONS.links}
    if ways & others and ways - others:
        raise BadQueryError(
            "$filter: a datastream's and an observation's own properties can be joined by `and`, "
            "not by `or`, `not` or a comparison: ask twice."
        )
    return bool(ways & others)


def _from_datastream(expression: Expression) -> Expression:
    """The same, as the datastream sees it: its own properties without the step to it."""
    match expression:
        case Path(("Datastream", *steps)):
            return Path(tuple(steps))
        case Call(name, parts):
            return Call(name, tuple(map(_from_datastream, parts)))
        case Logic(word, parts):
            return Logic(word, tuple(map(_from_datastream, parts)))
        case Binary(word, left, right):
            return Binary(word, _from_datastream(left), _from_datastream(right))
        case Not(operand):
            return Not(_from_datastream(operand))
        case _:
            return expression
