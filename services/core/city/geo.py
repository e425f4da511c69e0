"""PURE: the little geometry a city file needs: GeoJSON checks, places along and within, points on the ground.

Positions are [longitude, latitude], WGS 84. Distances are equirectangular: within a city, good to a metre in a kilometre.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

Position = tuple[float, float]

_EAST, _NORTH = 180, 90
_FEWEST_IN_LINE, _FEWEST_IN_RING = 2, 4
_METRES_PER_DEGREE: Final = 111_320.0
_GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))
# Roberts' R2 sequence: the plane's answer to the golden ratio; even cover, no random numbers.
_R2: Final = (0.7548776662466927, 0.5698402909980532)
_TRIES: Final = 1_000
_FAR: Final = 1_000_003  # further than any series is long


def position(raw: object) -> Position:
    """A position of a GeoJSON array.

    Raises:
        ValueError: not two numbers, or out of range.
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) not in (2, 3):
        raise ValueError(f"{raw!r} is not a position [longitude, latitude]")
    longitude, latitude = (_coordinate(number) for number in raw[:2])
    if abs(longitude) > _EAST or abs(latitude) > _NORTH:
        raise ValueError(
            f"{longitude}, {latitude} is not on Earth (longitude comes first)"
        )
    return longitude, latitude


def _coordinate(raw: object) -> float:
    if (
        isinstance(raw, bool)
        or not isinstance(raw, int | float)
        or not math.isfinite(raw)
    ):
        raise ValueError(f"{raw!r} is not a number of degrees")
    return float(raw)


def point(at: Position) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(at)}


def line(positions: Sequence[Position]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(at) for at in positions]}


def check_geometry(geometry: Mapping[str, Any]) -> None:
    """Points, lines and polygons as RFC 7946 wants them.

    Raises:
        ValueError: it is something else; the message says what.
    """
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        position(coordinates)
    elif kind == "LineString" and isinstance(coordinates, Sequence):
        if len([position(at) for at in coordinates]) < _FEWEST_IN_LINE:
            raise ValueError("a line has at least two positions")
    elif kind == "Polygon" and isinstance(coordinates, Sequence) and coordinates:
        for ring in coordinates:
            _check_ring(ring)
    else:
        raise ValueError(
            f"{kind!r} is not a Point, LineString or Polygon with coordinates"
        )


def _check_ring(ring: object) -> None:
    if not isinstance(ring, Sequence) or isinstance(ring, str):
        raise ValueError(f"{ring!r} is not a ring of positions")  # noqa: TRY004 # the file is wrong, not the caller
    positions = [position(at) for at in ring]
    if len(positions) < _FEWEST_IN_RING or positions[0] != positions[-1]:
        raise ValueError(
            "a polygon's ring has at least four positions and ends where it starts"
        )


def representative_point(geometry: Mapping[str, Any]) -> Position:
    """Where a label goes: the point, the middle of the line, or a point inside the polygon."""
    coordinates = geometry["coordinates"]
    if geometry["type"] == "Point":
        return position(coordinates)
    if geometry["type"] == "LineString":
        return along([position(at) for at in coordinates], 0.5)
    centre = _centroid([position(at) for at in coordinates[0]])
    return centre if contains(geometry, centre) else within(geometry, 0)


def _centroid(ring: Sequence[Position]) -> Position:
    area = longitude = latitude = 0.0
    (x0, y0) = ring[0]
    for (x1, y1), (x2, y2) in pairwise(ring):
        cross = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        area += cross
        longitude += cross * (x1 + x2 - 2 * x0)
        latitude += cross * (y1 + y2 - 2 * y0)
    if area == 0:
        return ring[0]
    return x0 + longitude / (3 * area), y0 + latitude / (3 * area)


def contains(polygon: Mapping[str, Any], at: Position) -> bool:
    """Whether the position lies in the polygon and in none of its holes (even-odd rule)."""
    return sum(_crossings(ring, at) for ring in polygon["coordinates"]) % 2 == 1


def _crossings(ring: Sequence[Sequence[float]], at: Position) -> int:
    longitude, latitude = at
    crossings = 0
    for (x1, y1, *_), (x2, y2, *_) in pairwise(ring):
        if (y1 > latitude) != (y2 > latitude):
            crossings += longitude < x1 + (latitude - y1) / (y2 - y1) * (x2 - x1)
    return crossings


def distance(one: Position, other: Position) -> float:
    """Metres between two positions a city apart at most."""
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return _METRES_PER_DEGREE * math.hypot(east, other[1] - one[1])


def along(positions: Sequence[Position], fraction: float) -> Position:
    """The position at a fraction (0 … 1) of a line's length."""
    lengths = [distance(one, other) for one, other in pairwise(positions)]
    left = fraction * sum(lengths)
    for length, (one, other) in zip(lengths, pairwise(positions), strict=True):
        if left <= length and length > 0:
            share = left / length
            return (
                one[0] + share * (other[0] - one[0]),
                one[1] + share * (other[1] - one[1]),
            )
        left -= length
    return positions[-1]


def box(polygon: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """(west, south, east, north) of a polygon."""
    longitudes, latitudes = zip(
        *(at[:2] for at in polygon["coordinates"][0]), strict=True
    )
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def within(polygon: Mapping[str, Any], index: int) -> Position:
    """The index-th of evenly spread positions in a polygon; the same for the same index, always.

    Raises:
        ValueError: no position found: the polygon has next to no area.
    """
    west, south, east, north = box(polygon)
    for attempt in range(_TRIES):
        step = index + 1 + attempt * _FAR
        at = (
            west + (0.5 + step * _R2[0]) % 1 * (east - west),
            south + (0.5 + step * _R2[1]) % 1 * (north - south),
        )
        if contains(polygon, at):
            return at
    raise ValueError("the polygon has no room")


def around(centre: Position, radius: float, index: int, count: int) -> Position:
    """The index-th of count positions that fill a disc of that radius (metres) evenly, as a sunflower's seeds do."""
    reach = radius * math.sqrt((index + 0.5) / count)
    return offset(centre, reach, index * _GOLDEN_ANGLE)


def offset(at: Position, metres: float, bearing: float) -> Position:
    """The position that many metres away; bearing in radians from north, clockwise."""
    north = metres * math.cos(bearing) / _METRES_PER_DEGREE
    east = (
        metres
        * math.sin(bearing)
        / (_METRES_PER_DEGREE * math.cos(math.radians(at[1])))
    )
    return at[0] + east, at[1] + north
