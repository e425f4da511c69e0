"""PURE: the things, devices and topology of a city, as a city file says them."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.core.city.catalogue import Domain, ObservedProperty
from services.core.city.ids import CHANNEL, KEY, is_device_id
from services.core.city.language import Text

Geometry = Mapping[str, Any]  # GeoJSON, WGS 84, [longitude, latitude]


class ThingStatus(StrEnum):
    PLANNED = "planned"
    UNDER_CONSTRUCTION = "under_construction"
    OPERATING = "operating"


class RelationKind(StrEnum):
    CONTAINS = "contains"
    FEEDS = "feeds"


class Sampling(StrEnum):
    INSTANT = "instant"
    PERIOD_START = "period_start"  # over a duration, stamped at its start
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True)
class District:
    key: str
    name: Text
    area: Geometry


@dataclass(frozen=True, slots=True)
class Sensor:
    """The instrument type."""

    key: str
    name: Text
    manufacturer: str | None = None
    model: str | None = None
    datasheet: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A key in a message's "values". canonical value = sent value * factor + addend."""

    name: str
    observed_property: str
    unit: str
    factor: float = 1.0
    addend: float = 0.0
    sampling: Sampling = Sampling.INSTANT
    sampling_period: dt.timedelta = dt.timedelta(0)
    rolls_over_at: float | None = None  # of a counter, as sent: it goes on from zero

    def __post_init__(self) -> None:
        if not CHANNEL.match(self.name):
            raise ValueError(f"{self.name!r} is not a channel name")


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A profile that all devices of the type share; a channel's place is its slot."""

    key: str
    name: Text
    sensor: str
    channels: tuple[Channel, ...]
    period: dt.timedelta
    max_age: dt.timedelta = dt.timedelta(days=35)
    max_ahead: dt.timedelta = dt.timedelta(minutes=5)
    clock_tolerance: dt.timedelta = dt.timedelta(seconds=10)
    server_time: bool = False

    def __post_init__(self) -> None:
        if len({channel.name for channel in self.channels}) != len(self.channels):
            raise ValueError(f"{self.key}: two channels have the same name")


@dataclass(frozen=True, slots=True)
class Thing:
    key: str
    kind: str
    domain: Domain
    name: Text
    district: str
    geometry: Geometry
    longitude: float
    latitude: float
    description: Text | None = None
    status: ThingStatus = ThingStatus.OPERATING
    protected: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not KEY.match(self.key):
            raise ValueError(f"{self.key!r} is not a key")


@dataclass(frozen=True, slots=True)
class Relation:
    kind: RelationKind
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Device:
    """What speaks MQTT, or is spoken for by a gateway.

    thing: what its channels observe; channel_things: the channels that observe another thing.
    """

    key: str
    type: str | None
    thing: str | None
    publishes: bool
    hosted_by: tuple[str, ...] = ()
    channel_things: Mapping[str, str] = field(default_factory=dict)
    external_ids: tuple[Mapping[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not is_device_id(self.key):
            raise ValueError(f"{self.key!r} is not a device id")


@dataclass(frozen=True, slots=True)
class FleetPart:
    """Some members of a fleet, whole: each thing with its parts and devices."""

    things: Mapping[str, Thing]
    relations: Iterable[Relation]
    devices: Mapping[str, Device]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Things with their devices that are too many to hold.

    template: as the city file says it. content: a hash of all that the members follow from. Counts are of all
    members. parts(problems) makes them, some at a time, and adds what is wrong with them.
    """

    key: str
    template: Mapping[str, Any]
    content: str
    things: int
    devices: int
    datastreams: int
    parts: Callable[[list[str]], Iterator[FleetPart]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class City:
    """A whole city file, references checked. Every mapping is by key."""

    key: str
    name: Text
    time_zone: str
    longitude: float
    latitude: float
    districts: Mapping[str, District]
    catalogue: Mapping[str, ObservedProperty]
    sensors: Mapping[str, Sensor]
    device_types: Mapping[str, DeviceType]
    things: Mapping[str, Thing]
    relations: tuple[Relation, ...]
    devices: Mapping[str, Device]
    licence: str = "CC-BY-4.0"
    fleets: Mapping[str, Fleet] = field(default_factory=dict)
