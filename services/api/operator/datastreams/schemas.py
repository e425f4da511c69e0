"""Datastreams as operators see them."""

from pydantic import BaseModel, Field

from services.api.schemas import LocalName, Moment
from services.core.city.catalogue import Aggregation, Kind, Privacy
from services.core.city.entities import Sampling


class Datastream(BaseModel):
    """What one channel of a sensor says of one thing."""

    datastream_id: int = Field(
        description="Its id, never reused; it stays when the device is exchanged.",
        examples=[1048581],
    )
    key: str = Field(
        description="Its stable key: <thing>.<channel>.",
        examples=["yntymak-pump-1.pressure"],
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
    unit: str = Field(
        description="Canonical UCUM unit of its observations.", examples=["bar"]
    )
    aggregations: list[Aggregation] = Field(
        description="How it may be added up.", examples=[["avg", "min", "max"]]
    )
    privacy: Privacy = Field(
        description="public, internal or household.", examples=["internal"]
    )
    sensor: str = Field(
        description="Key of the instrument type.", examples=["pump_controller"]
    )
    channel: str = Field(
        description="Its key in the device's messages.", examples=["pressure"]
    )
    device: str | None = Field(
        description="Key of the device that reports it now.",
        examples=["yntymak-pump-1-ctl"],
    )
    period_seconds: float = Field(
        description="How often it is expected.", examples=[5.0]
    )
    sampling: Sampling = Field(
        description="At an instant, or over a period stamped at its start or end.",
        examples=["instant"],
    )
    sampling_seconds: float = Field(
        description="Length of that period.", examples=[0.0]
    )
    retired_at: Moment | None = Field(description="When it was taken out of service.")
