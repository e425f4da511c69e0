"""GET /datastreams, /datastreams/{key}."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.language import in_language
from services.api.operator.datastreams.schemas import Datastream
from services.api.operator.datastreams.store import (
    DatastreamFilter,
    find_datastream,
    list_datastreams,
)
from services.api.parameters import (
    Districts,
    Domains,
    Key,
    Lang,
    ObservedProperties,
    Pages,
    Things,
    WithRetired,
    Words,
)
from services.api.schemas import Page
from services.core.city.language import Language

router = APIRouter(tags=["Datastreams"], responses=documented(401, 422, 503))


@router.get("/datastreams", responses=documented(400))
async def get_datastreams(
    scope: ReadScope,
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
    q: Words = None,
    retired: WithRetired = False,
    lang: Lang = None,
) -> Page[Datastream]:
    """Datastreams this user may see, by id."""
    chosen = DatastreamFilter(domain, district, thing, observed_property, q, retired)
    async with context.database.reading() as connection:
        rows = await list_datastreams(
            connection, scope, chosen, pages.after_id, pages.rows
        )
    return pages.page(
        rows, lambda row: _datastream(row, lang), lambda row: (row["datastream_id"],)
    )


@router.get("/datastreams/{key}", responses=documented(404))
async def get_datastream(
    key: Key, scope: ReadScope, context: Context, lang: Lang = None
) -> Datastream:
    """One datastream."""
    async with context.database.reading() as connection:
        row = await find_datastream(connection, scope, key)
    if row is None:
        raise NotFoundError(f"There is no datastream {key!r} that you may see.")
    return _datastream(row, lang)


def _datastream(row: Mapping[str, Any], lang: Language | None) -> Datastream:
    facts = {
        **row,
        "name": in_language(row["name"], lang),
        "period_seconds": row["period_ms"] / 1000,
        "sampling_seconds": row["sampling_ms"] / 1000,
    }
    return Datastream(**{name: facts[name] for name in Datastream.model_fields})
