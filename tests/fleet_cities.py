"""One city said twice: its households one by one, and as a fleet."""

import copy
from typing import Any

from services.core.city.city_file import read_city
from services.core.city.entities import City
from tests.unit.city.small_city import changed

NAME = {"kk": "Үй {n} \\ {m}", "ru": 'Дом "{n}"-{m}', "en": "Home {n}-{m}\t."}


def households(first: int, last: int, **facts: Any) -> dict[str, Any]:
    """Entries of `things`: a household with a part, two devices of two types, and a feed."""
    return {
        "home-{n:02}-{m}": {
            "repeat": {"n": [first, last], "m": 2},
            "kind": "household",
            "domain": "water",
            "name": NAME,
            "properties": {"floors": 2, "share": 0.5, "note": "a\\b"},
            "fed_by": ["main"],
            "place": {"within": "north"},
            "devices": {
                "logger-{n:02}-{m}": {
                    "type": "logger",
                    "hosted_by": ["gateway"],
                    "external_ids": {"serial": "S{n:03}{m}"},
                }
            },
            "parts": {
                "cellar-{n:02}-{m}": {
                    "kind": "cellar",
                    "name": NAME,
                    "devices": {
                        "pump-{n:02}-{m}-{k}": {"repeat": {"k": 1}, "type": "station"}
                    },
                }
            },
            **facts,
        }
    }


def city_with(
    entries: dict[str, Any], *, fleet: bool, change: Any = None, named: bool = True
) -> City:
    """The small city with these households."""

    def add(file: dict[str, Any]) -> None:
        if change:
            change(file)
        if fleet:
            file["fleets"] = {"households": copy.deepcopy(entries)} if named else {}
        elif named:
            file["things"] |= copy.deepcopy(entries)

    reading = read_city(changed(add))
    assert reading.city is not None, reading.problems
    return reading.city
