"""PURE: questions about a city's things: who feeds whom, what is part of what, what measures where."""

from collections.abc import Iterable, Mapping, Sequence

from services.core.city.entities import City, RelationKind, Thing


class Topology:
    def __init__(self, city: City) -> None:
        self.city = city
        self._below = _by_source(city, RelationKind.FEEDS)
        self._parts = _by_source(city, RelationKind.CONTAINS)
        self._above = _reversed(self._below)
        self._wholes = _reversed(self._parts)
        self._measured: dict[str, dict[str, None]] = {}
        for device in city.devices.values():
            if device.type is not None:
                for thing in (device.thing, *device.channel_things.values()):
                    if thing is not None:
                        self._measured.setdefault(device.type, {})[thing] = None

    def fed_by(self, thing: str) -> Sequence[str]:
        return self._above.get(thing, ())

    def feeds(self, thing: str) -> Sequence[str]:
        return self._below.get(thing, ())

    def parts(self, thing: str) -> Sequence[str]:
        return self._parts.get(thing, ())

    def whole(self, thing: str) -> str | None:
        return next(iter(self._wholes.get(thing, ())), None)

    def measured_by(self, *device_types: str) -> list[Thing]:
        """The things that devices of these types observe, in the city's order."""
        return [
            self.city.things[thing]
            for device_type in device_types
            for thing in self._measured.get(device_type, ())
        ]

    def of_kind(self, kind: str) -> list[Thing]:
        return [thing for thing in self.city.things.values() if thing.kind == kind]

    def among(self, things: Iterable[str], known: Iterable[str]) -> list[str]:
        wanted = set(known)
        return [thing for thing in things if thing in wanted]


def number(thing: Thing, name: str, otherwise: float) -> float:
    """A property of a thing as a number."""
    value = thing.properties.get(name, otherwise)
    return float(value) if isinstance(value, int | float) else otherwise


def _by_source(city: City, kind: RelationKind) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for relation in city.relations:
        if relation.kind is kind:
            found.setdefault(relation.source, []).append(relation.target)
    return found


def _reversed(relations: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, targets in relations.items():
        for target in targets:
            found.setdefault(target, []).append(source)
    return found
