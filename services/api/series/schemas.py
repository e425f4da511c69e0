"""How observations look in JSON. They are written by series.reading, and checked against this by tests."""

from pydantic import BaseModel, ConfigDict, Field

from services.api.schemas import LocalName, Moment, StateCode
from services.api.series.model import QualityWord
from services.core.city.catalogue import Aggregation, Kind

_CODES = Field(
    default=None,
    description="Of a state: its code. Of bits: the codes of all that are set. Not there for numbers.",
    examples=[["closed"]],
)


class SeriesHead(BaseModel):
    """Whose observations these are."""

    datastream_id: int = Field(description="The datastream's id.", examples=[17])
    datastream: str = Field(
        description="The datastream's key.", examples=["yntymak-pump-1.pressure"]
    )
    name: LocalName
    thing: str = Field(description="The thing's key.", examples=["yntymak-pump-1"])
    observed_property: str = Field(
        description="The observed property's key.", examples=["water_pressure"]
    )
    kind: Kind = Field(
        description="measurement, counter, state or bits.", examples=["measurement"]
    )
    unit: str = Field(description="UCUM unit of every number here.", examples=["bar"])
    codes: list[StateCode] = Field(
        description="What a state's or bit set's numbers mean; empty for numbers."
    )


class PublicObservation(BaseModel):
    """One value at one time."""

    model_config = ConfigDict(extra="forbid")

    phenomenon_time: Moment = Field(description="When it was true in the world.")
    result: float = Field(
        description="The value, in the unit above; of a state or bits its number.",
        examples=[4.2],
    )
    codes: list[str] | None = _CODES
    quality: QualityWord = Field(
        description="The worse of what the source and our checks say.",
        examples=["good"],
    )


class Observation(PublicObservation):
    """One value at one time, with what operators may know."""

    source_quality: QualityWord = Field(
        description="As the device said it.", examples=["good"]
    )
    check_quality: QualityWord = Field(
        description="As our checks found it.", examples=["good"]
    )
    ingested_at: Moment = Field(description="When we stored it.")


class BucketSums(BaseModel):
    """What one bucket adds up to. Of the sums, those that were asked for and that the catalogue allows."""

    model_config = ConfigDict(extra="forbid")

    start: Moment = Field(description="Beginning, inclusive; the bucket's label.")
    end: Moment = Field(description="End, exclusive.")
    count: int = Field(
        description="Observations added up. One over a period that is stamped at its end counts where the period began.",
        examples=[12],
    )
    excluded: int = Field(
        description="Observations left out, because their quality is fail.",
        examples=[0],
    )
    coverage: float = Field(
        description="count against what the datastream's period lets expect, 0 to 1.",
        examples=[1.0],
    )
    avg: float | None = Field(default=None, description="Mean.", examples=[4.1])
    min: float | None = Field(default=None, description="Smallest.", examples=[3.9])
    max: float | None = Field(default=None, description="Largest.", examples=[4.4])
    sum: float | None = Field(default=None, description="Sum.", examples=[49.2])
    last: float | None = Field(default=None, description="Newest.", examples=[4.2])
    last_codes: list[str] | None = Field(
        default=None,
        description="Newest, of a state or bits, in words.",
        examples=[["closed"]],
    )
    delta: float | None = Field(
        default=None,
        description="Rise of a counter until the bucket's end, the value shown then included: midnight to midnight. Resets to zero "
        "are allowed for; a rise over several buckets counts where it ends, however long nothing was heard.",
        examples=[17.5],
    )
    duration: dict[str, float] | None = Field(
        default=None,
        description="Seconds in each state, by code. A state is believed for three periods without being said again.",
        examples=[{"closed": 290.0, "open": 10.0}],
    )


class Series(SeriesHead):
    """Observations of one datastream, by time."""

    observations: list[Observation] = Field(description="This page's, by time.")


class PublicSeries(SeriesHead):
    """Observations of one public datastream, by time."""

    observations: list[PublicObservation] = Field(description="This page's, by time.")


class BucketSeries(SeriesHead):
    """Buckets of one datastream, by time."""

    aggregations: list[Aggregation] = Field(
        description="What the buckets have.", examples=[["avg", "max"]]
    )
    buckets: list[BucketSums] = Field(
        description="Those that have any observation, by time."
    )


class _Span(BaseModel):
    start: Moment = Field(description="Beginning of the range, inclusive.")
    end: Moment = Field(description="End of the range, exclusive.")


class SeriesPage(_Span):
    """Raw observations by datastream and time; a datastream may go on on the next page."""

    series: list[Series] = Field(description="One entry a datastream.")
    next: str | None = Field(
        description="Give it as ?cursor= for the next page; null on the last."
    )


class BucketPage(_Span):
    """Buckets by datastream and time. The range is widened to whole buckets."""

    bucket: str = Field(description="Length of a bucket.", examples=["5m"])
    time_zone: str = Field(
        description="Where days and weeks begin at midnight; shorter buckets are UTC's.",
        examples=["Asia/Almaty"],
    )
    series: list[BucketSeries] = Field(description="One entry a datastream.")
