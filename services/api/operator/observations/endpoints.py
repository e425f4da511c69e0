"""GET /observations, /observations/buckets."""

from fastapi import APIRouter, Response

from services.api.answers import json_answer
from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import documented
from services.api.moments import say_moment
from services.api.operator.city.store import read_time_zone
from services.api.operator.datastreams.store import find_series
from services.api.parameters import (
    Aggregations,
    BucketLength,
    End,
    Lang,
    LongPages,
    SomeDatastreams,
    Start,
)
from services.api.series.reading import Buckets, bucket_range, raw_range, require_all
from services.api.series.saying import say_series, touched
from services.api.series.schemas import BucketPage, SeriesPage
from services.api.series.store import read_page

router = APIRouter(tags=["Observations"], responses=documented(400, 401, 404, 422, 503))


@router.get("/observations", response_model=SeriesPage)
async def get_observations(
    datastream: SomeDatastreams,
    start: Start,
    end: End,
    scope: ReadScope,
    context: Context,
    pages: LongPages,
    response: Response,
    lang: Lang = None,
) -> Response:
    """Single observations of up to 100 datastreams, at most 31 days at once, by datastream and time."""
    within = raw_range(start, end)
    after = pages.observation_place
    async with context.database.reading() as connection:
        series = await find_series(connection, scope, datastream)
        require_all(datastream, series)
        observations, place = await read_page(
            connection, series, within, pages.limit, after
        )
    document = {
        "start": say_moment(within.start),
        "end": say_moment(within.end),
        "series": say_series(
            touched(series, after, place), observations, lang, whole=True
        ),
        "next": pages.next(place),
    }
    return json_answer(document, response)


@router.get("/observations/buckets", response_model=BucketPage)
async def get_buckets(
    datastream: SomeDatastreams,
    bucket: BucketLength,
    start: Start,
    end: End,
    scope: ReadScope,
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
    async with context.database.reading() as connection:
        series = await find_series(connection, scope, datastream)
        require_all(datastream, series)
        zone = await read_time_zone(connection)
        buckets = Buckets(bucket, within, zone, aggregation)
        sums = await buckets.read(connection, series, context.clock.now())
    return json_answer(buckets.document(series, sums, lang), response)
