"""Devices as operators see them."""

from pydantic import BaseModel, Field

from services.api.schemas import Moment


class DeviceStatus(BaseModel):
    """Whether a device is alive, as far as we know."""

    online: bool | None = Field(
        description="By its birth and death messages; null: it has said neither.",
        examples=[True],
    )
    online_since: Moment | None = Field(description="When that became so.")
    last_seen: Moment | None = Field(
        description="When we last stored something that it sent; null: never."
    )
    last_time: Moment | None = Field(description="The newest phenomenon_time it sent.")
    age_seconds: float | None = Field(description="Since last_seen.", examples=[3.2])
    silent: bool | None = Field(
        description="Whether three of its periods have passed since last_seen; null where it has no period.",
        examples=[False],
    )
    firmware: str | None = Field(
        description="As its birth message says.", examples=["2.4.1"]
    )


class ExternalId(BaseModel):
    """A number the device has elsewhere."""

    scheme: str = Field(description="What kind of number.", examples=["serial"])
    value: str = Field(description="The number.", examples=["SN-2291-0017"])


class Device(BaseModel):
    """What speaks MQTT, or is spoken for by a gateway."""

    device_id: int = Field(description="Its id, never reused.", examples=[118])
    key: str = Field(
        description="Its device id on the wire, its MQTT user name and client id.",
        examples=["yntymak-pump-1-ctl"],
    )
    type: str | None = Field(
        description="Key of its device type; null: a gateway that measures nothing itself.",
        examples=["pump_controller"],
    )
    thing: str | None = Field(
        description="Key of the thing it observes.", examples=["yntymak-pump-1"]
    )
    domain: str | None = Field(description="That thing's domain.", examples=["water"])
    district: str | None = Field(
        description="That thing's district.", examples=["gate"]
    )
    publishes: bool = Field(
        description="Whether it has (or may have) credentials of its own.",
        examples=[True],
    )
    period_seconds: float | None = Field(
        description="How often it reports.", examples=[5.0]
    )
    hosted_by: list[str] = Field(
        description="Keys of the gateways that may speak for it.", examples=[[]]
    )
    hosts: int = Field(description="How many devices it may speak for.", examples=[0])
    external_ids: list[ExternalId] = Field(
        description="Serial numbers, DevEUIs, DLMS names."
    )
    status: DeviceStatus = Field(description="Whether it is alive.")
    retired_at: Moment | None = Field(description="When it was taken out of service.")
