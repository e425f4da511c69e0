"""GET /open/v1, /datasets, /things, /districts, /observed-properties, /datastreams: what there is."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.api.context import Context
from services.api.failures import NotFoundError, documented
from services.api.language import in_language
from services.api.opendata.freshness import Fresh
from services.api.opendata.saying import (
    DOORS,
    THE_LICENCE,
    say_dataset,
    say_datastream,
    say_district,
    say_property,
    say_thing,
)
from services.api.opendata.schemas import (
    Dataset,
    DatastreamPage,
    DistrictCollection,
    LicensedDatastream,
    LicensedThingFeature,
    Portal,
    PublicProperties,
    ThingCollection,
)
from services.api.opendata.schemas import Datasets as DatasetList
from services.api.opendata.store import (
    Choice,
    Row,
    find_datastream,
    find_thing,
    list_datasets,
    list_datastreams,
    list_districts,
    list_properties,
    list_things,
    read_registry,
)
from services.api.parameters import (
    Districts,
    Domains,
    Key,
    Lang,
    ObservedProperties,
    Pages,
    ThingKinds,
    Things,
)
from services.core.city.language import Language
from services.core.storage.pool import Connection

router = APIRouter(
    prefix="/open/v1",
    tags=["Open data"],
    responses={
        **documented(422, 429, 503),
        304: {"description": "You have it already."},
    },
    dependencies=[Fresh],
)


class GeoJson(JSONResponse):
    media_type = "application/geo+json"


@router.get("", responses=documented(404))
async def get_portal(context: Context, lang: Lang = None) -> Portal:
    """Where everything is, and under which licence."""
    async with context.database.public.reading() as connection:
        city = await _city(connection)
    return Portal(
        licence=THE_LICENCE,
        title=in_language(city["name"], lang),
        time_zone=city["time_zone"],
        links=list(DOORS),
    )


@router.get("/datasets", responses=documented(404))
async def get_datasets(context: Context, lang: Lang = None) -> DatasetList:
    """One dataset for each domain of the city that publishes anything."""
    async with context.database.public.reading() as connection:
        items = await _datasets(connection, lang)
    return DatasetList(licence=THE_LICENCE, items=items)


@router.get("/datasets/{key}", responses=documented(404))
async def get_dataset(key: Key, context: Context, lang: Lang = None) -> Dataset:
    """One dataset: what it is, its fields with units, and the ways to get it."""
    async with context.database.public.reading() as connection:
        items = await _datasets(connection, lang)
    for item in items:
        if item.identifier == key:
            return item
    raise NotFoundError(f"There is no dataset {key!r}.")


@router.get("/observed-properties")
async def get_public_properties(
    context: Context, lang: Lang = None
) -> PublicProperties:
    """What is measured in public, with units and codes."""
    async with context.database.public.reading() as connection:
        rows = await list_properties(connection)
    return PublicProperties(
        licence=THE_LICENCE, items=[say_property(row, lang) for row in rows]
    )


@router.get("/districts", response_class=GeoJson)
async def get_public_districts(
    context: Context, lang: Lang = None
) -> DistrictCollection:
    """The city's districts as GeoJSON."""
    async with context.database.public.reading() as connection:
        rows = await list_districts(connection)
    return DistrictCollection(
        licence=THE_LICENCE,
        type="FeatureCollection",
        features=[say_district(row, lang) for row in rows],
    )


@router.get("/things", response_class=GeoJson, responses=documented(400))
async def get_public_things(
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    kind: ThingKinds = None,
    lang: Lang = None,
) -> ThingCollection:
    """Things that measure something in public, as GeoJSON. Protected sites are shown as their district."""
    choice = Choice(domains=domain, districts=district)
    async with context.database.public.reading() as connection:
        rows = await list_things(connection, choice, kind, pages.after_id, pages.rows)
    page = pages.page(
        rows, lambda row: say_thing(row, lang), lambda row: (row["thing_id"],)
    )
    return ThingCollection(
        licence=THE_LICENCE,
        type="FeatureCollection",
        features=page.items,
        next=page.next,
    )


@router.get("/things/{key}", response_class=GeoJson, responses=documented(404))
async def get_public_thing(
    key: Key, context: Context, lang: Lang = None
) -> LicensedThingFeature:
    """One thing as a GeoJSON feature."""
    async with context.database.public.reading() as connection:
        row = await find_thing(connection, key)
    if row is None:
        raise NotFoundError(f"There is no public thing {key!r}.")
    return LicensedThingFeature(licence=THE_LICENCE, **dict(say_thing(row, lang)))


@router.get("/datastreams", responses=documented(400))
async def get_public_datastreams(
    context: Context,
    pages: Pages,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
    lang: Lang = None,
) -> DatastreamPage:
    """Public datastreams."""
    choice = Choice(domain, district, thing, observed_property)
    async with context.database.public.reading() as connection:
        rows = await list_datastreams(connection, choice, pages.after_id, pages.rows)
    page = pages.page(
        rows, lambda row: say_datastream(row, lang), lambda row: (row["datastream_id"],)
    )
    return DatastreamPage(licence=THE_LICENCE, items=page.items, next=page.next)


@router.get("/datastreams/{key}", responses=documented(404))
async def get_public_datastream(
    key: Key, context: Context, lang: Lang = None
) -> LicensedDatastream:
    """One public datastream."""
    async with context.database.public.reading() as connection:
        row = await find_datastream(connection, key)
    if row is None:
        raise NotFoundError(f"There is no public datastream {key!r}.")
    return LicensedDatastream(licence=THE_LICENCE, **dict(say_datastream(row, lang)))


async def _city(connection: Connection) -> Row:
    _, city = await read_registry(connection)
    if city is None:
        raise NotFoundError("No city file has been applied yet.")
    return city


async def _datasets(connection: Connection, lang: Language | None) -> list[Dataset]:
    city = await _city(connection)
    properties = await list_properties(connection)
    rows = await list_datasets(connection)
    return [say_dataset(row, properties, city, lang) for row in rows]
