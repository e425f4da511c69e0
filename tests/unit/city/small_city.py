"""A city of one district, small enough to be read at a glance, for tests to change."""

import copy
from collections.abc import Callable
from typing import Any

from services.core.city.city_file import read_city
from services.core.city.entities import City

_NAME = {"kk": "К", "ru": "Р", "en": "E"}

FILE: dict[str, Any] = {
    "city": {
        "key": "small",
        "name": _NAME,
        "time_zone": "Asia/Almaty",
        "centre": [77.0, 43.5],
    },
    "districts": {"north": {"name": _NAME}},
    "catalogue": {
        "flow": {
            "domain": "water",
            "kind": "measurement",
            "unit": "m3/h",
            "name": _NAME,
            "hard": [0, 5000],
        },
        "level": {
            "domain": "water",
            "kind": "measurement",
            "unit": "m",
            "name": _NAME,
            "hard": [0, 10],
            "plausible": [1, 5],
            "privacy": "public",
        },
        "pump": {
            "domain": "water",
            "kind": "state",
            "unit": "1",
            "name": _NAME,
            "codes": [
                {"value": 0, "key": "stopped", "name": _NAME},
                {"value": 1, "key": "running", "name": _NAME},
            ],
        },
    },
    "sensors": {"probe": {"name": _NAME}, "better_probe": {"name": _NAME}},
    "device_types": {
        "logger": {
            "name": _NAME,
            "sensor": "probe",
            "period": "5s",
            "channels": {"flow": {"property": "flow", "unit": "L/s"}, "level": "level"},
        },
        "station": {
            "name": _NAME,
            "sensor": "better_probe",
            "period": "1s",
            "channels": {"pump": "pump", "level": "level", "flow": "flow"},
        },
    },
    "things": {
        "tank": {
            "kind": "reservoir",
            "domain": "water",
            "name": _NAME,
            "at": [77.01, 43.51],
            "devices": {"tank-logger": {"type": "logger", "hosted_by": ["gateway"]}},
            "feeds": ["main"],
        },
        "main": {
            "kind": "water_main",
            "domain": "water",
            "name": _NAME,
            "geometry": {
                "type": "LineString",
                "coordinates": [[77.01, 43.51], [77.02, 43.52]],
            },
        },
    },
    "devices": {"gateway": {}},
}
SHAPES: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"key": "north"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [
                        [76.9, 43.4],
                        [77.1, 43.4],
                        [77.1, 43.6],
                        [76.9, 43.6],
                        [76.9, 43.4],
                    ]
                ],
            },
        }
    ],
}


def changed(
    change: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """The small city's parsed files, after a change."""
    file = copy.deepcopy(FILE)
    if change:
        change(file)
    return [file, copy.deepcopy(SHAPES)]


def small_city(change: Callable[[dict[str, Any]], None] | None = None) -> City:
    reading = read_city(changed(change))
    assert reading.city is not None, reading.problems
    return reading.city
