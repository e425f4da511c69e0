"""The city, districts and observed properties, as operators see them."""

from typing import Any

from pydantic import BaseModel, Field

from services.api.schemas import LocalName, Moment, StateCode
from services.core.city.catalogue import Aggregation, Kind, Privacy


class City(BaseModel):
    """The city of this installation."""

    key: str = Field(description="The city's key.", examples=["alatau"])
    name: LocalName
    time_zone: str = Field(
        description="Where days and weeks begin at midnight.", examples=["Asia/Almaty"]
    )
    longitude: float = Field(description="Of its centre, WGS 84.", examples=[77.06])
    latitude: float = Field(description="Of its centre, WGS 84.", examples=[43.66])
    revision: int = Field(
        description="Rises with every change of the registry.", examples=[3]
    )
    time: Moment = Field(description="The platform's clock now.")


class District(BaseModel):
    """An administrative part of the city; also the scope of authorisation."""

    district_id: int = Field(description="Its id, never reused.", examples=[1])
    key: str = Field(description="Its stable key.", examples=["gate"])
    name: LocalName
    area: dict[str, Any] | None = Field(
        description="GeoJSON, WGS 84; with ?geometry=true, else null."
    )
    retired_at: Moment | None = Field(
        description="When it was taken out of the registry."
    )


class Districts(BaseModel):
    """All districts: there are few."""

    items: list[District] = Field(description="By key.")


class ObservedProperty(BaseModel):
    """What is measured: an entry of the catalogue. Ranges are in the canonical unit; null is open."""

    observed_property_id: int = Field(
        description="Its id, never reused.", examples=[12]
    )
    key: str = Field(description="Its stable key.", examples=["water_pressure"])
    domain: str = Field(description="The domain it belongs to.", examples=["water"])
    kind: Kind = Field(
        description="measurement, counter, state or bits.", examples=["measurement"]
    )
    unit: str = Field(description="Canonical UCUM unit.", examples=["bar"])
    name: LocalName
    definition: str | None = Field(
        description="URI of the concept.",
        examples=["http://qudt.org/vocab/quantitykind/Pressure"],
    )
    hard_min: float | None = Field(
        description="Below it a value is refused.", examples=[0.0]
    )
    hard_max: float | None = Field(
        description="Above it a value is refused.", examples=[25.0]
    )
    plausible_min: float | None = Field(
        description="Below it a value is kept and flagged suspect.", examples=[1.0]
    )
    plausible_max: float | None = Field(
        description="Above it a value is kept and flagged suspect.", examples=[10.0]
    )
    max_rate: float | None = Field(
        description="Change per second beyond which a value is flagged suspect; null: not checked.",
        examples=[0.5],
    )
    max_spike: float | None = Field(
        description="Distance from the median of the three before beyond which it is flagged suspect.",
        examples=[2.0],
    )
    flat_line_seconds: float | None = Field(
        description="How long the very same value is believed.", examples=[21600.0]
    )
    aggregations: list[Aggregation] = Field(
        description="How it may be added up.", examples=[["avg", "min", "max"]]
    )
    codes: list[StateCode] = Field(description="Of a state or bits; empty for numbers.")
    privacy: Privacy = Field(
        description="public, internal or household.", examples=["internal"]
    )
    retired_at: Moment | None = Field(
        description="When it was taken out of the catalogue."
    )
