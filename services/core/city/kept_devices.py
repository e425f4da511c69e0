"""PURE: devices that the registry has and a city file does not: a new or changed channel of their type is theirs too."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from services.core.city.datastreams import Datastream, Names, of_device
from services.core.city.diff import Known, Registry
from services.core.city.entities import Device, DeviceType
from services.core.city.language import Text
from services.core.city.records import Record, Records, Section, device_type_of


def kept_datastreams(wanted: Records, registry: Registry) -> Iterator[Datastream]:
    """What the file's changed channels make of the devices that it leaves as they are."""
    changed = dict(_changed_types(wanted, registry))
    if not changed:
        return
    things = _things(registry)
    names = Names(
        _texts(
            {key: known.record for key, known in registry[Section.THING].items()}
            | dict(wanted[Section.THING])
        ),
        _texts(wanted[Section.OBSERVED_PROPERTY]),
    )
    for key, known in registry[Section.DEVICE].items():
        device_type = changed.get(known.record["device_type"])
        reports = key in things and key not in wanted[Section.DEVICE]
        if device_type and reports and not known.retired:
            device = _device(key, known, things[key])
            yield from of_device(device, device_type, names)


def _changed_types(
    wanted: Records, registry: Registry
) -> Iterator[tuple[str, DeviceType]]:
    """Types with only those channels that the file adds or gives another meaning."""
    changed = [
        record
        for key, record in wanted[Section.CHANNEL].items()
        if _differs(record, registry[Section.CHANNEL].get(key))
    ]
    for key, channels in groupby(
        changed, key=lambda record: str(record["device_type"])
    ):
        yield key, device_type_of(key, wanted[Section.DEVICE_TYPE][key], channels)


def _differs(record: Record, known: Known | None) -> bool:
    return (
        known is None
        or known.retired
        or any(known.record[field] != value for field, value in record.items())
    )


def _things(registry: Registry) -> Mapping[str, Mapping[str, str]]:
    """By device and channel, where a channel observes a thing now."""
    found: dict[str, dict[str, str]] = {}
    for known in registry[Section.DATASTREAM].values():
        record = known.record
        if record["device"] is not None and not known.retired:
            found.setdefault(record["device"], {})[record["channel"]] = record["thing"]
    return found


def _device(key: str, known: Known, things: Mapping[str, str]) -> Device:
    return Device(
        key=key,
        type=known.record["device_type"],
        thing=known.record["thing"],
        publishes=known.record["publishes"],
        channel_things=things,
    )


def _texts(records: Mapping[str, Record]) -> Mapping[str, Text]:
    return {key: Text.from_mapping(record["name"]) for key, record in records.items()}
