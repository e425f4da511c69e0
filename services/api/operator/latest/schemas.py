"""Newest values as operators see them."""

from pydantic import BaseModel, Field

from services.api.schemas import LocalName, Moment
from services.api.series.model import QualityWord
from services.core.city.catalogue import Kind


class Latest(BaseModel):
    """The newest value of a datastream."""

    datastream_id: int = Field(description="The datastream's id.", examples=[1048581])
    datastream: str = Field(
        description="The datastream's key.", examples=["yntymak-pump-1.pressure"]
    )
    name: LocalName
    thing: str = Field(description="Key of the thing.", examples=["yntymak-pump-1"])
    domain: str = Field(description="The thing's domain.", examples=["water"])
    district: str = Field(description="The thing's district.", examples=["gate"])
    observed_property: str = Field(
        description="Key of what is measured.", examples=["water_pressure"]
    )
    kind: Kind = Field(
        description="measurement, counter, state or bits.", examples=["measurement"]
    )
    unit: str = Field(description="UCUM unit.", examples=["bar"])
    result: float | None = Field(
        description="The value; of a state or bits its number; null: never seen.",
        examples=[4.2],
    )
    codes: list[str] | None = Field(
        description="Of a state its code, of bits the codes of all that are set.",
        examples=[None],
    )
    quality: QualityWord | None = Field(
        description="The worse of what the source and our checks say.",
        examples=["good"],
    )
    phenomenon_time: Moment | None = Field(
        description="When it was true in the world; null: never seen."
    )
    age_seconds: float | None = Field(description="Since then.", examples=[3.1])
    stale: bool = Field(
        description="Whether it is older than three periods, was never seen, or its device has said since that it is gone.",
        examples=[False],
    )
