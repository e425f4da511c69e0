"""PURE: whether what a city file's entries name is there, and whether the whole makes sense."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from services.core.city.entities import (
    Device,
    DeviceType,
    Geometry,
    Relation,
    RelationKind,
    Thing,
    ThingStatus,
)
from services.core.city.fields import Notes
from services.core.city.geo import contains
from services.core.city.ids import datastream_key
from services.core.city.things_file import Assets


class ReferenceCheck:
    """Notes every reference that leads nowhere; what could not be read itself counts as there."""

    def __init__(
        self,
        assets: Assets,
        device_types: Mapping[str, DeviceType | None],
        notes: Notes,
    ) -> None:
        self._assets = assets
        self._device_types = device_types
        self._notes = notes

    def check(
        self, areas: Mapping[str, Geometry | None], sensors: Iterable[str]
    ) -> None:
        """areas: the districts' polygons."""
        for device_type in filter(None, self._device_types.values()):
            if device_type.sensor not in sensors:
                self._wrong(
                    device_type.key, f"sensor {device_type.sensor!r} is not there"
                )
        self.check_members(self._assets, areas)

    def check_members(
        self, members: Assets, areas: Mapping[str, Geometry | None]
    ) -> None:
        """What is said in these entries alone; they may name everything there is."""
        for thing in filter(None, members.things.values()):
            self._check_district(thing, areas)
        for relation in members.relations:
            self._check_relation(relation)
        self._check_tree(members)
        for device in filter(None, members.devices.values()):
            self._check_device(device)
        self._check_datastream_keys(members)

    def _check_district(
        self, thing: Thing, areas: Mapping[str, Geometry | None]
    ) -> None:
        area = areas.get(thing.district)
        if thing.district not in areas:
            self._wrong(thing.key, f"district {thing.district!r} is not there")
        elif (
            thing.geometry["type"] == "Point"
            and area
            and not contains(area, (thing.longitude, thing.latitude))
        ):
            self._doubt(thing.key, f"does not lie in its district, {thing.district}")

    def _doubt(self, key: str, message: str) -> None:
        place = self._assets.lines.get(key, "")
        self._notes.warnings.append(
            ": ".join(part for part in (place, key, message) if part)
        )

    def _wrong(self, key: str, message: str, line: str = "") -> None:
        place = line or self._assets.lines.get(key, "")
        self._notes.problems.append(
            ": ".join(part for part in (place, key, message) if part)
        )

    def _check_relation(self, relation: Relation) -> None:
        line = self._assets.relations[relation]
        for key in (relation.source, relation.target):
            if key not in self._assets.things:
                self._wrong(
                    key,
                    f"is not there ({relation.source} {relation.kind} {relation.target})",
                    line,
                )
        if relation.source == relation.target:
            self._wrong(relation.source, f"{relation.kind} itself", line)

    def _check_tree(self, members: Assets) -> None:
        """Each thing is part of one at most, and nothing contains itself by way of others."""
        inside = [
            relation
            for relation in members.relations
            if relation.kind is RelationKind.CONTAINS
        ]
        containers: dict[str, set[str]] = {}
        for relation in inside:
            containers.setdefault(relation.target, set()).add(relation.source)
        for key, owners in containers.items():
            if len(owners) > 1:
                self._wrong(key, f"is part of {' and of '.join(sorted(owners))}")
        try:
            TopologicalSorter(containers).prepare()
        except CycleError as error:
            self._wrong(
                error.args[1][0], f"contains itself: {' in '.join(error.args[1])}"
            )

    def _check_device(self, device: Device) -> None:
        self._check_hosts(device)
        if device.thing is not None and device.thing not in self._assets.things:
            self._wrong(device.key, f"thing {device.thing!r} is not there")
        if device.type is not None and device.type not in self._device_types:
            self._wrong(device.key, f"device type {device.type!r} is not there")
        if device.type is None:
            if not device.publishes or device.channel_things:
                self._wrong(
                    device.key,
                    "needs a type: only a gateway that measures nothing has none",
                )
        elif device.thing is None:
            self._wrong(device.key, "needs a thing that it observes")
        self._check_channel_things(device)
        thing = self._thing_of(device)
        if thing and thing.status is ThingStatus.PLANNED:
            self._doubt(device.key, f"stands at {thing.key}, which is only planned")

    def _thing_of(self, device: Device) -> Thing | None:
        return self._assets.things.get(device.thing) if device.thing else None

    def _check_hosts(self, device: Device) -> None:
        if not device.publishes and not device.hosted_by:
            self._wrong(device.key, "neither publishes nor is hosted by a gateway")
        for host in device.hosted_by:
            gateway = self._assets.devices.get(host)
            if host not in self._assets.devices:
                self._wrong(device.key, f"gateway {host!r} is not there")
            elif host == device.key:
                self._wrong(device.key, "hosts itself")
            elif gateway and not gateway.publishes:
                self._wrong(device.key, f"gateway {host!r} does not publish")

    def _check_channel_things(self, device: Device) -> None:
        device_type = self._device_types.get(device.type) if device.type else None
        for channel, thing in device.channel_things.items():
            if device_type and channel not in {
                known.name for known in device_type.channels
            }:
                self._wrong(device.key, f"{device_type.key} has no channel {channel!r}")
            if thing not in self._assets.things:
                self._wrong(device.key, f"thing {thing!r} is not there")

    def _check_datastream_keys(self, members: Assets) -> None:
        keys = Counter(
            key
            for device in members.devices.values()
            if device
            for key in self._keys(device)
        )
        for key, times in keys.items():
            if times > 1:
                self._notes.problems.append(
                    f"{key}: {times} devices report this datastream"
                )

    def _keys(self, device: Device) -> Sequence[str]:
        device_type = self._device_types.get(device.type) if device.type else None
        if device_type is None or device.thing is None:
            return ()
        return [
            datastream_key(
                device.channel_things.get(channel.name, device.thing), channel.name
            )
            for channel in device_type.channels
        ]
