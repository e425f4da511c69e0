"""The city file: what is read, what is refused, and where it says so."""

from collections.abc import Callable
from typing import Any

import pytest

from services.core.city.catalogue import Aggregation, Kind, Privacy
from services.core.city.city_file import read_city
from services.core.city.datastreams import datastreams
from services.core.city.entities import Relation, RelationKind, ThingStatus
from tests.unit.city.small_city import _NAME, changed, small_city

Change = Callable[[dict[str, Any]], None]


def problems(change: Change) -> tuple[str, ...]:
    reading = read_city(changed(change))
    assert (reading.city is None) == bool(reading.problems)
    return reading.problems


class TestReading:
    def test_channels_convert_into_the_catalogues_unit(self) -> None:
        flow, level = small_city().device_types["logger"].channels
        assert (flow.unit, flow.factor, flow.addend) == ("L/s", 3.6, 0.0)
        assert (level.unit, level.factor) == ("m", 1.0)

    def test_what_is_not_said_has_its_usual_value(self) -> None:
        city = small_city()
        assert city.catalogue["flow"].privacy is Privacy.INTERNAL
        assert city.catalogue["flow"].aggregations == (
            Aggregation.AVG,
            Aggregation.MIN,
            Aggregation.MAX,
        )
        assert city.catalogue["pump"].kind is Kind.STATE
        assert city.things["tank"].district == "north"
        assert city.things["tank"].status is ThingStatus.OPERATING
        assert city.devices["gateway"].publishes
        assert not city.devices["tank-logger"].publishes
        assert city.relations == (Relation(RelationKind.FEEDS, "tank", "main"),)

    def test_a_lines_point_is_its_middle(self) -> None:
        main = small_city().things["main"]
        assert (main.longitude, main.latitude) == pytest.approx((77.015, 43.515))

    def test_datastreams_are_named_by_thing_and_channel(self) -> None:
        def at_the_main(file: dict[str, Any]) -> None:
            file["things"]["tank"]["devices"]["tank-logger"]["channel_things"] = {
                "flow": "main"
            }

        streams = {
            stream.key: stream for stream in datastreams(small_city(at_the_main))
        }
        assert streams.keys() == {"main.flow", "tank.level"}
        assert streams["main.flow"].device == "tank-logger"

    def test_a_datastreams_name_tells_the_channel_only_where_it_must(self) -> None:
        def two_levels(file: dict[str, Any]) -> None:
            file["device_types"]["logger"]["channels"]["level_2"] = "level"

        names = {
            stream.channel.name: stream.name.en
            for stream in datastreams(small_city(two_levels))
        }
        assert names == {
            "flow": "E: E",
            "level": "E: E (level)",
            "level_2": "E: E (level_2)",
        }

    def test_parts_take_from_their_thing_and_supplied_things_are_fed(self) -> None:
        def nest(file: dict[str, Any]) -> None:
            tank = file["things"]["tank"]
            tank |= {"status": "under_construction", "protected": True}
            tank["parts"] = {"valve": {"kind": "valve", "name": _NAME}}
            tank["supplies"] = {
                "house": {
                    "kind": "house",
                    "name": _NAME,
                    "protected": False,
                    "status": "planned",
                }
            }

        city = small_city(nest)
        valve, house = city.things["valve"], city.things["house"]
        assert (valve.domain, valve.protected, valve.status) == (
            "water",
            True,
            "under_construction",
        )
        assert (valve.longitude, valve.latitude) == (77.01, 43.51)
        assert (house.protected, house.status) == (False, "planned")
        assert Relation(RelationKind.CONTAINS, "tank", "valve") in city.relations
        assert Relation(RelationKind.FEEDS, "tank", "house") in city.relations

    def test_defaults_hold_for_their_file(self) -> None:
        files = changed()
        more = {
            "defaults": {"domain": "gas", "protected": True},
            "things": {"valve": {"kind": "valve", "name": _NAME, "at": [77, 43.5]}},
        }
        city = read_city([*files, more]).city
        assert city is not None
        assert (city.things["valve"].domain, city.things["valve"].protected) == (
            "gas",
            True,
        )
        assert not city.things["tank"].protected


class TestRepeat:
    def repeat(self, **entry: Any) -> Change:
        def change(file: dict[str, Any]) -> None:
            file["things"] |= {
                "w-{n:02}": {
                    "kind": "well",
                    "domain": "water",
                    "name": _NAME,
                    "at": [77, 43.5],
                    **entry,
                }
            }

        return change

    def test_a_series_is_numbered_and_padded(self) -> None:
        city = small_city(
            self.repeat(
                repeat={"n": [9, 11]},
                name={"kk": "К {n}", "ru": "Р {n}", "en": "W {n}"},
            )
        )
        wells = [thing for key, thing in city.things.items() if key.startswith("w-")]
        assert [(well.key, well.name.en) for well in wells] == [
            ("w-09", "W 9"),
            ("w-10", "W 10"),
            ("w-11", "W 11"),
        ]

    def test_a_nested_series_knows_the_outer_number(self) -> None:
        part = {"w-{n:02}-{p}": {"repeat": {"p": 2}, "kind": "pump", "name": _NAME}}
        city = small_city(self.repeat(repeat={"n": 2}, parts=part))
        assert {"w-01-1", "w-01-2", "w-02-1", "w-02-2"} <= city.things.keys()
        assert Relation(RelationKind.CONTAINS, "w-02", "w-02-1") in city.relations

    def test_two_numbers_make_all_pairs(self) -> None:
        def change(file: dict[str, Any]) -> None:
            file["devices"]["g-{a}-{b}"] = {"repeat": {"a": 2, "b": 3}}

        assert {f"g-{a}-{b}" for a in (1, 2) for b in (1, 2, 3)} <= small_city(
            change
        ).devices.keys()

    def test_a_series_spreads_over_its_polygon_and_stays(self) -> None:
        wells = self.repeat(repeat={"n": 40}, at=None, place={"within": "north"})
        one, other = small_city(wells), small_city(wells)
        assert one.things == other.things
        assert (
            len({(thing.longitude, thing.latitude) for thing in one.things.values()})
            == 42
        )

    def test_a_longer_series_leaves_the_first_where_they_were(self) -> None:
        short = small_city(
            self.repeat(repeat={"n": 3}, at=None, place={"within": "north"})
        )
        long = small_city(
            self.repeat(repeat={"n": 9}, at=None, place={"within": "north"})
        )
        assert short.things.items() <= long.things.items()

    @pytest.mark.parametrize(
        ("repeat", "reason"),
        [
            ({"n": 0}, "n needs a count"),
            ({"n": "3"}, "n needs a count"),
            ({"n": [3, 1]}, "n needs a count"),
            ({"n": True}, "n needs a count"),
            ({"m": 3}, "nothing repeats 'n'"),
            ({"n": 10**9}, "n needs a count"),
        ],
    )
    def test_a_bad_repeat_is_refused(self, repeat: dict[str, Any], reason: str) -> None:
        assert any(
            reason in problem for problem in problems(self.repeat(repeat=repeat))
        )


def put(*path: str, value: Any) -> Change:
    """A change that sets file[path[0]][path[1]]… to value."""

    def change(file: dict[str, Any]) -> None:
        inner = file
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (put("thingz", value={}), "thingz: is not a field here"),
        (put("city", value=None), "city: needs a mapping"),
        (
            put("city", "centre", value=[43, 177]),
            "city: centre: 43.0, 177.0 is not on Earth",
        ),
        (
            put("city", "name", value={"kk": "К", "en": "E"}),
            "city: name: needs exactly kk, ru, en; has en, kk",
        ),
        (put("city", "name", "ru", value=" "), "city: name: the text in 'ru' is empty"),
        (
            put("districts", "south", value={"name": _NAME}),
            "south: shape: 'south' is not the key of a polygon",
        ),
        (
            put("catalogue", "level", "unit", value="metres"),
            "level: unit: 'metres' is not one of UCUM's",
        ),
        (
            put("catalogue", "level", "kind", value="gauge"),
            "level: kind: 'gauge' is not one of measurement",
        ),
        (
            put("catalogue", "level", "hard", value=[5, 1]),
            "level: hard: the range 5 to 1 is empty",
        ),
        (
            put("catalogue", "level", "hard", value=[1]),
            "level: hard: needs [minimum, maximum], is [1]",
        ),
        (
            put("catalogue", "level", "hard", value=[0, float("inf")]),
            "level: hard: needs [minimum, maximum]",
        ),
        (
            put("catalogue", "level", "plausible", value=[1, 11]),
            "plausible: 11 lies outside the hard range",
        ),
        (
            put("catalogue", "level", "aggregations", value=["delta"]),
            "level: a measurement has no delta",
        ),
        (
            put("catalogue", "level", "aggregations", value=["mean"]),
            "level: aggregations: 'mean' is not one of",
        ),
        (
            put("catalogue", "level", "privacy", value="secret"),
            "level: privacy: 'secret' is not one of public",
        ),
        (
            put("catalogue", "pump", "codes", value=[]),
            "pump: codes belong to states and bits",
        ),
        (
            put("catalogue", "pump", "codes", value=[{"value": 1}]),
            "pump: code: key: is missing",
        ),
        (
            put("catalogue", "pump", "kind", value="bits"),
            "pump: code: value: 0 is not a bit's weight",
        ),
        (put("catalogue", "Level", value={}), "Level: is not a key"),
        (
            put("device_types", "logger", "sensor", value="nose"),
            "logger: sensor 'nose' is not there",
        ),
        (
            put("device_types", "logger", "period", value="5 sec"),
            "logger: period: '5 sec' is not a duration",
        ),
        (
            put("device_types", "logger", "period", value=""),
            "logger: period: must be more than nothing",
        ),
        (
            put("device_types", "logger", "period", value="25d"),
            "logger: period: is longer than 24 days",
        ),
        (
            put("device_types", "logger", "period", value="0s"),
            "logger: period: must be more than nothing",
        ),
        (
            put("device_types", "logger", "channels", value={}),
            "logger: channels: has none",
        ),
        (
            put("device_types", "logger", "channels", "x", value="y"),
            "logger: x: property: 'y' is not in the catalogue",
        ),
        (
            put("device_types", "logger", "channels", "a b", value="level"),
            "'a b' is not a channel name",
        ),
        (
            put(
                "device_types",
                "logger",
                "channels",
                "level",
                value={"property": "level", "unit": "kPa"},
            ),
            "logger: level: kPa is a pressure, m a length",
        ),
        (
            put(
                "device_types",
                "logger",
                "channels",
                "level",
                value={"property": "level", "sampling": "period_end"},
            ),
            "logger: level: sampling_period: belongs to a value over a period",
        ),
        (
            put(
                "device_types",
                "station",
                "channels",
                "pump",
                value={"property": "pump", "unit": "%"},
            ),
            "station: pump: unit: a state has no other unit",
        ),
        (put("things", "Tank", value={}), "Tank: kind: is missing"),
        (
            put("things", "tank", "domain", value="wtaer"),
            "tank: domain: 'wtaer' is not one of power",
        ),
        (put("things", "tank", "domain", value=None), "tank: domain: is missing"),
        (
            put("things", "tank", "status", value="done"),
            "tank: status: 'done' is not one of planned",
        ),
        (
            put("things", "tank", "at", value=[43.5]),
            "tank: at: [43.5] is not a position",
        ),
        (
            put("things", "tank", "at", value=None),
            "tank: needs one of at, shape, geometry, place",
        ),
        (
            put("things", "tank", "shape", value="north"),
            "tank: has at and shape: one is enough",
        ),
        (
            put("things", "tank", "district", value="west"),
            "tank: district 'west' is not there",
        ),
        (
            put("things", "tank", "at", value=[0, 0]),
            "tank: district: is missing, and no district lies around it",
        ),
        (
            put("things", "tank", "feeds", value=["sea"]),
            "sea: is not there (tank feeds sea)",
        ),
        (put("things", "tank", "feeds", value=["tank"]), "tank: feeds itself"),
        (put("things", "tank", "part_of", value="tank"), "tank: contains itself"),
        (
            put("things", "tank", "protected", value="yes"),
            "tank: protected: needs true or false, is 'yes'",
        ),
        (put("devices", "Gateway", value={}), "'Gateway' is not a device id"),
        (
            put("devices", "g", value={"publishes": False}),
            "g: neither publishes nor is hosted",
        ),
        (
            put("devices", "g", value={"type": "logger"}),
            "g: needs a thing that it observes",
        ),
        (
            put("devices", "g", value={"thing": "sea", "type": "logger"}),
            "g: thing 'sea' is not there",
        ),
        (
            put("devices", "g", value={"thing": "main", "type": "x"}),
            "g: device type 'x' is not there",
        ),
        (
            put("devices", "g", value={"hosted_by": ["x"]}),
            "g: gateway 'x' is not there",
        ),
        (
            put("devices", "g", value={"hosted_by": ["tank-logger"]}),
            "gateway 'tank-logger' does not publish",
        ),
        (
            put("devices", "g", value={"hosted_by": "gateway"}),
            "g: hosted_by: needs a list of texts",
        ),
        (put("devices", "g", value={"hosted_by": ["gateway"]}), "g: needs a type"),
        (
            put("devices", "tank-logger", value={}),
            "tank-logger: is a second device of this key",
        ),
        (
            put("devices", "g", value={"type": "logger", "thing": "tank"}),
            "tank.flow: 2 devices report this datastream",
        ),
        (
            put(
                "things",
                "tank",
                "devices",
                "tank-logger",
                "channel_things",
                value={"mud": "main"},
            ),
            "tank-logger: logger has no channel 'mud'",
        ),
        (
            put(
                "things",
                "tank",
                "devices",
                "tank-logger",
                "channel_things",
                value={"flow": "sea"},
            ),
            "tank-logger: thing 'sea' is not there",
        ),
    ],
)
def test_what_is_wrong_is_named(change: Change, problem: str) -> None:
    found = problems(change)
    assert any(problem in line for line in found), found


def test_all_problems_are_told_at_once() -> None:
    def spoil(file: dict[str, Any]) -> None:
        file["city"]["key"] = None
        file["catalogue"]["level"]["unit"] = "x"
        file["things"]["tank"]["domain"] = "y"
        file["devices"]["gateway"]["publishes"] = 1

    assert len(problems(spoil)) == 4


def test_what_names_a_spoilt_entry_is_not_blamed() -> None:
    def spoil(file: dict[str, Any]) -> None:
        file["things"]["main"]["kind"] = None
        file["device_types"]["logger"]["period"] = "x"

    assert problems(spoil) == (
        "logger: period: 'x' is not a duration (500ms, 5s, 15min, 1h, 35d)",
        "main: kind: is missing",
    )


def test_containment_in_a_circle_is_refused() -> None:
    def circle(file: dict[str, Any]) -> None:
        file["things"]["tank"]["part_of"] = "main"
        file["things"]["main"]["part_of"] = "tank"

    assert any(
        "contains itself: tank in main in tank" in line
        or "main in tank in main" in line
        for line in problems(circle)
    )


def test_a_thing_is_part_of_one_at_most() -> None:
    def two(file: dict[str, Any]) -> None:
        file["things"]["tank"]["parts"] = {
            "valve": {"kind": "valve", "name": _NAME, "part_of": "main"}
        }

    assert problems(two) == ("valve: is part of main and of tank",)


def test_feeding_in_a_ring_is_fine() -> None:
    small_city(put("things", "main", "feeds", value=["tank"]))


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            put(
                "things",
                "far",
                value={
                    "kind": "x",
                    "domain": "gas",
                    "name": _NAME,
                    "at": [78, 43.5],
                    "district": "north",
                },
            ),
            "far: does not lie in its district, north",
        ),
        (
            put("things", "tank", "status", value="planned"),
            "tank-logger: stands at tank, which is only planned",
        ),
    ],
)
def test_what_is_doubtful_is_said_and_accepted(change: Change, warning: str) -> None:
    reading = read_city(changed(change))
    assert reading.city is not None
    assert reading.warnings == (warning,)
