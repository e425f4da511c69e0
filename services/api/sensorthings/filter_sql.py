"""PURE: a filter's tree as SQL: columns from the table of entity sets, values as bound parameters, nothing else."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.api.failures import BadQueryError, NotOfferedError
from services.api.moments import read_moment
from services.api.sensorthings.entities import ENTITY_SETS
from services.api.sensorthings.filter_grammar import (
    COMPARISONS,
    Binary,
    Call,
    Expression,
    FilterRefusedError,
    GeographyError,
    Literal,
    Logic,
    Not,
    Path,
    read_filter,
)
from services.api.sensorthings.functions import FUNCTIONS, GEOGRAPHY, Function
from services.api.sensorthings.model import Column, EntitySet, Kind, Voice

_SQL: Final = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_ARITHMETIC: Final = {
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / nullif({1}, 0))",
    "mod": "mod(({0})::numeric, nullif(({1})::numeric, 0))::float8",
}
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.NUMBER})
_INT4: Final = 1 << 31
_MOST_HOPS: Final = 4
_MOST_JOINS: Final = 12


def parse(text: str) -> Expression:
    """Raises BadQueryError and NotOfferedError."""
    try:
        return read_filter(text)
    except GeographyError as error:
        raise NotOfferedError(f"$filter: {error}") from error
    except FilterRefusedError as error:
        raise BadQueryError(f"$filter: {error}") from error


@dataclass(slots=True)
class Bound:
    """Parameters of one query, in the order of their numbers."""

    voice: Voice
    now: dt.datetime
    values: list[Any] = field(default_factory=list)
    aliases: int = 0
    _words: dict[str, str] = field(default_factory=dict)

    def add(self, value: Any, type_name: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{type_name}"

    def fill(self, sql: str, alias: str) -> str:
        """A column's SQL of the row `alias`."""
        words = {
            "lang": (self.voice.language, "text"),
            "base": (self.voice.base, "text"),
            "now": (self.now, "timestamptz"),
        }
        for word, (value, type_name) in words.items():
            if f"{{{word}}}" in sql:
                if word not in self._words:
                    self._words[word] = self.add(value, type_name)
                sql = sql.replace(f"{{{word}}}", self._words[word])
        return sql.replace("{e}", alias)

    def alias(self) -> str:
        self.aliases += 1
        if self.aliases > _MOST_JOINS:
            raise BadQueryError(
                f"$filter: it leads to more than {_MOST_JOINS} other entities."
            )
        return f"n{self.aliases}"


def where(
    entity_set: EntitySet, alias: str, expression: Expression, bound: Bound
) -> str:
    """A condition on rows `alias` of the set.

    Raises:
        BadQueryError: a property that is not there, or kinds that do not go together.
        NotOfferedError: geography.
    """
    return _Atoms(entity_set, alias, bound).condition(expression)


class _Atoms:
    """Conditions of one entity set. Whatever leads to other entities asks whether there is one for which it holds."""

    def __init__(self, entity_set: EntitySet, alias: str, bound: Bound) -> None:
        self._set = entity_set
        self._alias = alias
        self._bound = bound

    def condition(self, expression: Expression) -> str:
        match expression:
            case Logic(word, operands):
                inner = f" {word.upper()} ".join(map(self.condition, operands))
                return f"({inner})"
            case Not(operand):
                return f"(NOT {self.condition(operand)})"
            case _:
                return self._atom(expression)

    def _atom(self, expression: Expression) -> str:
        joins = _Joins(self._set, self._alias, self._bound)
        terms = _Terms(joins, self._bound)
        if terms.kind(expression) is not Kind.TRUTH:
            raise BadQueryError(
                "$filter: it must say what is true, such as: name eq 'x'."
            )
        return joins.wrap(terms.sql(expression, Kind.TRUTH))


@dataclass(slots=True)
class _Joins:
    """The other entities that an atom speaks of, each once."""

    entity_set: EntitySet
    alias: str
    bound: Bound
    _found: dict[tuple[str, ...], tuple[EntitySet, str]] = field(default_factory=dict)
    _from: list[str] = field(default_factory=list)
    _on: list[str] = field(default_factory=list)

    def column(self, path: Path) -> tuple[EntitySet, tuple[str, ...], str]:
        """The set, the way to it, and what is left of the path: a column's name."""
        current, way = self.entity_set, list(path.steps)
        hops: list[str] = []
        while way:
            navigation = next(
                (one for one in current.navigations if one.name == way[0]), None
            )
            if navigation is None:
                break
            current = ENTITY_SETS[navigation.target]
            hops.append(way.pop(0))
            if not current.table:
                raise BadQueryError(
                    f"$filter: {'/'.join(path.steps)}: observations are asked for at Observations itself, "
                    "where Datastream/… and FeatureOfInterest/… lead back."
                )
        if len(hops) > _MOST_HOPS:
            raise BadQueryError(
                f"$filter: {'/'.join(path.steps)} leads over more than {_MOST_HOPS} entities."
            )
        return current, tuple(hops), "/".join(way)

    def joined(self, hops: tuple[str, ...]) -> str:
        """The alias of the entity at the end of the way."""
        if not hops:
            return self.alias
        if hops not in self._found:
            before_set, before = self._before(hops)
            navigation = next(
                one for one in before_set.navigations if one.name == hops[-1]
            )
            target, alias = ENTITY_SETS[navigation.target], self.bound.alias()
            self._from.append(f"{target.table} {alias}")
            self._on.append(f"{alias}.{navigation.theirs} = {before}.{navigation.own}")
            self._found[hops] = (target, alias)
        return self._found[hops][1]

    def _before(self, hops: tuple[str, ...]) -> tuple[EntitySet, str]:
        if len(hops) == 1:
            return self.entity_set, self.alias
        self.joined(hops[:-1])
        return self._found[hops[:-1]]

    def wrap(self, condition: str) -> str:
        if not self._from:
            return condition
        return (
            f"EXISTS (SELECT FROM {', '.join(self._from)} "  # aliases and the table's names
            f"WHERE {' AND '.join(self._on)} AND {condition})"
        )


@dataclass(frozen=True, slots=True)
class _Terms:
    """Values, and comparisons of them."""

    joins: _Joins
    bound: Bound

    def kind(self, node: Expression, wanted: Kind | None = None) -> Kind | None:
        """None: null, which goes with everything."""
        match node:
            case Literal(value):
                return _literal_kind(value, wanted)
            case Path():
                return self._column(node, wanted)[0].kind
            case Call(name, arguments):
                return _function(name, arguments).gives
            case Binary(word):
                return Kind.TRUTH if word in COMPARISONS else Kind.NUMBER
            case Logic() | Not():
                return Kind.TRUTH

    def sql(self, node: Expression, wanted: Kind) -> str:
        """SQL of a value of that kind."""
        found = self.kind(node, wanted)
        if found is not wanted and not (wanted is Kind.NUMBER and found in _NUMBERS):
            raise BadQueryError(
                f"$filter: {_name(node)} is {found or 'null'}, and {wanted} is needed."
            )
        match node:
            case Literal(value):
                return self._literal(value, wanted)
            case Path():
                return self._path(node, wanted)
            case Call(name, arguments):
                return self._call(_function(name, arguments), arguments)
            case Binary(word, left, right) if word in COMPARISONS:
                return self._compare(word, left, right)
            case Binary(word, left, right):
                values = (self.sql(one, Kind.NUMBER) for one in (left, right))
                return _ARITHMETIC[word].format(*values)
            case Logic(word, operands):
                inner = (self.sql(one, Kind.TRUTH) for one in operands)
                return f"({f' {word.upper()} '.join(inner)})"
            case Not(operand):
                return f"(NOT {self.sql(operand, Kind.TRUTH)})"

    def _compare(self, word: str, left: Expression, right: Expression) -> str:
        if null := next((one for one in (left, right) if one == Literal(None)), None):
            return self._compare_null(word, right if null is left else left)
        kind = self._shared_kind(left, right)
        return f"({self.sql(left, kind)} {_SQL[word]} {self.sql(right, kind)})"

    def _compare_null(self, word: str, other: Expression) -> str:
        kind = self.kind(other)
        if word not in {"eq", "ne"} or kind is None:
            raise BadQueryError("$filter: null is only equal to something or not.")
        return f"({self.sql(other, kind)} IS {'NOT ' if word == 'ne' else ''}NULL)"

    def _shared_kind(self, left: Expression, right: Expression) -> Kind:
        """What both sides can be: a quoted time is a time beside a time, a state's result a text beside a text."""
        one, other = self.kind(left), self.kind(right)
        if one is other and one is not None:
            return one
        if {one, other} <= _NUMBERS:
            return Kind.NUMBER
        for kind in (other, one):
            if (
                kind
                and self.kind(left, kind) is kind
                and self.kind(right, kind) is kind
            ):
                return kind
        raise BadQueryError(
            f"$filter: {_name(left)} is {one}, {_name(right)} is {other}: they cannot be compared."
        )

    def _literal(self, value: Any, wanted: Kind) -> str:
        match wanted:
            case Kind.INTEGER:
                fits = -_INT4 <= value < _INT4
                # A long number only ever equals an observation's; as a text it may have any length.
                if fits:
                    return self.bound.add(value, "int")
                return self.bound.add(str(value), "text") + "::numeric"
            case Kind.NUMBER:
                return self.bound.add(float(value), "float8")
            case Kind.TIME:
                return self.bound.add(_as_moment(value), "timestamptz")
            case Kind.TRUTH:
                return self.bound.add(value, "boolean")
            case Kind.TEXT:
                return self.bound.add(value, "text")

    def _path(self, path: Path, wanted: Kind) -> str:
        column, hops = self._column(path, wanted)
        sql = self.bound.fill(column.sql, self.joins.joined(hops))
        widened = wanted is Kind.NUMBER and column.kind is Kind.INTEGER
        return f"({sql})::float8" if widened else f"({sql})"

    def _column(
        self, path: Path, wanted: Kind | None
    ) -> tuple[Column, tuple[str, ...]]:
        entity_set, hops, name = self.joins.column(path)
        columns = entity_set.columns
        if wanted is Kind.TEXT and f"{name}/$text" in columns:
            return columns[f"{name}/$text"], hops
        if name not in columns:
            raise BadQueryError(f"$filter: {what_can_be_asked(entity_set, path)}")
        return columns[name], hops

    def _call(self, function: Function, arguments: Sequence[Expression]) -> str:
        values = [
            self.sql(one, kind)
            for one, kind in zip(arguments, function.takes, strict=True)
        ]
        if not values:
            return self.bound.fill(function.sql, "")
        return function.sql.format(*values)


def what_can_be_asked(entity_set: EntitySet, path: Path) -> str:
    names = ", ".join(
        name for name in entity_set.columns if "$" not in name and "@" not in name
    )
    links = ", ".join(
        f"{one.name}/…" for one in entity_set.links if ENTITY_SETS[one.target].table
    )
    return (
        f"{'/'.join(path.steps)!r} is not something that can be asked of {entity_set.singular}; "
        f"there are: {names}, {links}."
    )


def conjuncts(expression: Expression | None) -> Iterator[Expression]:
    """What must all be true."""
    match expression:
        case None:
            return
        case Logic("and", operands):
            for operand in operands:
                yield from conjuncts(operand)
        case _:
            yield expression


def _function(name: str, arguments: Sequence[Expression]) -> Function:
    if name.startswith(GEOGRAPHY):
        raise NotOfferedError(f"$filter: {name}: geography is not offered here.")
    if name not in FUNCTIONS:
        raise BadQueryError(
            f"$filter: there is no function {name!r}; there are: {', '.join(FUNCTIONS)}."
        )
    function = FUNCTIONS[name]
    if len(arguments) != len(function.takes):
        raise BadQueryError(
            f"$filter: {name} takes {len(function.takes)} arguments, not {len(arguments)}."
        )
    return function


def _literal_kind(value: object, wanted: Kind | None) -> Kind | None:
    match value:
        case None:
            return None
        case bool():
            return Kind.TRUTH
        case int():
            return Kind.INTEGER
        case float():
            return Kind.NUMBER
        case dt.datetime():
            return Kind.TIME
        case _:
            return Kind.TIME if wanted is Kind.TIME else Kind.TEXT


def _as_moment(value: str | dt.datetime) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    try:
        return read_moment(value)
    except ValueError as error:
        raise BadQueryError(f"$filter: {value!r} {error}.") from error


def _name(node: Expression) -> str:
    match node:
        case Path(steps):
            return "/".join(steps)
        case Literal(value):
            return repr(value)
        case Call(name):
            return f"{name}(…)"
        case _:
            return "this expression"
