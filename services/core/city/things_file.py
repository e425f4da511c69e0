"""PURE: the things of a city file, with their parts, devices and relations."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.core.city import geo
from services.core.city.catalogue import Domain
from services.core.city.entities import (
    Device,
    Geometry,
    Relation,
    RelationKind,
    Thing,
    ThingStatus,
)
from services.core.city.expansion import Instance, Variables, expand
from services.core.city.fields import Fields, Notes
from services.core.city.geo import Position
from services.core.city.places import Shapes, read_geometry


@dataclass(frozen=True, slots=True)
class Scope:
    """What an entry takes from its file's defaults and from the thing it is part of."""

    domain: str | None = None
    district: str | None = None
    status: str = ThingStatus.OPERATING
    protected: bool = False
    parent: str | None = None
    tie: RelationKind = RelationKind.CONTAINS  # what the parent does to it
    point: Position | None = None
    variables: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assets:
    """What has been read so far. None: in the file, but not usable (noted). Relations with their line."""

    things: MutableMapping[str, Thing | None] = field(default_factory=dict)
    devices: MutableMapping[str, Device | None] = field(default_factory=dict)
    relations: dict[Relation, str] = field(default_factory=dict)
    lines: dict[str, str] = field(
        default_factory=dict
    )  # of devices and things, for later complaints


def read_defaults(raw: Any, notes: Notes) -> Scope:
    fields = Fields(raw, "defaults", notes)
    scope = Scope(
        domain=fields.optional_text("domain"),
        district=fields.optional_text("district"),
        status=fields.text("status", ThingStatus.OPERATING),
        protected=fields.flag("protected", default=False),
    )
    return fields.build(lambda: scope) or Scope()


class AssetReader:
    """Reads things and devices into assets; areas: the districts' polygons, by key."""

    def __init__(
        self, shapes: Shapes, areas: Mapping[str, Geometry], notes: Notes
    ) -> None:
        self.assets = Assets()
        self._shapes = shapes
        self._areas = areas
        self._boxes = {key: geo.box(area) for key, area in areas.items()}
        self._notes = notes

    def read_things(self, entries: Mapping[str, Any], scope: Scope) -> None:
        for instance in expand(entries, scope.variables, self._notes):
            self.read_thing(instance, scope)

    def read_devices(
        self, entries: Mapping[str, Any], thing: str | None, variables: Variables
    ) -> None:
        for instance in expand(entries, variables, self._notes):
            self._read_device(instance, thing)

    def read_thing(self, instance: Instance, scope: Scope) -> None:
        """One thing with all that is written in it."""
        fields = Fields(instance.raw, instance.key, self._notes)
        geometry = read_geometry(fields, instance, self._shapes, scope.point)
        inner = self._inner_scope(fields, geometry, instance, scope)
        self._read_relations(fields, instance.key, scope)
        parts, supplies, devices = (
            fields.mapping(name) for name in ("parts", "supplies", "devices")
        )
        thing = _read_thing_alone(fields, instance.key, geometry, inner)
        if instance.key in self.assets.things:
            fields.wrong("is a second thing of this key")
        self.assets.things[instance.key] = thing
        self.assets.lines[instance.key] = fields.line
        self.read_things(parts, inner)
        self.read_things(supplies, replace(inner, tie=RelationKind.FEEDS))
        self.read_devices(devices, instance.key, instance.variables)

    def _inner_scope(
        self,
        fields: Fields,
        geometry: Geometry | None,
        instance: Instance,
        scope: Scope,
    ) -> Scope:
        point = geo.representative_point(geometry) if geometry else scope.point
        return replace(
            scope,
            domain=fields.text("domain", scope.domain or "") or None,
            district=self._district(fields, point, scope),
            status=fields.text("status", scope.status),
            protected=fields.flag("protected", default=scope.protected),
            parent=instance.key,
            tie=RelationKind.CONTAINS,
            point=point,
            variables=instance.variables,
        )

    def _district(
        self, fields: Fields, point: Position | None, scope: Scope
    ) -> str | None:
        """The one given, else the one the point lies in, else the parent's."""
        given = fields.optional_text("district")
        if given or point is None:
            return given or scope.district
        around = [
            key
            for key, (west, south, east, north) in self._boxes.items()
            if west <= point[0] <= east
            and south <= point[1] <= north
            and geo.contains(self._areas[key], point)
        ]
        return scope.district if scope.district in around or not around else around[0]

    def _read_relations(self, fields: Fields, key: str, scope: Scope) -> None:
        container = fields.optional_text("part_of")
        found = [
            Relation(RelationKind.FEEDS, key, target)
            for target in fields.texts("feeds")
        ]
        found += [
            Relation(RelationKind.FEEDS, source, key)
            for source in fields.texts("fed_by")
        ]
        if container:
            found.append(Relation(RelationKind.CONTAINS, container, key))
        if scope.parent:
            found.append(Relation(scope.tie, scope.parent, key))
        self.assets.relations.update(dict.fromkeys(found, fields.line))

    def _read_device(self, instance: Instance, thing: str | None) -> None:
        fields = Fields(instance.raw, instance.key, self._notes)
        device = _read_device_alone(fields, instance.key, thing)
        if instance.key in self.assets.devices:
            fields.wrong("is a second device of this key")
        self.assets.devices[instance.key] = device
        self.assets.lines[instance.key] = fields.line


def _read_thing_alone(
    fields: Fields, key: str, geometry: Geometry | None, scope: Scope
) -> Thing | None:
    kind, name = fields.text("kind"), fields.names("name")
    domain, status = (
        fields.choice("domain", Domain, scope.domain),
        fields.choice("status", ThingStatus, scope.status),
    )
    description = fields.names("description") if fields.has("description") else None
    properties = dict(fields.mapping("properties"))
    if scope.district is None:
        fields.wrong("is missing, and no district lies around it", "district")
    if geometry is None or scope.district is None or scope.point is None:
        return None
    district, (longitude, latitude) = scope.district, scope.point
    return fields.build(
        lambda: Thing(
            key=key,
            kind=kind,
            domain=domain,
            name=name,
            district=district,
            geometry=geometry,
            longitude=longitude,
            latitude=latitude,
            description=description,
            status=status,
            protected=scope.protected,
            properties=properties,
        )
    )


def _read_device_alone(fields: Fields, key: str, thing: str | None) -> Device | None:
    hosted_by = fields.texts("hosted_by")
    type_key, own_thing = (
        fields.optional_text("type"),
        fields.text("thing", thing) or None,
    )
    publishes = fields.flag("publishes", default=not hosted_by)
    channel_things = dict(fields.mapping("channel_things"))
    external_ids = tuple(
        {"scheme": str(scheme), "value": str(value)}
        for scheme, value in fields.mapping("external_ids").items()
    )
    return fields.build(
        lambda: Device(
            key=key,
            type=type_key,
            thing=own_thing,
            publishes=publishes,
            hosted_by=hosted_by,
            channel_things=channel_things,
            external_ids=external_ids,
        )
    )
