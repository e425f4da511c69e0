"""The entity set Observations: whose datastreams are asked, and which way of reading fits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.api.failures import TooMuchError
from services.api.sensorthings.model import Row
from services.api.sensorthings.observation_question import (
    FIRST_MS,
    LAST_MS,
    Apart,
    Times,
    by_time,
    take_apart,
)
from services.api.sensorthings.observation_reading import (
    Page,
    find_stretches,
    place_of,
    read_together,
    split,
    trimmed,
    walk,
)
from services.api.sensorthings.observation_store import (
    Manner,
    Stretch,
    count_each,
    read_each,
)
from services.api.sensorthings.options import Options, Order
from services.api.sensorthings.store import Question, read_rows
from services.api.series.model import Place
from services.core.city.ids import observation_key
from services.core.storage.pool import Connection

_AT_ONCE: Final = 200  # datastreams that a walk over all of them looks up at a time
_MOST_LOOKED_UP: Final = 10
_MOST_TOGETHER: Final = 20_000
_MOST_COUNTED: Final = 2_000_000
_MOST_TRIED: Final = (
    20_000  # observations gone through for one entity's part of an expansion
)
_COLUMNS: Final = {"phenomenonTime": "begins", "resultTime": "ends"}
Links = Sequence[tuple[str, int]]
OwnPage = tuple[Sequence[Row], tuple[int, ...] | None, int | None]


@dataclass(frozen=True, slots=True)
class Observations:
    """datastreams: a question about all datastreams."""

    connection: Connection
    datastreams: Question

    async def find(self, observation_id: int) -> Row | None:
        datastream_id, time_ms = observation_key(observation_id)
        if not FIRST_MS <= time_ms < LAST_MS:
            return None
        apart = Apart(
            None,
            frozenset({datastream_id}),
            Times(),
            Times(),
            Times(time_ms, time_ms + 1),
            None,
        )
        page = await self._walk_all(
            _asked(self.datastreams, apart, ()), apart, self._manner(apart, "id"), 1
        )
        return page.rows[0] if page.rows else None

    async def page(
        self, links: Links, options: Options, after: tuple[int, ...] | None
    ) -> tuple[Page, int | None]:
        """A page, and the number of all if that was asked for."""
        apart = take_apart(options.filter)
        question = _asked(self.datastreams, apart, links)
        count = None
        if options.count:
            numbers = await self._count(question, apart)
            count = sum(numbers.values())
        place = (after[0], after[1]) if after else None
        skip = 0 if place else options.skip
        if options.page == 0:
            return Page([]), count
        column, descending = by_time(options.orders)
        how = self._manner(apart, column, descending=descending)
        read = self._walk_all if column == "id" else self._read_together
        page = await read(question, apart, how, options.page + skip, place)
        return replace(page, rows=page.rows[skip:]), count

    async def pages(
        self, column: str, owners: Sequence[int], options: Options
    ) -> dict[int, OwnPage]:
        """The first page of each owner; column: of the datastreams, or datastream_id."""
        apart = take_apart(options.filter)
        own_column = "id" if column == "datastream_id" else column
        question = _asked(self.datastreams, apart, ()).linked(own_column, owners)
        rows = await self._all_of(question)
        by_owner: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_owner[row[own_column]].append(row)
        numbers = await self._count_of(rows, apart) if options.count else {}
        totals = {
            owner: sum(numbers.get(row["id"], 0) for row in of_owner)
            for owner, of_owner in by_owner.items()
        }
        pages = await self._first_pages(by_owner, apart, options)
        return {
            owner: (page.rows, page.place, totals[owner])
            for owner, page in pages.items()
        }

    async def _walk_all(
        self,
        question: Question,
        apart: Apart,
        how: Manner,
        limit: int,
        after: Place | None = None,
    ) -> Page:
        """By id, some datastreams at a time: a page seldom needs more than a few."""
        question = question.asking(
            question.filter, [Order("id", descending=how.descending)]
        )
        step = 1 if how.descending else -1
        from_id = after[0] + step if after else None
        found: list[Row] = []
        for _ in range(_MOST_LOOKED_UP):
            rows = await read_rows(self.connection, question, _AT_ONCE, 0, from_id)
            stretches = await find_stretches(self.connection, rows, apart)
            wanted = limit - len(found)
            page = await walk(self.connection, stretches, how, wanted, after)
            found += page.rows
            if page.place or len(rows) < _AT_ONCE:
                return Page(found, page.place)
            from_id, after = rows[-1]["id"], None
            if len(found) == limit:
                break
        last: int = from_id or 0
        return Page(found, (last, FIRST_MS if how.descending else LAST_MS))

    async def _read_together(
        self,
        question: Question,
        apart: Apart,
        how: Manner,
        limit: int,
        after: Place | None = None,
    ) -> Page:
        rows = await self._all_of(question)
        stretches = await find_stretches(self.connection, rows, apart)
        return await self._read_these(len(rows), stretches, how, limit, after)

    async def _read_these(
        self,
        datastreams: int,
        stretches: Sequence[Stretch],
        how: Manner,
        limit: int,
        after: Place | None = None,
    ) -> Page:
        """Of one datastream time and id are the same order."""
        if how.by is None or datastreams == 1:
            how = replace(how, by=None)
            return await walk(self.connection, stretches, how, limit, after)
        return await read_together(self.connection, stretches, how, limit, after)

    async def _first_pages(
        self, by_owner: dict[int, list[Row]], apart: Apart, options: Options
    ) -> dict[int, Page]:
        """One read for all; whose part was not to be had in it is read by itself."""
        if options.page == 0:
            return {owner: Page([]) for owner in by_owner}
        column, descending = by_time(options.orders)
        how = self._manner(apart, column, descending=descending)
        rows = [row for of_owner in by_owner.values() for row in of_owner]
        stretches = await find_stretches(self.connection, rows, apart)
        limit = options.skip + options.page
        read = await self._first_of_each(stretches, how, limit)
        pages = {}
        for owner, of_owner in by_owner.items():
            ids = {row["id"] for row in of_owner}
            own = [one for one in stretches if one.piece.datastream_id in ids]
            page = _merged(own, read, how, limit)
            if page is None:
                page = await self._read_these(len(ids), own, how, limit)
            pages[owner] = replace(page, rows=page.rows[options.skip :])
        return pages

    async def _first_of_each(
        self, stretches: Sequence[Stretch], how: Manner, limit: int
    ) -> "_Read":
        alive = await trimmed(self.connection, stretches, descending=how.descending)
        if not alive:
            return _Read({}, frozenset())
        parts = [split(stretch, _MOST_TRIED, how) for stretch in alive]
        rows = await read_each(
            self.connection, [first for first, _ in parts], how, limit + 1
        )
        found: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            found[row["datastream_id"]].append(row)
        more = {rest.piece.datastream_id for _, rest in parts if rest}
        return _Read(found, frozenset(more))

    async def _all_of(self, question: Question) -> list[Row]:
        rows = await read_rows(self.connection, question, _MOST_TOGETHER + 1)
        if len(rows) > _MOST_TOGETHER:
            raise TooMuchError(
                f"These are observations of more than {_MOST_TOGETHER} datastreams: "
                "narrow them with $filter, or order by id."
            )
        return rows

    async def _count(self, question: Question, apart: Apart) -> dict[int, int]:
        return await self._count_of(await self._all_of(question), apart)

    async def _count_of(self, rows: Sequence[Row], apart: Apart) -> dict[int, int]:
        """Exact, of so many as can be counted at once."""
        stretches = await find_stretches(self.connection, rows, apart)
        for descending in (False, True):
            stretches = await trimmed(self.connection, stretches, descending=descending)
        if not stretches:
            return {}
        how = self._manner(apart, "id")
        expected = sum(stretch.expected_until(how.now) for stretch in stretches)
        if expected > _MOST_COUNTED:
            raise TooMuchError(
                f"About {expected:,.0f} observations would have to be counted, more than {_MOST_COUNTED:,}: "
                "narrow the times with $filter, or ask without $count."
            )
        return await count_each(self.connection, stretches, how)

    def _manner(self, apart: Apart, column: str, *, descending: bool = False) -> Manner:
        voice, now = self.datastreams.voice, self.datastreams.now
        return Manner(voice, now, apart.rest, descending, _COLUMNS.get(column))


@dataclass(frozen=True, slots=True)
class _Read:
    """found: the first of each datastream. more: those that may have others, further than was looked."""

    found: dict[int, list[Row]]
    more: frozenset[int]


def _asked(datastreams: Question, apart: Apart, links: Links) -> Question:
    """Which datastreams' observations."""
    question = datastreams.asking(apart.datastreams, ())
    if apart.datastream_ids is not None:
        question = question.linked("id", sorted(apart.datastream_ids))
    for column, value in links:
        name = "id" if column == "datastream_id" else column
        question = question.linked(name, [value])
    return question


def _merged(
    stretches: Sequence[Stretch], read: _Read, how: Manner, limit: int
) -> Page | None:
    """The page of one owner, if what was read is enough for it."""
    ids = sorted({one.piece.datastream_id for one in stretches})
    if any(one in read.more and len(read.found.get(one, ())) <= limit for one in ids):
        return None
    if how.by is None or len(ids) == 1:
        how = replace(how, by=None)
    rows = [row for one in ids for row in read.found.get(one, ())]
    rows.sort(
        key=lambda row: place_of(row, how)[:: -1 if how.by else 1],
        reverse=how.descending,
    )
    if len(rows) <= limit:
        return Page(rows)
    return Page(rows[:limit], place_of(rows[limit - 1], how))
