"""GET /city, /districts, /observed-properties."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NoCityError, documented
from services.api.language import in_language
from services.api.operator.city.schemas import (
    City,
    District,
    Districts,
    ObservedProperty,
)
from services.api.operator.city.store import (
    list_districts,
    list_observed_properties,
    read_city,
)
from services.api.operator.freshness import FreshForActor
from services.api.parameters import (
    Domains,
    Lang,
    Pages,
    PropertyKinds,
    WithGeometry,
)
from services.api.schemas import Page
from services.core.city.language import Language

router = APIRouter(tags=["City and catalogue"], responses=documented(401, 422, 503))


@router.get("/city", responses=documented(404))
async def get_city(_scope: ReadScope, context: Context, lang: Lang = None) -> City:
    """The city of this installation, its time zone and the platform's clock."""
    async with context.database.reading() as connection:
        row = await read_city(connection)
    if row is None:
        raise NoCityError
    city = row["city"]
    return City(
        key=city["key"],
        name=in_language(city["name"], lang),
        time_zone=city["time_zone"],
        longitude=city["centre"][0],
        latitude=city["centre"][1],
        revision=row["revision"],
        time=context.clock.now(),
    )


@router.get("/districts", dependencies=[FreshForActor])
async def get_districts(
    scope: ReadScope,
    context: Context,
    lang: Lang = None,
    geometry: WithGeometry = False,
) -> Districts:
    """The districts of the city that this user may see."""
    async with context.database.reading() as connection:
        rows = await list_districts(connection, scope.districts)
    return Districts(
        items=[
            District(
                district_id=row["district_id"],
                key=row["key"],
                name=in_language(row["name"], lang),
                area=row["area"] if geometry else None,
                retired_at=row["retired_at"],
            )
            for row in rows
        ]
    )


@router.get(
    "/observed-properties", responses=documented(400), dependencies=[FreshForActor]
)
async def get_observed_properties(
    _scope: ReadScope,
    context: Context,
    pages: Pages,
    domain: Domains = None,
    kind: PropertyKinds = None,
    lang: Lang = None,
) -> Page[ObservedProperty]:
    """The catalogue: all that can be measured, with units, ranges and codes."""
    async with context.database.reading() as connection:
        rows = await list_observed_properties(
            connection, domain, kind, pages.after_id, pages.rows
        )
    return pages.page(
        rows,
        lambda row: _observed_property(row, lang),
        lambda row: (row["observed_property_id"],),
    )


def _observed_property(
    row: Mapping[str, Any], lang: Language | None
) -> ObservedProperty:
    facts = {name: value for name, value in row.items() if name != "revision"}
    facts["name"] = in_language(row["name"], lang)
    flat_line_ms = facts.pop("flat_line_ms")
    facts["flat_line_seconds"] = flat_line_ms and flat_line_ms / 1000
    facts["codes"] = [
        {
            **code,
            "name": in_language(code["name"], lang),
            "abnormal": code.get("abnormal", False),
        }
        for code in row["codes"]
    ]
    return ObservedProperty(**facts)
