"""PURE: devices for a registry that has their types and things already: what to write, or what is wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.core.city.datastreams import Datastream, Names, of_device
from services.core.city.diff import Known, Registry
from services.core.city.entities import Device, DeviceType
from services.core.city.language import Text
from services.core.city.near import near
from services.core.city.records import (
    Record,
    Records,
    Section,
    device_records,
    device_type_of,
)

_WORDS: Final = {
    Section.DEVICE_TYPE: "device type",
    Section.THING: "thing",
    Section.DEVICE: "gateway",
}


@dataclass(frozen=True, slots=True)
class Additions:
    """wanted: of all sections, only what is new or was retired. known: what the registry has of that."""

    wanted: Records
    known: Registry
    problems: tuple[str, ...]


def additions(
    devices: Sequence[Device],
    registry: Registry,
    names: Mapping[Section, Iterable[str]],
) -> Additions:
    """What makes the registry hold these devices; one that it holds already must be the same in every fact.

    registry: at least what the devices name, and the datastreams of their things. names: to suggest others.
    """
    check = _Check(registry, names)
    new = [
        replace(device, external_ids=_external_ids(registry, device))
        for device in _distinct(devices, check)
        if check.is_new(device)
    ]
    check.references(new)
    streams = [stream for device in new for stream in check.datastreams(device)]
    check.ownership(streams)
    wanted: Records = {section: {} for section in Section} | dict(
        device_records(new, streams)
    )
    known = {
        section: {
            key: registry[section][key] for key in keys & registry[section].keys()
        }
        for section, keys in ((section, wanted[section].keys()) for section in Section)
    }
    return Additions(wanted, known, tuple(check.problems))


def _distinct(devices: Iterable[Device], check: "_Check") -> Iterable[Device]:
    found: dict[str, Device] = {}
    for device in devices:
        if found.setdefault(device.key, device) != device:
            check.wrong(device.key, "is there twice, with different facts")
    return found.values()


def _external_ids(registry: Registry, device: Device) -> tuple[Mapping[str, str], ...]:
    known = registry[Section.DEVICE].get(device.key)
    return tuple(known.record["external_ids"]) if known else device.external_ids


class _Check:
    def __init__(
        self, registry: Registry, names: Mapping[Section, Iterable[str]]
    ) -> None:
        self.problems: list[str] = []
        self._registry = registry
        self._names = names
        self._types: dict[str, DeviceType] = {}

    def wrong(self, key: str, message: str) -> None:
        self.problems.append(f"{key}: {message}")

    def is_new(self, device: Device) -> bool:
        """Whether something has to be written for it."""
        known = self._registry[Section.DEVICE].get(device.key)
        if known is None:
            return True
        if differences := list(self._differences(device, known)):
            self.wrong(
                device.key, f"is registered already, and {'; '.join(differences)}"
            )
            return False
        return known.retired

    def _differences(self, device: Device, known: Known) -> Iterator[str]:
        record = known.record
        for word, is_now, asked in (
            ("type", record["device_type"], device.type),
            ("thing", record["thing"], device.thing),
        ):
            if is_now != asked:
                yield f"its {word} is {is_now or 'none'}, not {asked or 'none'}"
        ids_now, ids = _named(record["external_ids"]), _named(device.external_ids)
        if ids and ids != ids_now:
            yield f"its external ids are {_listed(ids_now)}, not {_listed(ids)}"
        if known.retired:
            return
        hosts = {
            host.record["gateway"]
            for host in self._registry[Section.HOST].values()
            if host.record["device"] == device.key and not host.retired
        }
        if hosts != set(device.hosted_by):
            yield f"its gateways are {_listed(hosts)}, not {_listed(device.hosted_by)}"

    def references(self, new: Sequence[Device]) -> None:
        publishers = {device.key for device in new if device.publishes}
        for device in new:
            if device.type is None and not device.publishes:
                self.wrong(device.key, "needs a type: only a gateway has none")
            if device.thing is None:
                self.wrong(device.key, "needs a thing")
            self._live(device.key, Section.DEVICE_TYPE, device.type)
            self._live(device.key, Section.THING, device.thing)
            for gateway in device.hosted_by:
                self._gateway(device.key, gateway, publishers)

    def _live(self, key: str, section: Section, name: str | None) -> Record | None:
        known = self._registry[section].get(name) if name else None
        if known and not known.retired:
            return known.record
        if name:
            word, reason = _WORDS[section], "retired" if known else "not registered"
            near_name = near(name, self._names.get(section, ()))
            self.wrong(key, f"the {word} {name!r} is {reason}{near_name}")
        return None

    def _gateway(self, key: str, gateway: str, publishers: set[str]) -> None:
        if gateway == key:
            self.wrong(key, "cannot host itself")
        elif gateway not in publishers:
            record = self._live(key, Section.DEVICE, gateway)
            if record and not record["publishes"]:
                self.wrong(key, f"{gateway!r} does not publish, so it hosts nothing")

    def datastreams(self, device: Device) -> Iterator[Datastream]:
        """None where the device's type or thing is not there, which references() has told."""
        known = self._registry[Section.DEVICE_TYPE].get(device.type or "")
        thing = self._registry[Section.THING].get(device.thing or "")
        if known is None or thing is None or device.type is None:
            return
        names = Names(
            {str(device.thing): Text.from_mapping(thing.record["name"])},
            {
                key: Text.from_mapping(observed.record["name"])
                for key, observed in self._registry[Section.OBSERVED_PROPERTY].items()
            },
        )
        yield from of_device(device, self._type(device.type, known.record), names)

    def _type(self, key: str, record: Record) -> DeviceType:
        if key not in self._types:
            channels = [
                channel.record
                for channel in self._registry[Section.CHANNEL].values()
                if channel.record["device_type"] == key and not channel.retired
            ]
            self._types[key] = device_type_of(key, record, channels)
        return self._types[key]

    def ownership(self, streams: Sequence[Datastream]) -> None:
        """A datastream is reported by one device."""
        taken: dict[tuple[str, str, str], list[str]] = {}
        first: dict[str, str] = {}
        for stream in streams:
            known = self._registry[Section.DATASTREAM].get(stream.key)
            owner = None if known is None or known.retired else known.record["device"]
            owner = owner or first.setdefault(stream.key, stream.device)
            if owner != stream.device:
                place = (stream.device, stream.thing, owner)
                taken.setdefault(place, []).append(stream.channel.name)
        for (device, thing, owner), channels in taken.items():
            self.wrong(
                device,
                f"{_listed(channels)} of {thing}: reported by {owner} (the city file exchanges devices)",
            )


def _named(external_ids: Iterable[Mapping[str, str]]) -> set[str]:
    return {f"{one['scheme']}={one['value']}" for one in external_ids}


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys)) or "none"
