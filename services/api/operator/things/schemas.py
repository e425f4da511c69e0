"""Things as operators see them."""

from typing import Any

from pydantic import BaseModel, Field

from services.api.schemas import LocalName, Moment
from services.core.city.entities import ThingStatus


class Thing(BaseModel):
    """A physical asset with a place."""

    thing_id: int = Field(description="Its id, never reused.", examples=[42])
    key: str = Field(description="Its stable key.", examples=["yntymak-pump-1"])
    kind: str = Field(description="What it is.", examples=["pump"])
    domain: str = Field(description="The domain it belongs to.", examples=["water"])
    district: str = Field(
        description="Key of the district it stands in.", examples=["gate"]
    )
    name: LocalName
    description: LocalName | None = Field(
        description="More about it, if there is more."
    )
    status: ThingStatus = Field(
        description="planned, under_construction or operating.", examples=["operating"]
    )
    protected: bool = Field(
        description="Whether the public is shown only the district it stands in.",
        examples=[False],
    )
    longitude: float = Field(
        description="Of a point in it, WGS 84.", examples=[77.0612]
    )
    latitude: float = Field(description="Of a point in it, WGS 84.", examples=[43.6621])
    geometry: dict[str, Any] | None = Field(
        description="GeoJSON; in lists only with ?geometry=true.",
        examples=[{"type": "Point", "coordinates": [77.0612, 43.6621]}],
    )
    properties: dict[str, Any] = Field(
        description="What else the city file says of it.",
        examples=[{"rated_power_kw": 55}],
    )
    retired_at: Moment | None = Field(description="When it was taken out of service.")


class Neighbours(BaseModel):
    """Keys of the things around it."""

    contains: list[str] = Field(description="What stands inside it.", examples=[[]])
    contained_in: list[str] = Field(
        description="What it stands inside of.", examples=[["yntymak-intake"]]
    )
    feeds: list[str] = Field(
        description="What it supplies.", examples=[["gate-reservoir-1"]]
    )
    fed_by: list[str] = Field(
        description="What supplies it.", examples=[["yntymak-well-1"]]
    )


class WholeThing(Thing):
    """A thing with all that hangs on it."""

    relations: Neighbours = Field(description="The topology around it, one step.")
    devices: list[str] = Field(
        description="Keys of the devices that observe it.",
        examples=[["yntymak-pump-1-ctl"]],
    )
    datastreams: int = Field(
        description="How many datastreams this user may see of it.", examples=[5]
    )
