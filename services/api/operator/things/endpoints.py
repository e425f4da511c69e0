"""GET /things, /things/{key}."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter

from services.api.auth.session import ReadScope
from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.language import in_language
from services.api.operator.freshness import FreshForActor
from services.api.operator.things.schemas import Neighbours, Thing, WholeThing
from services.api.operator.things.store import (
    ThingFilter,
    find_surroundings,
    find_thing,
    list_things,
)
from services.api.parameters import (
    Districts,
    Domains,
    Key,
    Lang,
    Pages,
    ThingKinds,
    WithGeometry,
    WithRetired,
    Words,
)
from services.api.schemas import Page
from services.core.city.language import Language

router = APIRouter(tags=["Things"], responses=documented(401, 422, 503))


@router.get("/things", responses=documented(400), dependencies=[FreshForActor])
async def get_things(
    scope: ReadScope,
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    kind: ThingKinds = None,
    q: Words = None,
    geometry: WithGeometry = False,
    retired: WithRetired = False,
    lang: Lang = None,
) -> Page[Thing]:
    """Things this user may see, by id."""
    chosen = ThingFilter(domain, district, kind, q, retired)
    async with context.database.reading() as connection:
        rows = await list_things(connection, scope, chosen, pages.after_id, pages.rows)
    return pages.page(
        rows,
        lambda row: Thing(**_facts(row, lang, geometry=geometry)),
        lambda row: (row["thing_id"],),
    )


@router.get("/things/{key}", responses=documented(404))
async def get_thing(
    key: Key, scope: ReadScope, context: Context, lang: Lang = None
) -> WholeThing:
    """One thing with its geometry, what it contains and feeds, and who observes it."""
    async with context.database.reading() as connection:
        row = await find_thing(connection, scope, key)
        if row is None:
            raise NotFoundError(f"There is no thing {key!r} that you may see.")
        relations, devices, datastreams = await find_surroundings(
            connection, scope, row["thing_id"]
        )
    return WholeThing(
        **_facts(row, lang, geometry=True),
        relations=_neighbours(relations),
        devices=devices,
        datastreams=datastreams,
    )


def _facts(
    row: Mapping[str, Any], lang: Language | None, *, geometry: bool
) -> dict[str, Any]:
    facts = dict(row)
    facts["name"] = in_language(row["name"], lang)
    if row["description"]:
        facts["description"] = in_language(row["description"], lang)
    if not geometry:
        facts["geometry"] = None
    return facts


def _neighbours(relations: Sequence[Mapping[str, Any]]) -> Neighbours:
    def keys(kind: str, *, outward: bool) -> list[str]:
        return [
            row["key"]
            for row in relations
            if row["kind"] == kind and row["outward"] is outward
        ]

    return Neighbours(
        contains=keys("contains", outward=True),
        contained_in=keys("contains", outward=False),
        feeds=keys("feeds", outward=True),
        fed_by=keys("feeds", outward=False),
    )
