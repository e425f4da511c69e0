"""PURE: where a thing of a city file stands: given, or placed as one of a series."""

import zlib
from collections.abc import Mapping
from typing import Any, Final

from services.core.city import geo
from services.core.city.entities import Geometry
from services.core.city.expansion import Instance
from services.core.city.fields import Fields, Notes
from services.core.city.geo import Position

Shapes = Mapping[str, Geometry]

_WAYS: Final = ("at", "shape", "geometry", "place")
_FAR_STARTS: Final = (
    5_000  # so that two series in one polygon do not stand on each other
)


def read_shapes(collection: Mapping[str, Any], notes: Notes) -> dict[str, Geometry]:
    """The features of a GeoJSON file by their property "key"."""
    shapes: dict[str, Geometry] = {}
    features = Fields(collection, "features", notes).take("features", ())
    for feature in features if isinstance(features, list) else ():
        fields = Fields(feature, "feature", notes)
        key = Fields(fields.mapping("properties"), "feature", notes).text("key")
        if key in shapes:
            fields.wrong(f"is there twice: {key}", "key")
        try:
            geometry = fields.mapping("geometry")
            geo.check_geometry(geometry)
            shapes[key] = geometry
        except ValueError as error:
            fields.wrong(str(error), key)
    return shapes


def read_geometry(
    fields: Fields, instance: Instance, shapes: Shapes, parent: Position | None
) -> Geometry | None:
    """By `at`, `shape`, `geometry` or `place`; without one, the parent's point. None: noted why."""
    given = {way: fields.take(way, None) for way in _WAYS}
    ways = [way for way in _WAYS if given[way] is not None]
    if len(ways) > 1:
        fields.wrong(f"has {' and '.join(ways)}: one is enough")
    try:
        if not ways:
            return _parents(fields, parent)
        raw = given[ways[0]]
        if ways[0] == "at":
            return geo.point(geo.position(raw))
        if ways[0] == "shape":
            return _shape(raw, shapes)
        if ways[0] == "geometry":
            return _checked(raw)
        return geo.point(_placed(raw, instance, shapes, parent))
    except ValueError as error:
        fields.wrong(str(error), ways[0])
        return None


def _parents(fields: Fields, parent: Position | None) -> Geometry | None:
    if parent is None:
        fields.wrong(f"needs one of {', '.join(_WAYS)}")
        return None
    return geo.point(parent)


def _shape(key: object, shapes: Shapes) -> Geometry:
    if not isinstance(key, str) or key not in shapes:
        raise ValueError(f"{key!r} is not the key of a GeoJSON feature")
    return shapes[key]


def _checked(raw: Any) -> Geometry:
    if not isinstance(raw, Mapping):
        raise ValueError(f"{raw!r} is not a GeoJSON geometry")  # noqa: TRY004 # the file is wrong, not the caller
    geo.check_geometry(raw)
    return {"type": raw["type"], "coordinates": raw["coordinates"]}


def _placed(
    raw: Any, instance: Instance, shapes: Shapes, parent: Position | None
) -> Position:
    match raw:
        case {"within": key, **rest} if not rest:
            return _within(_shape(key, shapes), instance)
        case {"along": key, **rest} if rest.keys() <= {"from", "to"}:
            return _along(_shape(key, shapes), instance, rest)
        case {"around": int() | float() as radius, **rest} if rest.keys() <= {"centre"}:
            centre = geo.position(rest["centre"]) if "centre" in rest else parent
            if centre is None:
                raise ValueError("around needs a centre here")
            return geo.around(centre, radius, instance.index, instance.count)
    raise ValueError(
        f"{raw!r} is none of {{within: polygon}}, {{along: line, from: 0, to: 1}}, {{around: metres, centre: […]}}"
    )


def _within(shape: Geometry, instance: Instance) -> Position:
    if shape["type"] != "Polygon":
        raise ValueError("within needs a polygon")
    start = zlib.crc32(instance.series.encode()) % _FAR_STARTS
    return geo.within(shape, start + instance.index)


def _along(shape: Geometry, instance: Instance, ends: Mapping[Any, Any]) -> Position:
    """Evenly from end to end; a lone thing stands in the middle."""
    first, last = ends.get("from", 0), ends.get("to", 1)
    if shape["type"] != "LineString" or not 0 <= first <= last <= 1:
        raise ValueError("along needs a line, and fractions of it in order")
    share = instance.index / (instance.count - 1) if instance.count > 1 else 0.5
    line = [geo.position(at) for at in shape["coordinates"]]
    return geo.along(line, first + share * (last - first))
