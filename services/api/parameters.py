"""Query and path parameters, described once."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Query, Request, Response

from services.api.failures import BadCursorError, InvalidRequestError
from services.api.moments import FIRST_MS, LAST_MS
from services.api.paging import CursorRefusedError, read_cursor, write_cursor
from services.api.schemas import GivenMoment, Page
from services.api.series.model import Place
from services.api.series.ranges import Bucket
from services.core.city.catalogue import Aggregation, Kind
from services.core.city.language import Language

Row = TypeVar("Row")
Item = TypeVar("Item")

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,192}$"
_FREE_OF_NUL = r"^[^\x00]*$"
_KeyText = Annotated[str, Query(pattern=KEY_PATTERN)]

Lang = Annotated[
    Language | None,
    Query(description="Give names in this language alone, as plain strings."),
]
Limit = Annotated[
    int, Query(ge=1, le=1000, description="How many items a page has at most.")
]
LongLimit = Annotated[
    int, Query(ge=1, le=10_000, description="How many observations a page has at most.")
]
Cursor = Annotated[
    str | None,
    Query(
        max_length=200,
        description="`next` of the page before; nothing for the first page.",
    ),
]
Domains = Annotated[
    list[_KeyText] | None,
    Query(
        alias="domain",
        max_length=20,
        description="Only of this domain; may be repeated.",
        examples=[["water"]],
    ),
]
Districts = Annotated[
    list[_KeyText] | None,
    Query(
        alias="district",
        max_length=50,
        description="Only in this district (its key); may be repeated.",
        examples=[["gate"]],
    ),
]
ThingKinds = Annotated[
    list[_KeyText] | None,
    Query(
        alias="kind",
        max_length=50,
        description="Only things of this kind, such as `pump`; may be repeated.",
        examples=[["pump"]],
    ),
]
PropertyKinds = Annotated[
    list[Kind] | None,
    Query(
        alias="kind",
        max_length=4,
        description="Only properties of this kind; may be repeated.",
    ),
]
Things = Annotated[
    list[_KeyText] | None,
    Query(
        alias="thing",
        max_length=100,
        description="Only of this thing (its key); may be repeated.",
        examples=[["yntymak-pump-1"]],
    ),
]
ObservedProperties = Annotated[
    list[_KeyText] | None,
    Query(
        alias="observed_property",
        max_length=100,
        description="Only of this observed property (its key); may be repeated.",
        examples=[["pressure"]],
    ),
]
Datastreams = Annotated[
    list[_KeyText] | None,
    Query(
        alias="datastream",
        max_length=1000,
        description="Only this datastream (its key or its id); may be repeated.",
        examples=[["yntymak-pump-1.pressure"]],
    ),
]
SomeDatastreams = Annotated[
    list[_KeyText],
    Query(
        alias="datastream",
        min_length=1,
        max_length=100,
        description="A datastream (its key or its id); may be repeated.",
        examples=[["yntymak-pump-1.pressure"]],
    ),
]
Words = Annotated[
    str | None,
    Query(
        alias="q",
        min_length=1,
        max_length=100,
        pattern=_FREE_OF_NUL,
        description="Only where the key or a name contains this text, in any case of letters.",
    ),
]
Start = Annotated[
    GivenMoment,
    Query(
        description="Beginning of the time range, inclusive; RFC 3339 with an offset.",
        examples=["2026-11-22T00:00:00Z"],
    ),
]
End = Annotated[
    GivenMoment,
    Query(
        description="End of the time range, exclusive; RFC 3339 with an offset.",
        examples=["2026-11-23T00:00:00Z"],
    ),
]
WithGeometry = Annotated[
    bool,
    Query(alias="geometry", description="With geometry as GeoJSON; else it is null."),
]
WithRetired = Annotated[
    bool, Query(alias="retired", description="Also what has been taken out of service.")
]
BucketLength = Annotated[
    Bucket,
    Query(
        alias="bucket",
        description="Length of a bucket; days and weeks begin at midnight in the city, the others are UTC's.",
        examples=["1h"],
    ),
]
Aggregations = Annotated[
    list[Aggregation] | None,
    Query(
        alias="aggregation",
        max_length=7,
        description="Only these sums; may be repeated. Without it all that the catalogue allows.",
        examples=[["avg"]],
    ),
]
Key = Annotated[str, Path(pattern=KEY_PATTERN, description="The key.")]


class Paging:
    """Where a page of this request begins, and the way to the next."""

    def __init__(
        self,
        request: Request,
        response: Response,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> None:
        self.limit = limit
        self._cursor = cursor
        self._request = request
        self._response = response
        self._filters = _filters(request)

    @property
    def rows(self) -> int:
        """How many to read: one more than a page, to know whether there is another."""
        return self.limit + 1

    @property
    def after_id(self) -> int:
        """The id this page begins after, in lists by id."""
        (last,) = self.after(1) or (0,)
        return last

    def after(self, keys: int) -> tuple[int, ...] | None:
        """The keys of the last row before this page; None: it is the first.

        Raises:
            BadCursorError: the cursor is not of this request.
        """
        if self._cursor is None:
            return None
        try:
            return read_cursor(self._cursor, self._filters, keys)
        except CursorRefusedError as error:
            raise BadCursorError from error

    def page(
        self,
        rows: Sequence[Row],
        say: Callable[[Row], Item],
        place: Callable[[Row], tuple[int, ...]],
    ) -> Page[Item]:
        """A page of what was read with `rows` as the limit."""
        more = len(rows) > self.limit
        return Page(
            items=[say(row) for row in rows[: self.limit]],
            next=self.next(place(rows[self.limit - 1]) if more else None),
        )

    def next(self, place: tuple[int, ...] | None) -> str | None:
        """The cursor after a place, also in the Link header; None: this was the last page."""
        if place is None:
            return None
        cursor = write_cursor(place, self._filters)
        self._response.headers.append("Link", f'<{self.address(cursor)}>; rel="next"')
        return cursor

    def address(self, cursor: str) -> str:
        """The path and query of the page at a cursor."""
        url = self._request.url.include_query_params(cursor=cursor)
        return f"{url.path}?{url.query}"


class LongPaging(Paging):
    """Of observations, which are small and many."""

    def __init__(
        self,
        request: Request,
        response: Response,
        limit: LongLimit = 1000,
        cursor: Cursor = None,
    ) -> None:
        super().__init__(request, response, limit, cursor)

    @property
    def observation_place(self) -> Place | None:
        place = self.after(2)
        if place is None:
            return None
        datastream_id, time_ms = place
        if not FIRST_MS <= time_ms <= LAST_MS:
            raise BadCursorError
        return datastream_id, time_ms


Pages = Annotated[Paging, Depends()]
LongPages = Annotated[LongPaging, Depends()]


async def known_parameters(request: Request) -> None:
    """A parameter that we do not know is named: with a filter left out for its spelling, too much would come."""
    names = request.app.state.query_parameters[request.scope["route"].name]
    if unknown := sorted(set(request.query_params) - names):
        there_are = ", ".join(sorted(names)) or "none"
        detail = f"There is no such parameter here; there are: {there_are}."
        errors = [{"where": f"query {name}", "detail": detail} for name in unknown]
        raise InvalidRequestError(facts={"errors": errors})


KnownParameters = Depends(known_parameters)


def _filters(request: Request) -> str:
    """What must not change from page to page: all but where we are and how we say it."""
    free = {"cursor", "limit", "lang"}
    asked = sorted(
        item for item in request.query_params.multi_items() if item[0] not in free
    )
    return f"{request.url.path}?{asked}"


def narrowed(scope: list[str] | None, asked: list[str] | None) -> list[str] | None:
    """What was asked for, as far as the scope allows; None: all."""
    if scope is None or asked is None:
        return asked if scope is None else scope
    return sorted(set(scope) & set(asked))
