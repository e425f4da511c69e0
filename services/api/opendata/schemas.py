"""What open data looks like."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from services.api.schemas import LocalName, Moment, StateCode
from services.api.series.model import QualityWord
from services.api.series.schemas import BucketSeries, PublicSeries
from services.core.city.catalogue import Aggregation, Kind
from services.core.city.entities import Sampling, ThingStatus


class Licence(BaseModel):
    """Under which all of this may be used."""

    id: str = Field(description="SPDX identifier.", examples=["CC-BY-4.0"])
    name: str = Field(
        description="Its name.",
        examples=["Creative Commons Attribution 4.0 International"],
    )
    url: str = Field(
        description="Its text.",
        examples=["https://creativecommons.org/licenses/by/4.0/"],
    )


class Link(BaseModel):
    """Where more is."""

    rel: str = Field(description="What it is to this document.", examples=["things"])
    href: str = Field(description="Its address.", examples=["/open/v1/things"])
    type: str = Field(description="Its media type.", examples=["application/geo+json"])


class Licensed(BaseModel):
    licence: Licence = Field(description="Of this document and everything in it.")


class Portal(Licensed):
    """Where everything is."""

    title: LocalName
    time_zone: str = Field(
        description="Where days and weeks begin at midnight.", examples=["Asia/Almaty"]
    )
    links: list[Link] = Field(description="The doors.")


class PublicProperty(BaseModel):
    """A field of a dataset: something that is measured."""

    key: str = Field(description="Its stable key.", examples=["pm25"])
    name: LocalName
    kind: Kind = Field(
        description="measurement, counter, state or bits.", examples=["measurement"]
    )
    unit: str = Field(description="UCUM unit.", examples=["ug/m3"])
    definition: str | None = Field(
        description="URI of the concept.",
        examples=["http://qudt.org/vocab/quantitykind/MassConcentration"],
    )
    aggregations: list[Aggregation] = Field(
        description="How it may be added up.", examples=[["avg", "min", "max"]]
    )
    codes: list[StateCode] = Field(description="Of a state or bits; empty for numbers.")


class PublicProperties(Licensed):
    """The public part of the catalogue."""

    items: list[PublicProperty] = Field(description="By key.")


class Dataset(Licensed):
    """What one domain of the city publishes, in the words of DCAT."""

    identifier: str = Field(
        description="Its stable key: the domain.", examples=["environment"]
    )
    title: LocalName
    description: LocalName
    publisher: LocalName
    language: list[str] = Field(
        description="Languages of names.", examples=[["kk", "ru", "en"]]
    )
    spatial: LocalName
    accrual_periodicity: str = Field(
        description="ISO 8601 duration: how often the most frequent datastream reports.",
        examples=["PT1M"],
    )
    things: int = Field(description="How many things it has.", examples=[14])
    datastreams: int = Field(description="How many datastreams it has.", examples=[90])
    fields: list[PublicProperty] = Field(description="What is measured, with units.")
    distributions: list[Link] = Field(description="Ways to get it.")


class Datasets(Licensed):
    """All datasets."""

    items: list[Dataset] = Field(description="By identifier.")


class PublicThing(BaseModel):
    """What may be known of a thing."""

    thing_id: int = Field(description="Its id, never reused.", examples=[42])
    key: str = Field(description="Its stable key.", examples=["air-golden-02"])
    name: LocalName
    description: LocalName | None = Field(
        description="More about it; never of things shown at district precision."
    )
    kind: str = Field(description="What it is.", examples=["air_station"])
    domain: str = Field(
        description="Its domain, which is also its dataset.", examples=["environment"]
    )
    district: str = Field(
        description="Key of the district it stands in.", examples=["golden"]
    )
    status: ThingStatus = Field(
        description="planned, under_construction or operating.", examples=["operating"]
    )
    precision: Literal["exact", "district"] = Field(
        description="exact: the geometry is its own; district: it is a protected site, and the geometry is its district's.",
        examples=["exact"],
    )
    datastreams: list[str] = Field(
        description="Keys of its public datastreams.", examples=[["air-golden-02.pm25"]]
    )


class ThingFeature(BaseModel):
    """A thing as a GeoJSON feature."""

    type: Literal["Feature"] = Field(description="GeoJSON.", examples=["Feature"])
    id: str = Field(description="The thing's key.", examples=["air-golden-02"])
    geometry: dict[str, Any] = Field(
        description="GeoJSON, WGS 84.",
        examples=[{"type": "Point", "coordinates": [77.0712, 43.6711]}],
    )
    properties: PublicThing = Field(description="What may be known of it.")


class LicensedThingFeature(ThingFeature, Licensed):
    """A thing as a GeoJSON feature of its own."""


class ThingCollection(Licensed):
    """Things as a GeoJSON feature collection."""

    type: Literal["FeatureCollection"] = Field(
        description="GeoJSON.", examples=["FeatureCollection"]
    )
    features: list[ThingFeature] = Field(description="This page, by id.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last."
    )


class PublicDistrict(BaseModel):
    """An administrative part of the city."""

    district_id: int = Field(description="Its id, never reused.", examples=[1])
    key: str = Field(description="Its stable key.", examples=["gate"])
    name: LocalName


class DistrictFeature(BaseModel):
    """A district as a GeoJSON feature."""

    type: Literal["Feature"] = Field(description="GeoJSON.", examples=["Feature"])
    id: str = Field(description="The district's key.", examples=["gate"])
    geometry: dict[str, Any] = Field(description="Its area, WGS 84.")
    properties: PublicDistrict = Field(description="Its names.")


class DistrictCollection(Licensed):
    """All districts as a GeoJSON feature collection."""

    type: Literal["FeatureCollection"] = Field(
        description="GeoJSON.", examples=["FeatureCollection"]
    )
    features: list[DistrictFeature] = Field(description="By key.")


class PublicDatastream(BaseModel):
    """What one channel says of one thing."""

    datastream_id: int = Field(description="Its id, never reused.", examples=[17])
    key: str = Field(description="Its stable key.", examples=["air-golden-02.pm25"])
    name: LocalName
    thing: str = Field(description="Key of the thing.", examples=["air-golden-02"])
    domain: str = Field(
        description="Its domain, which is also its dataset.", examples=["environment"]
    )
    district: str = Field(description="Key of the district.", examples=["golden"])
    observed_property: str = Field(
        description="Key of what is measured.", examples=["pm25"]
    )
    kind: Kind = Field(
        description="measurement, counter, state or bits.", examples=["measurement"]
    )
    unit: str = Field(description="UCUM unit.", examples=["ug/m3"])
    aggregations: list[Aggregation] = Field(
        description="How it may be added up.", examples=[["avg"]]
    )
    codes: list[StateCode] = Field(description="Of a state or bits; empty for numbers.")
    period_seconds: float = Field(
        description="How often it is expected.", examples=[60.0]
    )
    sampling: Sampling = Field(
        description="At an instant, or over a period stamped at its start or end.",
        examples=["instant"],
    )
    sampling_seconds: float = Field(
        description="Length of that period.", examples=[0.0]
    )


class LicensedDatastream(PublicDatastream, Licensed):
    """A datastream of its own."""


class DatastreamPage(Licensed):
    """Public datastreams."""

    items: list[PublicDatastream] = Field(description="This page, by id.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last."
    )


class PublicLatest(BaseModel):
    """The newest value of a datastream."""

    datastream_id: int = Field(description="The datastream's id.", examples=[17])
    datastream: str = Field(
        description="The datastream's key.", examples=["air-golden-02.pm25"]
    )
    thing: str = Field(description="Key of the thing.", examples=["air-golden-02"])
    observed_property: str = Field(
        description="Key of what is measured.", examples=["pm25"]
    )
    unit: str = Field(description="UCUM unit.", examples=["ug/m3"])
    phenomenon_time: Moment = Field(description="When it was true in the world.")
    result: float = Field(
        description="The value; of a state or bits its number.", examples=[12.4]
    )
    codes: list[str] | None = Field(
        description="Of a state its code, of bits the codes of all that are set.",
        examples=[None],
    )
    quality: QualityWord = Field(
        description="The worse of what the source and our checks say.",
        examples=["good"],
    )


class LatestPage(Licensed):
    """Newest values of public datastreams that have any."""

    items: list[PublicLatest] = Field(description="This page, by datastream id.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last."
    )


class PublicSeriesPage(Licensed):
    """Single observations by datastream and time; a datastream may go on on the next page."""

    start: Moment = Field(description="Beginning of the range, inclusive.")
    end: Moment = Field(description="End of the range, exclusive.")
    series: list[PublicSeries] = Field(description="One entry a datastream.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last."
    )


class PublicBucketPage(Licensed):
    """Buckets by datastream and time. The range is widened to whole buckets."""

    start: Moment = Field(description="Beginning of the first bucket.")
    end: Moment = Field(description="End of the last bucket, exclusive.")
    bucket: str = Field(description="Length of a bucket.", examples=["1h"])
    time_zone: str = Field(
        description="Where days and weeks begin at midnight; shorter buckets are UTC's.",
        examples=["Asia/Almaty"],
    )
    series: list[BucketSeries] = Field(description="One entry a datastream.")
