"""PURE: query options, of a request and within $expand: text to values, every limit in one place.

Source: OGC 18-088, clause 9.3 (requesting data).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from services.api.failures import BadQueryError
from services.api.sensorthings.entities import ENTITY_SETS, OBSERVATIONS
from services.api.sensorthings.filter_grammar import Expression
from services.api.sensorthings.filter_sql import parse
from services.api.sensorthings.model import EntitySet, Navigation
from services.core.city.language import Language

PAGE: Final = 100
LARGEST_PAGE: Final = 1_000
LARGEST_SKIP: Final = 10_000
DEEPEST_EXPAND: Final = 4
_MOST_EXPANDS: Final = 20
_LONGEST: Final = 8_000
_MOST_ORDERS: Final = 5
_MOST_DIGITS: Final = 9
_DATA_ARRAY: Final = "dataArray"
_LANGUAGES: Final[Mapping[str, Language]] = {one: one for one in get_args(Language)}
OPTIONS: Final = (
    "$top",
    "$skip",
    "$count",
    "$select",
    "$orderby",
    "$expand",
    "$filter",
)
_OF_REQUESTS: Final = ("$resultFormat", "$skiptoken", "lang")


@dataclass(frozen=True, slots=True)
class Order:
    """column: a name of the set's columns."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Expand:
    """texts: its own options as they were written, for the links to further pages."""

    navigation: Navigation
    options: "Options"
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Options:
    """select: names of properties and navigations, None all. top: None where nothing was said."""

    top: int | None = None
    skip: int = 0
    count: bool = False
    select: frozenset[str] | None = None
    orders: tuple[Order, ...] = ()
    expands: tuple[Expand, ...] = ()
    filter: Expression | None = None
    token: str | None = None
    data_array: bool = False
    language: Language = "en"

    @property
    def page(self) -> int:
        return PAGE if self.top is None else min(self.top, LARGEST_PAGE)

    def shows(self, name: str) -> bool:
        return self.select is None or name in self.select


def read_options(
    entity_set: EntitySet, pairs: Iterable[tuple[str, str]], *, many: bool
) -> Options:
    """The options of a request. many: for a whole set, else for one entity.

    Raises:
        BadQueryError: one is not known, said twice, or not as it should be.
    """
    return _read(entity_set, _once(pairs), (*OPTIONS, *_OF_REQUESTS), 0, many=many)


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in pairs:
        if name in found:
            raise BadQueryError(f"{name} is there twice.")
        if len(text) > _LONGEST:
            raise BadQueryError(f"{name} has more than {_LONGEST} characters.")
        if "\x00" in text:
            raise BadQueryError(f"{name} has a NUL in it.")
        found[name] = text
    return found


def _read(
    entity_set: EntitySet,
    texts: Mapping[str, str],
    known: Sequence[str],
    depth: int,
    *,
    many: bool,
) -> Options:
    if unknown := [name for name in texts if name not in known]:
        raise BadQueryError(
            f"There is no query option {unknown[0]!r}; there are: {', '.join(known)}."
        )
    of_one = {"$select", "$expand", "lang"}
    if not many and (strange := [name for name in texts if name not in of_one]):
        raise BadQueryError(f"{strange[0]} is for whole sets; this is one entity.")
    given = texts.get
    filter_text = given("$filter")
    return Options(
        top=_natural("$top", given("$top")),
        skip=_skip(given("$skip")),
        count=_truth("$count", given("$count")),
        select=_select(entity_set, given("$select")),
        orders=tuple(_orders(entity_set, given("$orderby"))),
        expands=tuple(_expands(entity_set, given("$expand"), depth + 1)),
        filter=None if filter_text is None else parse(filter_text),
        token=given("$skiptoken"),
        data_array=_data_array(entity_set, given("$resultFormat")),
        language=_language(given("lang")),
    )


def _natural(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadQueryError(f"{name} is a whole number from 0, not {text[:20]!r}.")
    return int(text)


def _skip(text: str | None) -> int:
    skip = _natural("$skip", text) or 0
    if skip > LARGEST_SKIP:
        raise BadQueryError(
            f"$skip is at most {LARGEST_SKIP}: follow @iot.nextLink, or narrow with $filter."
        )
    return skip


def _truth(name: str, text: str | None) -> bool:
    if text not in {None, "true", "false"}:
        raise BadQueryError(f"{name} is true or false, not {(text or '')[:20]!r}.")
    return text == "true"


def _language(text: str | None) -> Language:
    if text is not None and text not in _LANGUAGES:
        raise BadQueryError(f"lang is one of {', '.join(_LANGUAGES)}.")
    return _LANGUAGES[text or "en"]


def _data_array(entity_set: EntitySet, text: str | None) -> bool:
    if text is None:
        return False
    if text != _DATA_ARRAY or entity_set is not OBSERVATIONS:
        raise BadQueryError("$resultFormat is dataArray, and only of Observations.")
    return True


def _select(entity_set: EntitySet, text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    there_are = [one.name for one in entity_set.properties]
    there_are += [one.name for one in entity_set.links]
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in {"id", "@iot.id", *there_are}:
            raise BadQueryError(
                f"$select: {entity_set.singular} has no {name[:50]!r}; there are: id, {', '.join(there_are)}."
            )
    return frozenset("id" if name == "@iot.id" else name for name in names)


def _orders(entity_set: EntitySet, text: str | None) -> Iterator[Order]:
    if text is None:
        return
    parts = text.split(",")
    if len(parts) > _MOST_ORDERS:
        raise BadQueryError(f"$orderby has at most {_MOST_ORDERS} parts.")
    columns = {
        name: column for name, column in entity_set.columns.items() if column.sortable
    }
    for part in parts:
        name, _, direction = part.strip().partition(" ")
        if name not in columns:
            there_are = ", ".join(one for one in columns if "@" not in one)
            raise BadQueryError(
                f"$orderby: {entity_set.name} cannot be ordered by {name[:50]!r}; there are: {there_are}."
            )
        if direction.strip().lower() not in {"", "asc", "desc"}:
            raise BadQueryError(f"$orderby: after {name} comes asc or desc.")
        yield Order(
            "id" if name == "@iot.id" else name, direction.strip().lower() == "desc"
        )


def _expands(entity_set: EntitySet, text: str | None, depth: int) -> Iterator[Expand]:
    if text is None:
        return
    if depth > DEEPEST_EXPAND:
        raise BadQueryError(f"$expand goes at most {DEEPEST_EXPAND} levels deep.")
    items = split(text, ",")
    if len(items) > _MOST_EXPANDS:
        raise BadQueryError(f"$expand has at most {_MOST_EXPANDS} parts.")
    for navigation, texts in _merged(entity_set, items).values():
        target = ENTITY_SETS[navigation.target]
        options = _read(target, texts, OPTIONS, depth, many=navigation.many)
        yield Expand(navigation, options, texts)


def _merged(
    entity_set: EntitySet, items: Iterable[str]
) -> dict[str, tuple[Navigation, dict[str, str]]]:
    """By name: Datastreams/Sensor and Datastreams/Thing are one expansion with two below it."""
    merged: dict[str, tuple[Navigation, dict[str, str]]] = {}
    for item in items:
        navigation, texts = _expansion(entity_set, item.strip())
        _, before = merged.setdefault(navigation.name, (navigation, texts))
        if before is texts:
            continue
        if {*before, *texts} - {"$expand"}:
            raise BadQueryError(
                f"$expand names {navigation.name} twice: put its options into one pair of brackets."
            )
        below = [one["$expand"] for one in (before, texts) if "$expand" in one]
        before["$expand"] = ",".join(below)
    return merged


def _expansion(entity_set: EntitySet, item: str) -> tuple[Navigation, dict[str, str]]:
    way, bracket, inside = item.partition("(")
    if bracket and not inside.endswith(")"):
        raise BadQueryError("$expand: a bracket is not closed.")
    name, _, below = way.partition("/")
    navigation = entity_set.find_link(name)
    if navigation is None:
        there_are = ", ".join(one.name for one in entity_set.links)
        raise BadQueryError(
            f"$expand: {entity_set.singular} does not lead to {name[:50]!r}; it leads to {there_are}."
        )
    if below:
        return navigation, {"$expand": below + bracket + inside}
    return navigation, _inside(inside[:-1]) if bracket else {}


def _inside(text: str) -> dict[str, str]:
    pairs = []
    for part in split(text, ";"):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise BadQueryError("$expand: options in brackets are $name=value;….")
        pairs.append((name.strip(), value))
    return _once(pairs)


def split(text: str, mark: str) -> list[str]:
    """Parts between marks that are in no brackets and no quotes."""
    parts, depth, quoted, begin = [], 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == mark and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]
