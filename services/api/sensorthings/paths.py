"""PURE: resource paths: from the service root through entities to a set, an entity or a property.

Source: OGC 18-088, clause 9.2 (resource path).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.api.failures import BadQueryError, NotFoundError
from services.api.sensorthings.entities import ENTITY_SETS
from services.api.sensorthings.model import EntitySet, Navigation, Property

LARGEST_ID: Final = (1 << 63) - 1
_LONGEST: Final = 500
_MOST_HOPS: Final = 8
_SEGMENT: Final = re.compile(r"([A-Za-z]+)(?:\(([^()]*)\))?", re.ASCII)
_ID: Final = re.compile(r"\d{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hop:
    """navigation: how it is reached from the hop before; None: from the root. entity_id: None for a whole set."""

    entity_set: EntitySet
    navigation: Navigation | None
    entity_id: int | None

    @property
    def single(self) -> bool:
        to_one = self.navigation is not None and not self.navigation.many
        return to_one or self.entity_id is not None


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """member: a property and what follows below it; raw: its bare value; reference: only addresses."""

    hops: tuple[Hop, ...]
    member: tuple[str, ...] = ()
    raw: bool = False
    reference: bool = False

    @property
    def last(self) -> Hop:
        return self.hops[-1]


def read_path(text: str) -> ResourcePath:
    """What a path below the service root names, without a slash at its beginning.

    Raises:
        NotFoundError: there is no such set, property or navigation.
        BadQueryError: it is not a path.
    """
    if len(text) > _LONGEST:
        raise BadQueryError(f"A path has at most {_LONGEST} characters.")
    segments = text.split("/")
    hops = [_first(segments[0])]
    for place, segment in enumerate(segments[1:], start=1):
        hop = _next(hops[-1], segment)
        if hop is None:
            return _ending(tuple(hops), segments[place:])
        hops.append(hop)
        if len(hops) > _MOST_HOPS:
            raise BadQueryError(f"A path has at most {_MOST_HOPS} steps.")
    return ResourcePath(tuple(hops))


def _first(segment: str) -> Hop:
    name, entity_id = _parts(segment)
    if name not in ENTITY_SETS:
        there_are = ", ".join(ENTITY_SETS)
        raise NotFoundError(f"There is no entity set {name!r}; there are: {there_are}.")
    return Hop(ENTITY_SETS[name], None, entity_id)


def _next(before: Hop, segment: str) -> Hop | None:
    """None: the segment is no navigation."""
    if not before.single:
        return None
    match = _SEGMENT.fullmatch(segment)
    navigation = before.entity_set.find_link(match[1]) if match else None
    if navigation is None:
        return None
    _, entity_id = _parts(segment)
    if entity_id is not None and not navigation.many:
        raise BadQueryError(f"{navigation.name} is one entity: it takes no id.")
    return Hop(ENTITY_SETS[navigation.target], navigation, entity_id)


def _parts(segment: str) -> tuple[str, int | None]:
    match = _SEGMENT.fullmatch(segment)
    if match is None:
        raise BadQueryError(f"{segment!r} is not a step such as Things or Things(1).")
    name, given = match[1], match[2]
    if given is None:
        return name, None
    if not _ID.fullmatch(given) or int(given) > LARGEST_ID:
        raise BadQueryError(f"{given!r} is not an id: ids are integers, as Things(1).")
    return name, int(given)


def _ending(hops: tuple[Hop, ...], rest: Sequence[str]) -> ResourcePath:
    """What follows the last entity or set."""
    if list(rest) == ["$ref"]:
        return ResourcePath(hops, reference=True)
    last = hops[-1]
    if not last.single:
        raise NotFoundError(
            f"After {last.entity_set.name} comes an id in brackets, $ref, or nothing."
        )
    raw = rest[-1] == "$value"
    member = tuple(rest[:-1] if raw else rest)
    if not member or _property(last.entity_set, member[0]) is None:
        raise NotFoundError(_what_there_is(last.entity_set, rest[0]))
    return ResourcePath(hops, member, raw)


def _property(entity_set: EntitySet, name: str) -> Property | None:
    return entity_set.find_property(name)


def _what_there_is(entity_set: EntitySet, name: str) -> str:
    properties = ", ".join(one.name for one in entity_set.properties)
    links = ", ".join(one.name for one in entity_set.links)
    return (
        f"{entity_set.singular} has no {name!r}; its properties are {properties}; "
        f"it leads to {links}."
    )
