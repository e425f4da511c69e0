"""Geometry: checks, places along, within and around."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.city import geo

SQUARE: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [[[77, 43], [78, 43], [78, 44], [77, 44], [77, 43]]],
}
HORSESHOE: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [[0, 0], [9, 0], [9, 9], [6, 9], [6, 3], [3, 3], [3, 9], [0, 9], [0, 0]]
    ],
}
WITH_HOLE: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]],
        [[1, 1], [8, 1], [8, 8], [1, 8], [1, 1]],
    ],
}
LINE = [(77.0, 43.0), (77.0, 43.1), (77.2, 43.1)]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [77.1, 43.5]},
        {"type": "Point", "coordinates": [77.1, 43.5, 812.0]},
        {"type": "LineString", "coordinates": [[77, 43], [78, 43]]},
        SQUARE,
        WITH_HOLE,
    ],
)
def test_good_geometry_passes(geometry: dict[str, Any]) -> None:
    geo.check_geometry(geometry)


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        ({"type": "Point", "coordinates": [43.5, 177.1]}, "longitude comes first"),
        ({"type": "Point", "coordinates": [77.1]}, "not a position"),
        ({"type": "Point", "coordinates": "77.1, 43.5"}, "not a position"),
        ({"type": "Point", "coordinates": [77.1, float("nan")]}, "not a number"),
        ({"type": "Point", "coordinates": [True, 43.5]}, "not a number"),
        ({"type": "LineString", "coordinates": [[77, 43]]}, "at least two"),
        (
            {
                "type": "Polygon",
                "coordinates": [[[77, 43], [78, 43], [78, 44], [77, 44]]],
            },
            "ends where it starts",
        ),
        ({"type": "Polygon", "coordinates": ["ring"]}, "not a ring"),
        ({"type": "MultiPoint", "coordinates": [[77, 43]]}, "is not a Point"),
        ({}, "is not a Point"),
    ],
)
def test_bad_geometry_is_refused_with_its_reason(
    geometry: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        geo.check_geometry(geometry)


@pytest.mark.parametrize(
    "polygon", [SQUARE, HORSESHOE, WITH_HOLE], ids=["square", "horseshoe", "with hole"]
)
@given(index=st.integers(0, 5_000))
def test_places_within_a_polygon_lie_in_it(polygon: dict[str, Any], index: int) -> None:
    assert geo.contains(polygon, geo.within(polygon, index))


def test_places_within_are_the_same_every_time_and_all_different() -> None:
    places = [geo.within(SQUARE, index) for index in range(1_000)]
    assert places == [geo.within(SQUARE, index) for index in range(1_000)]
    assert len(set(places)) == 1_000


def test_places_within_spread_evenly() -> None:
    quarters = [0] * 16
    for index in range(1_600):
        longitude, latitude = geo.within(SQUARE, index)
        quarters[int((longitude - 77) * 4) * 4 + int((latitude - 43) * 4)] += 1
    assert min(quarters) > 90
    assert max(quarters) < 110


@pytest.mark.parametrize(
    "polygon", [SQUARE, HORSESHOE, WITH_HOLE], ids=["square", "horseshoe", "with hole"]
)
def test_a_polygons_point_lies_in_it(polygon: dict[str, Any]) -> None:
    assert geo.contains(polygon, geo.representative_point(polygon))


def test_a_polygon_without_area_has_no_room() -> None:
    flat = {
        "type": "Polygon",
        "coordinates": [[[77, 43], [78, 43], [77, 43], [77, 43]]],
    }
    with pytest.raises(ValueError, match="no room"):
        geo.within(flat, 0)


@given(st.floats(0, 1))
def test_a_place_along_a_line_splits_its_length(fraction: float) -> None:
    total = geo.distance(LINE[0], LINE[1]) + geo.distance(LINE[1], LINE[2])
    at = geo.along(LINE, fraction)
    before_corner = fraction * total <= geo.distance(LINE[0], LINE[1])
    walked = (
        geo.distance(LINE[0], at)
        if before_corner
        else geo.distance(LINE[0], LINE[1]) + geo.distance(LINE[1], at)
    )
    assert walked == pytest.approx(fraction * total, rel=1e-6, abs=0.01)


@given(st.integers(0, 499), st.floats(1, 5_000))
def test_places_around_stay_within_the_radius(index: int, radius: float) -> None:
    centre = (77.1, 43.6)
    assert (
        geo.distance(centre, geo.around(centre, radius, index, 500)) <= radius * 1.001
    )


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert geo.distance((77.0, 43.0), (77.0, 44.0)) == pytest.approx(111_200, rel=0.002)
    # Almaty's opera to Qonaev's station, 63.6 km by great circle.
    assert geo.distance((76.9455, 43.2485), (77.0610, 43.8147)) == pytest.approx(
        63_600, rel=0.01
    )
