"""THE MAP of an answer: a path is followed to its entities, they are read, expanded and written."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from services.api.failures import BadCursorError, NotFoundError, TooMuchError
from services.api.paging import CursorRefusedError, read_cursor, write_cursor
from services.api.sensorthings.entities import DATASTREAMS, ENTITY_SETS, OBSERVATIONS
from services.api.sensorthings.model import EntitySet, Navigation, Row, Voice
from services.api.sensorthings.observations import Observations
from services.api.sensorthings.options import Expand, Options
from services.api.sensorthings.paths import ResourcePath
from services.api.sensorthings.store import (
    Question,
    count_rows,
    find_row,
    read_ranked,
    read_rows,
    read_spans,
)
from services.api.sensorthings.writing import (
    Document,
    id_of,
    next_link,
    own_value,
    page_mark,
    write_data_array,
    write_entity,
    write_set,
)
from services.core.storage.pool import Connection

MOST_ENTITIES: Final = 20_000
_SPANS: Final = ("phenomenonTime", "resultTime")


@dataclass(frozen=True, slots=True)
class Address:
    """Of a set, for its further pages: its path below the root and its query options as they were written."""

    path: str
    texts: Mapping[str, str]
    keys: int
    reference: bool = False

    @property
    def mark(self) -> str:
        return page_mark(self.path, self.texts)

    def next(self, voice: Voice, place: tuple[int, ...] | None) -> str | None:
        if place is None:
            return None
        cursor = write_cursor(place, self.mark)
        address = f"{voice.base}/{self.path}{'/$ref' if self.reference else ''}"
        return next_link(address, self.texts, cursor)

    def place(self, token: str | None) -> tuple[int, ...] | None:
        """Raises BadCursorError."""
        if token is None:
            return None
        try:
            return read_cursor(token, self.mark, self.keys)
        except CursorRefusedError as error:
            raise BadCursorError from error


def address_of(
    entity_set: EntitySet,
    path: str,
    texts: Mapping[str, str],
    reference: bool = False,  # noqa: FBT001, FBT002 # a part of the path
) -> Address:
    """Places among observations have two keys, datastream and time."""
    return Address(path, texts, 2 if entity_set is OBSERVATIONS else 1, reference)


@dataclass(slots=True)
class City:
    """The published city, for one answer. left: how many more entities it may have."""

    connection: Connection
    voice: Voice
    now: dt.datetime
    left: int = field(default=MOST_ENTITIES)

    def question(self, entity_set: EntitySet) -> Question:
        return Question(entity_set, self.voice, self.now)

    @property
    def observations(self) -> Observations:
        return Observations(self.connection, self.question(DATASTREAMS))

    def spend(self, entities: int) -> None:
        self.left -= entities
        if self.left < 0:
            raise TooMuchError(
                f"With what is expanded the answer has more than {MOST_ENTITIES} entities: ask with a smaller $top."
            )


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a path leads: one row, or the set of all rows that a navigation from a row leads to."""

    entity_set: EntitySet
    row: Row | None = None
    links: Sequence[tuple[str, int]] = ()


async def follow(city: City, path: ResourcePath) -> Arrived:
    """Raises NotFoundError where an entity on the way is not there."""
    row: Row | None = None
    before = path.hops[0].entity_set
    links: list[tuple[str, int]] = []
    for hop in path.hops:
        links = []
        if hop.navigation is not None and row is not None:
            value = own_value(before, row, hop.navigation)
            links = [(hop.navigation.theirs, value)]
        if not hop.single:
            return Arrived(hop.entity_set, None, links)
        row = await _find(city, hop.entity_set, hop.entity_id, links)
        if row is None:
            given = "" if hop.entity_id is None else f"({hop.entity_id})"
            name = hop.navigation.name if hop.navigation else hop.entity_set.name
            raise NotFoundError(f"There is no {name}{given} here.")
        before = hop.entity_set
    return Arrived(before, row)


async def _find(
    city: City,
    entity_set: EntitySet,
    entity_id: int | None,
    links: Sequence[tuple[str, int]],
) -> Row | None:
    if entity_set is OBSERVATIONS:
        row = await city.observations.find(entity_id or 0)
        fits = row and all(row[column] == value for column, value in links)
        return row if fits else None
    question = city.question(entity_set)
    for column, value in links:
        question = question.linked(column, [value])
    if entity_id is not None:
        return await find_row(city.connection, question, entity_id)
    rows = await read_rows(city.connection, question, 1)
    return rows[0] if rows else None


async def read_set(
    city: City, arrived: Arrived, options: Options, address: Address
) -> Document:
    """A page of a set."""
    rows, place, count = await _page(city, arrived, options, address)
    link = address.next(city.voice, place)
    if options.data_array:
        values = write_data_array(rows, options, city.voice)
    else:
        values = await read_documents(city, arrived.entity_set, rows, options)
    return write_set(values, count, link)


async def read_references(
    city: City, arrived: Arrived, options: Options, address: Address
) -> Document:
    """The same page, with nothing but the entities' addresses."""
    rows, place, count = await _page(city, arrived, options, address)
    values: list[Document] = [
        {"@iot.selfLink": reference(city.voice, arrived.entity_set, row)}
        for row in rows
    ]
    return write_set(values, count, address.next(city.voice, place))


def reference(voice: Voice, entity_set: EntitySet, row: Row) -> str:
    return voice.address(entity_set.name, id_of(entity_set, row))


async def _page(
    city: City, arrived: Arrived, options: Options, address: Address
) -> tuple[list[Row], tuple[int, ...] | None, int | None]:
    """(rows, the place after them if there are more, the number of all if it was asked for)."""
    after = address.place(options.token)
    if arrived.entity_set is OBSERVATIONS:
        page, count = await city.observations.page(arrived.links, options, after)
        return page.rows, page.place, count
    question = city.question(arrived.entity_set)
    for column, value in arrived.links:
        question = question.linked(column, [value])
    question = question.asking(options.filter, options.orders)
    count = await count_rows(city.connection, question) if options.count else None
    skip = options.skip if after is None else 0
    rows = await read_rows(
        city.connection, question, options.page + 1, skip, after[0] if after else None
    )
    more = len(rows) > options.page > 0
    rows = rows[: options.page]
    return rows, (rows[-1]["id"],) if more else None, count


async def read_documents(
    city: City, entity_set: EntitySet, rows: Sequence[Row], options: Options
) -> list[Document]:
    """Entities with what is expanded in them."""
    city.spend(len(rows))
    rows = await _completed(city, entity_set, rows, options)
    documents = [write_entity(entity_set, row, options, city.voice) for row in rows]
    for expand in options.expands:
        await _expand(city, entity_set, rows, documents, expand)
    return documents


async def _completed(
    city: City, entity_set: EntitySet, rows: Sequence[Row], options: Options
) -> Sequence[Row]:
    """Datastreams with the span of their observations, where it is shown."""
    if entity_set is not DATASTREAMS or not any(map(options.shows, _SPANS)):
        return rows
    spans = await read_spans(city.connection, [row["id"] for row in rows])
    return [{**row, **spans[row["id"]]} for row in rows]


async def read_member(
    city: City, entity_set: EntitySet, row: Row, member: Sequence[str]
) -> Any:
    """The value of a property, or of what is below it; None: it has none.

    Raises:
        NotFoundError: there is nothing of that name below it.
    """
    first, *below = member
    options = Options(select=frozenset({first}))
    (complete,) = await _completed(city, entity_set, [row], options)
    found = entity_set.find_property(first)
    value = found.say(complete, city.voice) if found else None
    for name in below:
        if not isinstance(value, dict) or name not in value:
            raise NotFoundError(f"There is no {'/'.join(member)!r} here.")
        value = value[name]
    return value


async def _expand(
    city: City,
    entity_set: EntitySet,
    rows: Sequence[Row],
    documents: Sequence[Document],
    expand: Expand,
) -> None:
    navigation = expand.navigation
    owners = [own_value(entity_set, row, navigation) for row in rows]
    if not owners:
        return
    if not navigation.many:
        await _expand_one(city, owners, documents, expand)
        return
    families = await _families(city, navigation, owners, expand.options)
    texts = {**expand.texts, "lang": city.voice.language}
    for row, owner, document in zip(rows, owners, documents, strict=True):
        children, place, total = families.get(owner, ([], None, 0))
        path = f"{entity_set.name}({id_of(entity_set, row)})/{navigation.name}"
        address = address_of(ENTITY_SETS[navigation.target], path, texts)
        if expand.options.count:
            document[f"{navigation.name}@iot.count"] = total
        if link := address.next(city.voice, place):
            document[f"{navigation.name}@iot.nextLink"] = link
        document[navigation.name] = children


_Family = tuple[list[Document], tuple[int, ...] | None, int | None]


async def _families(
    city: City, navigation: Navigation, owners: Sequence[int], options: Options
) -> dict[int, _Family]:
    """By owner: its page of entities, the place after it, and how many there are."""
    target = ENTITY_SETS[navigation.target]
    distinct = sorted(set(owners))
    pages: dict[int, tuple[Sequence[Row], tuple[int, ...] | None, int | None]]
    if target is OBSERVATIONS:
        city.spend(0 if len(distinct) * options.page <= city.left else city.left + 1)
        pages = await city.observations.pages(navigation.theirs, distinct, options)
    else:
        pages = await _ranked_pages(city, navigation, distinct, options)
    together = [row for rows, _, _ in pages.values() for row in rows]
    documents = iter(await read_documents(city, target, together, options))
    return {
        owner: (list(islice(documents, len(rows))), place, total)
        for owner, (rows, place, total) in pages.items()
    }


async def _ranked_pages(
    city: City, navigation: Navigation, owners: Sequence[int], options: Options
) -> dict[int, tuple[Sequence[Row], tuple[int, ...] | None, int | None]]:
    question = (
        city.question(ENTITY_SETS[navigation.target])
        .linked(navigation.theirs, owners)
        .asking(options.filter, options.orders)
    )
    rows = await read_ranked(
        city.connection, question, navigation.theirs, options.page + 1, options.skip
    )
    by_owner: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_owner[row[navigation.theirs]].append(row)
    return {
        owner: _ranked_page(children, options) for owner, children in by_owner.items()
    }


def _ranked_page(
    ranked: Sequence[Row], options: Options
) -> tuple[Sequence[Row], tuple[int, ...] | None, int | None]:
    """The first of all is always there, for the number of all."""
    children = [row for row in ranked if row["rank"] > options.skip]
    more = len(children) > options.page > 0
    place = (children[options.page - 1]["id"],) if more else None
    return children[: options.page], place, ranked[0]["total"]


async def _expand_one(
    city: City, owners: Sequence[int], documents: Sequence[Document], expand: Expand
) -> None:
    navigation = expand.navigation
    target = ENTITY_SETS[navigation.target]
    question = city.question(target).linked(navigation.theirs, sorted(set(owners)))
    rows = await read_rows(city.connection, question, len(set(owners)))
    children = await read_documents(city, target, rows, expand.options)
    by_owner = dict(
        zip((row[navigation.theirs] for row in rows), children, strict=True)
    )
    for owner, document in zip(owners, documents, strict=True):
        document[navigation.name] = by_owner.get(owner)
