"""GET /open/v1/observations, .csv, /buckets, /latest, /live: the values."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.api.answers import json_answer
from services.api.context import Context
from services.api.failures import TooMuchError, documented
from services.api.live.answering import (
    LastEventId,
    documented_stream,
    require_ready,
    stream_answer,
)
from services.api.live.latest_client import LatestClient
from services.api.live.latest_table import Selection
from services.api.moments import say_moment
from services.api.opendata.csv_file import COLUMNS, csv_rows, whole_range
from services.api.opendata.licence import LICENCE, LICENCE_LINK
from services.api.opendata.saying import THE_LICENCE, say_latest
from services.api.opendata.schemas import (
    LatestPage,
    PublicBucketPage,
    PublicSeriesPage,
)
from services.api.opendata.store import (
    Choice,
    find_series,
    list_latest,
    read_registry,
)
from services.api.parameters import (
    Aggregations,
    BucketLength,
    Datastreams,
    Districts,
    Domains,
    End,
    Lang,
    LongPages,
    ObservedProperties,
    Pages,
    SomeDatastreams,
    Start,
    Things,
)
from services.api.series.model import Series
from services.api.series.ranges import Range, TooMuchAskedError, check_cost
from services.api.series.reading import Buckets, bucket_range, raw_range, require_all
from services.api.series.saying import say_series, touched
from services.api.series.store import read_page
from services.core.addresses import client_of

_CSV: Final = "text/csv; charset=utf-8; header=present"
_SOON_OLD: Final = "public, max-age=1"
_LIVE_EXAMPLE: Final = """event: latest
data: {"observations":[{"datastream_id":17,"datastream":"air-golden-02.pm25","thing":"air-golden-02","observed_property":"pm25","unit":"ug/m3","phenomenon_time":"2026-11-22T04:00:00.000Z","result":12.4,"quality":"good"}]}
id: observations:5531
"""

router = APIRouter(
    prefix="/open/v1", tags=["Open data"], responses=documented(422, 429, 503)
)


@router.get(
    "/observations", response_model=PublicSeriesPage, responses=documented(400, 404)
)
async def get_public_observations(
    datastream: SomeDatastreams,
    start: Start,
    end: End,
    context: Context,
    pages: LongPages,
    response: Response,
    lang: Lang = None,
) -> Response:
    """Single observations of up to 100 public datastreams, at most 31 days at once, by datastream and time."""
    within = raw_range(start, end)
    after = pages.observation_place
    async with context.database.public.reading() as connection:
        series = await find_series(connection, datastream)
        require_all(datastream, series)
        observations, place = await read_page(
            connection, series, within, pages.limit, after
        )
    _mark(response)
    document = {
        "licence": LICENCE,
        "start": say_moment(within.start),
        "end": say_moment(within.end),
        "series": say_series(
            touched(series, after, place), observations, lang, whole=False
        ),
        "next": pages.next(place),
    }
    return json_answer(document, response)


@router.get(
    "/observations.csv",
    response_class=Response,
    responses={
        **documented(400, 404),
        200: {
            "description": "A CSV file (RFC 4180, UTF-8) with a header row.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "examples": {
                        "file": {
                            "value": ",".join(COLUMNS)
                            + "\r\nair-golden-02.pm25,air-golden-02,pm25,ug/m3,2026-11-22T04:00:00.000Z,12.4,,good,CC-BY-4.0\r\n"
                        }
                    },
                }
            },
        },
    },
)
async def get_public_observations_csv(
    datastream: SomeDatastreams,
    start: Start,
    end: End,
    context: Context,
    pages: LongPages,
    response: Response,
    paged: Annotated[
        bool,
        Query(
            description="Only a page of `limit` rows, and the way to the next in the Link header."
        ),
    ] = False,
) -> Response:
    """The same as /observations as a file: a row for each observation, by datastream and time.

    `unit` is UCUM; `codes` has the words of a state or of bits, separated by spaces; every row names the licence.
    Without `paged` it is the whole range: a transfer that ends without its last chunk is not complete.
    """
    within, after = raw_range(start, end), pages.observation_place
    async with context.database.public.reading() as connection:
        series = await find_series(connection, datastream)
        require_all(datastream, series)
    _mark(response)
    if paged:
        async with context.database.public.reading() as connection:
            page, place = await read_page(
                connection, series, within, pages.limit, after
            )
        pages.next(place)
        rows = csv_rows(series, page, header=True)
        return Response(rows, media_type=_CSV, headers=_headers(response))
    _check_file(series, within)
    pieces = whole_range(context.database.public, series, within, after)
    return StreamingResponse(pieces, media_type=_CSV, headers=_headers(response))


@router.get(
    "/observations/buckets",
    response_model=PublicBucketPage,
    responses=documented(400, 404),
)
async def get_public_buckets(
    datastream: SomeDatastreams,
    bucket: BucketLength,
    start: Start,
    end: End,
    context: Context,
    response: Response,
    aggregation: Aggregations = None,
    lang: Lang = None,
) -> Response:
    """Observations added up in buckets `[start, end)`, labelled by start.

    The range is widened to whole buckets. The longest range depends on the bucket: 1m 2 days, 5m 8, 15m 31, 1h 92,
    1d and 1w 366. Buckets without observations are left out; observations whose quality is fail do not count.
    """
    within = bucket_range(bucket, start, end)
    async with context.database.public.reading() as connection:
        series = await find_series(connection, datastream)
        require_all(datastream, series)
        _, city = await read_registry(connection)
        zone = city["time_zone"] if city else "UTC"
        buckets = Buckets(bucket, within, zone, aggregation)
        sums = await buckets.read(connection, series, context.clock.now())
    _mark(response)
    document = {"licence": LICENCE, **buckets.document(series, sums, lang)}
    return json_answer(document, response)


@router.get("/latest", responses=documented(400))
async def get_public_latest(
    context: Context,
    pages: Pages,
    response: Response,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
) -> LatestPage:
    """The newest value of every public datastream that has one; at most about a second behind."""
    choice = Choice(domain, district, thing, observed_property)
    async with context.database.public.reading() as connection:
        rows = await list_latest(connection, choice, pages.after_id, pages.rows)
    _mark(response)
    page = pages.page(rows, say_latest, lambda row: (row["datastream_id"],))
    return LatestPage(licence=THE_LICENCE, items=page.items, next=page.next)


@router.get(
    "/live",
    response_class=Response,
    responses={**documented(400), **documented_stream(_LIVE_EXAMPLE)},
)
async def live_public(
    request: Request,
    context: Context,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
    datastream: Datastreams = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Newest public values as they come: first all of them, then what changes, each datastream at most once a second."""
    require_ready(context.feeds.latest)
    selection = Selection(
        domains=domain,
        districts=district,
        things=thing,
        observed_properties=observed_property,
        datastreams=datastream,
        only_public=True,
    )
    client = LatestClient(context.feeds, selection, context.pace)
    answer = stream_answer(
        context.public_doors, client_of(request.client), client, last_event_id, _always
    )
    answer.headers.append("Link", LICENCE_LINK)
    return answer


async def _always() -> bool:
    return True


def _mark(response: Response) -> None:
    response.headers["Cache-Control"] = _SOON_OLD
    response.headers.append("Link", LICENCE_LINK)


def _headers(prepared: Response) -> dict[str, str]:
    """What was prepared, for an answer of another kind; several Links are one list."""
    links = ", ".join(prepared.headers.getlist("link"))
    return {"Cache-Control": _SOON_OLD, "Link": links}


def _check_file(series: Sequence[Series], within: Range) -> None:
    try:
        check_cost(series, within, buckets=0)
    except TooMuchAskedError as error:
        raise TooMuchError(str(error)) from error
