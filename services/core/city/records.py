"""PURE: a city as flat records by section and key, as the registry keeps them; values are JSON's own."""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from services.core.city.catalogue import ObservedProperty
from services.core.city.datastreams import Datastream, datastreams
from services.core.city.entities import (
    Channel,
    City,
    Device,
    DeviceType,
    Fleet,
    FleetPart,
    Relation,
    Sampling,
    Thing,
)
from services.core.city.language import Text

Record = Mapping[str, Any]
Records = Mapping["Section", Mapping[str, Record]]

_MILLISECOND: Final = dt.timedelta(milliseconds=1)


class Section(StrEnum):
    """In the order in which they are written: what is named stands before what names it."""

    CITY = "city"
    DISTRICT = "district"
    OBSERVED_PROPERTY = "observed_property"
    SENSOR = "sensor"
    DEVICE_TYPE = "device_type"
    CHANNEL = "channel"
    THING = "thing"
    RELATION = "relation"
    DEVICE = "device"
    HOST = "host"
    DATASTREAM = "datastream"
    FLEET = "fleet"


def channel_key(device_type: str, channel: str) -> str:
    return f"{device_type}.{channel}"


def relation_key(kind: str, source: str, target: str) -> str:
    return f"{source} {kind} {target}"


def host_key(gateway: str, device: str) -> str:
    return f"{gateway} hosts {device}"


def records_of(city: City) -> Records:
    return {
        Section.CITY: {city.key: _city(city)},
        Section.DISTRICT: {
            key: {"name": district.name.as_dict(), "area": district.area}
            for key, district in city.districts.items()
        },
        Section.OBSERVED_PROPERTY: {
            key: _property(observed) for key, observed in city.catalogue.items()
        },
        Section.SENSOR: {
            key: {
                "name": sensor.name.as_dict(),
                "manufacturer": sensor.manufacturer,
                "model": sensor.model,
                "datasheet": sensor.datasheet,
            }
            for key, sensor in city.sensors.items()
        },
        Section.DEVICE_TYPE: {
            key: _device_type(device_type)
            for key, device_type in city.device_types.items()
        },
        Section.CHANNEL: dict(
            _channel(device_type, channel)
            for device_type in city.device_types.values()
            for channel in device_type.channels
        ),
        Section.THING: {key: _thing(thing) for key, thing in city.things.items()},
        Section.RELATION: dict(_relations(city.relations)),
        **device_records(city.devices.values(), datastreams(city)),
        Section.FLEET: {key: _fleet(fleet) for key, fleet in city.fleets.items()},
    }


def part_records(part: FleetPart) -> dict[Section, Iterable[tuple[str, Record]]]:
    """Some members of a fleet; their datastreams follow from their devices."""
    return {
        Section.THING: ((key, _thing(thing)) for key, thing in part.things.items()),
        Section.RELATION: _relations(part.relations),
        Section.DEVICE: (
            (key, _device(device)) for key, device in part.devices.items()
        ),
        Section.HOST: _hosts(part.devices.values()),
    }


def device_records(devices: Iterable[Device], streams: Iterable[Datastream]) -> Records:
    """The sections that devices fill, with the datastreams they report."""
    known = {device.key: device for device in devices}
    return {
        Section.DEVICE: {key: _device(device) for key, device in known.items()},
        Section.HOST: dict(_hosts(known.values())),
        Section.DATASTREAM: {stream.key: _datastream(stream) for stream in streams},
    }


def device_type_of(key: str, record: Record, channels: Iterable[Record]) -> DeviceType:
    """The device type that a record and its channels' records tell of."""
    return DeviceType(
        key=key,
        name=Text.from_mapping(record["name"]),
        sensor=record["sensor"],
        channels=tuple(_channel_of(channel) for channel in channels),
        period=record["period_ms"] * _MILLISECOND,
        max_age=record["max_age_ms"] * _MILLISECOND,
        max_ahead=record["max_ahead_ms"] * _MILLISECOND,
        clock_tolerance=record["clock_tolerance_ms"] * _MILLISECOND,
        server_time=record["server_time"],
    )


def _channel_of(record: Record) -> Channel:
    return Channel(
        name=record["channel"],
        observed_property=record["observed_property"],
        unit=record["unit"],
        factor=record["factor"],
        addend=record["addend"],
        sampling=Sampling(record["sampling"]),
        sampling_period=record["sampling_ms"] * _MILLISECOND,
        rolls_over_at=record["rolls_over_at"],
    )


def _milliseconds(duration: dt.timedelta) -> int:
    return duration // _MILLISECOND


def _city(city: City) -> Record:
    return {
        "key": city.key,
        "name": city.name.as_dict(),
        "time_zone": city.time_zone,
        "centre": [city.longitude, city.latitude],
        "licence": city.licence,
    }


def _property(observed: ObservedProperty) -> Record:
    return {
        "domain": observed.domain.value,
        "kind": observed.kind.value,
        "unit": observed.unit,
        "name": observed.name.as_dict(),
        "definition": observed.definition,
        "hard_min": observed.hard.minimum,
        "hard_max": observed.hard.maximum,
        "plausible_min": observed.plausible.minimum,
        "plausible_max": observed.plausible.maximum,
        "aggregations": [aggregation.value for aggregation in observed.aggregations],
        "max_rate": observed.checks.rate,
        "max_spike": observed.checks.spike,
        "flat_line_ms": observed.checks.flat_line
        and _milliseconds(observed.checks.flat_line),
        "codes": [
            {
                "value": code.value,
                "key": code.key,
                "name": code.name.as_dict(),
                "abnormal": code.abnormal,
            }
            for code in observed.codes
        ],
        "privacy": observed.privacy.value,
    }


def _device_type(device_type: DeviceType) -> Record:
    return {
        "name": device_type.name.as_dict(),
        "sensor": device_type.sensor,
        "period_ms": _milliseconds(device_type.period),
        "max_age_ms": _milliseconds(device_type.max_age),
        "max_ahead_ms": _milliseconds(device_type.max_ahead),
        "clock_tolerance_ms": _milliseconds(device_type.clock_tolerance),
        "server_time": device_type.server_time,
    }


def _channel(device_type: DeviceType, channel: Channel) -> tuple[str, Record]:
    return channel_key(device_type.key, channel.name), {
        "device_type": device_type.key,
        "channel": channel.name,
        "observed_property": channel.observed_property,
        "unit": channel.unit,
        "factor": channel.factor,
        "addend": channel.addend,
        "sampling": channel.sampling.value,
        "sampling_ms": _milliseconds(channel.sampling_period),
        "rolls_over_at": channel.rolls_over_at,
    }


def _thing(thing: Thing) -> Record:
    return {
        "kind": thing.kind,
        "domain": thing.domain.value,
        "name": thing.name.as_dict(),
        "description": thing.description.as_dict() if thing.description else None,
        "district": thing.district,
        "longitude": thing.longitude,
        "latitude": thing.latitude,
        "geometry": thing.geometry,
        "status": thing.status.value,
        "protected": thing.protected,
        "properties": thing.properties,
    }


def _relations(relations: Iterable[Relation]) -> Iterable[tuple[str, Record]]:
    for relation in relations:
        record = {
            "kind": relation.kind.value,
            "source": relation.source,
            "target": relation.target,
        }
        yield relation_key(**record), record


def _device(device: Device) -> Record:
    return {
        "device_type": device.type,
        "thing": device.thing,
        "publishes": device.publishes,
        "external_ids": [dict(external_id) for external_id in device.external_ids],
    }


def _hosts(devices: Iterable[Device]) -> Iterable[tuple[str, Record]]:
    for device in devices:
        for gateway in device.hosted_by:
            yield (
                host_key(gateway, device.key),
                {"gateway": gateway, "device": device.key},
            )


def _fleet(fleet: Fleet) -> Record:
    return {
        "template": fleet.template,
        "content": fleet.content,
        "things": fleet.things,
        "devices": fleet.devices,
        "datastreams": fleet.datastreams,
        "vanished": 0,
    }


def _datastream(datastream: Datastream) -> Record:
    device_type, channel = datastream.device_type, datastream.channel
    return {
        "thing": datastream.thing,
        "channel": channel.name,
        "observed_property": channel.observed_property,
        "sensor": device_type.sensor,
        "name": datastream.name.as_dict(),
        "period_ms": _milliseconds(device_type.period),
        "sampling": channel.sampling.value,
        "sampling_ms": _milliseconds(channel.sampling_period),
        "device": datastream.device,
        "device_type": device_type.key,
    }
