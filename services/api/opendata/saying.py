"""Rows of the publication filter as the documents of opendata.schemas."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.api.language import in_language
from services.api.moments import say_period
from services.api.opendata.datasets import description_of, title_of
from services.api.opendata.licence import LICENCE
from services.api.opendata.schemas import (
    Dataset,
    DistrictFeature,
    Licence,
    Link,
    PublicDatastream,
    PublicDistrict,
    PublicLatest,
    PublicProperty,
    PublicThing,
    ThingFeature,
)
from services.api.schemas import StateCode
from services.api.series.model import QUALITY_WORDS, Series
from services.api.series.saying import say_codes, say_result
from services.core.city.language import LANGUAGES, Language

Row = Mapping[str, Any]

THE_LICENCE: Final = Licence(**LICENCE)
_JSON: Final = "application/json"
_GEOJSON: Final = "application/geo+json"
_CSV: Final = "text/csv"


def door(rel: str, path: str, media_type: str = _JSON) -> Link:
    return Link(rel=rel, href=f"/open/v1{path}", type=media_type)


DOORS: Final = (
    door("datasets", "/datasets"),
    door("things", "/things", _GEOJSON),
    door("districts", "/districts", _GEOJSON),
    door("observed-properties", "/observed-properties"),
    door("datastreams", "/datastreams"),
    door("observations", "/observations"),
    door("observations-csv", "/observations.csv", _CSV),
    door("buckets", "/observations/buckets"),
    door("latest", "/latest"),
    door("live", "/live", "text/event-stream"),
)


def say_property(row: Row, lang: Language | None) -> PublicProperty:
    return PublicProperty(
        key=row["key"],
        name=in_language(row["name"], lang),
        kind=row["kind"],
        unit=row["unit"],
        definition=row["definition"],
        aggregations=row["aggregations"],
        codes=[StateCode(**code) for code in say_codes(row["codes"], lang)],
    )


def say_dataset(
    row: Row, properties: Sequence[Row], city: Row, lang: Language | None
) -> Dataset:
    domain: str = row["domain"]
    choice = f"?domain={domain}"
    return Dataset(
        licence=THE_LICENCE,
        identifier=domain,
        title=in_language(title_of(domain), lang),
        description=in_language(description_of(domain, city["name"]), lang),
        publisher=in_language(city["name"], lang),
        spatial=in_language(city["name"], lang),
        language=list(LANGUAGES),
        accrual_periodicity=say_period(row["period_ms"]),
        things=row["things"],
        datastreams=row["datastreams"],
        fields=[
            say_property(one, lang)
            for one in properties
            if one["key"] in row["properties"]
        ],
        distributions=[
            door("things", f"/things{choice}", _GEOJSON),
            door("datastreams", f"/datastreams{choice}"),
            door("latest", f"/latest{choice}"),
            door("live", f"/live{choice}", "text/event-stream"),
            door("observations", "/observations"),
            door("observations-csv", "/observations.csv", _CSV),
        ],
    )


def say_thing(row: Row, lang: Language | None) -> ThingFeature:
    description = row["description"]
    return ThingFeature(
        type="Feature",
        id=row["key"],
        geometry=row["geometry"],
        properties=PublicThing(
            thing_id=row["thing_id"],
            key=row["key"],
            name=in_language(row["name"], lang),
            description=in_language(description, lang) if description else None,
            kind=row["kind"],
            domain=row["domain"],
            district=row["district"],
            status=row["status"],
            precision="exact" if row["exact"] else "district",
            datastreams=row["datastreams"],
        ),
    )


def say_district(row: Row, lang: Language | None) -> DistrictFeature:
    return DistrictFeature(
        type="Feature",
        id=row["key"],
        geometry=row["area"],
        properties=PublicDistrict(
            district_id=row["district_id"],
            key=row["key"],
            name=in_language(row["name"], lang),
        ),
    )


def say_datastream(row: Row, lang: Language | None) -> PublicDatastream:
    return PublicDatastream(
        datastream_id=row["datastream_id"],
        key=row["key"],
        name=in_language(row["name"], lang),
        thing=row["thing"],
        domain=row["domain"],
        district=row["district"],
        observed_property=row["observed_property"],
        kind=row["kind"],
        unit=row["unit"],
        aggregations=row["aggregations"],
        codes=[StateCode(**code) for code in say_codes(row["codes"], lang)],
        period_seconds=row["period_ms"] / 1000,
        sampling=row["sampling"],
        sampling_seconds=row["sampling_ms"] / 1000,
    )


def say_latest(row: Row) -> PublicLatest:
    series = Series.of(row)
    said = say_result(series, row["result"])
    return PublicLatest(
        datastream_id=series.datastream_id,
        datastream=series.key,
        thing=series.thing,
        observed_property=series.observed_property,
        unit=series.unit,
        phenomenon_time=row["phenomenon_time"],
        result=said["result"],
        codes=said.get("codes"),
        quality=QUALITY_WORDS[row["quality"]][0],
    )
