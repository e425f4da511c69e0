"""GET /latest."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import documented
from services.api.language import in_language
from services.api.operator.latest.schemas import Latest
from services.api.operator.latest.store import LatestFilter, list_latest
from services.api.parameters import (
    Datastreams,
    Districts,
    Domains,
    Lang,
    ObservedProperties,
    Pages,
    Things,
)
from services.api.schemas import Page
from services.api.series.model import QUALITY_WORDS, Series
from services.api.series.saying import say_result
from services.core.city.language import Language

_STALE_AFTER: Final = 3  # periods

router = APIRouter(tags=["Observations"], responses=documented(400, 401, 422, 503))


@router.get("/latest")
async def get_latest(
    scope: ReadScope,
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
    datastream: Datastreams = None,
    lang: Lang = None,
) -> Page[Latest]:
    """The newest value of every datastream this user may see, by id; at most about a second behind.

    For a screen that stays open, the live stream is better: it begins with these values.
    """
    chosen = LatestFilter(domain, district, thing, observed_property, datastream)
    async with context.database.reading() as connection:
        rows = await list_latest(connection, scope, chosen, pages.after_id, pages.rows)
    now = context.clock.now()
    return pages.page(
        rows, lambda row: _latest(row, lang, now), lambda row: (row["datastream_id"],)
    )


def _latest(row: Mapping[str, Any], lang: Language | None, now: dt.datetime) -> Latest:
    series, time = Series.of(row), row["phenomenon_time"]
    age = None if time is None else (now - time).total_seconds()
    said = {"result": None} if time is None else say_result(series, row["result"])
    return Latest(
        datastream_id=series.datastream_id,
        datastream=series.key,
        name=in_language(series.name, lang),
        thing=series.thing,
        domain=row["domain"],
        district=row["district"],
        observed_property=series.observed_property,
        kind=series.kind,
        unit=series.unit,
        result=said["result"],
        codes=said.get("codes"),
        quality=None if time is None else QUALITY_WORDS[row["quality"]][0],
        phenomenon_time=time,
        age_seconds=age,
        stale=row["gone"]
        or age is None
        or age * 1000 > series.period_ms * _STALE_AFTER,
    )
