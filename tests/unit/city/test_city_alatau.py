"""The city that ships: it loads clean, has what it promises, and its catalogue hangs together."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.city.catalogue import (
    ALLOWED_AGGREGATIONS,
    Aggregation,
    Domain,
    Kind,
    ObservedProperty,
    Privacy,
)
from services.core.city.datastreams import datastreams
from services.core.city.entities import City, Device, RelationKind, ThingStatus
from services.core.city.language import Text
from services.core.city.units import UNITS
from services.core.city_folder import CityFile, read_city_folder

FOLDER = Path(__file__).parents[3] / "deploy/city"


@pytest.fixture(scope="module")
def alatau_file() -> CityFile:
    return read_city_folder(FOLDER / "alatau.yaml")


@pytest.fixture(scope="module")
def alatau(alatau_file: CityFile) -> City:
    return alatau_file.city


def texts(city: City) -> Iterator[tuple[str, Text]]:
    yield city.key, city.name
    named = (
        city.districts,
        city.catalogue,
        city.sensors,
        city.device_types,
        city.things,
    )
    for entities in named:
        for key, entity in entities.items():
            yield key, entity.name
    for observed in city.catalogue.values():
        for code in observed.codes:
            yield f"{observed.key}.{code.key}", code.name


def fed_from(city: City, source: str) -> set[str]:
    """Everything that a thing feeds, directly or not."""
    feeds: dict[str, list[str]] = {}
    for relation in city.relations:
        if relation.kind is RelationKind.FEEDS:
            feeds.setdefault(relation.source, []).append(relation.target)
    reached, ahead = set[str](), [source]
    while ahead:
        for target in feeds.get(ahead.pop(), ()):
            if target not in reached:
                reached.add(target)
                ahead.append(target)
    return reached


def test_it_loads_without_a_doubt(alatau_file: CityFile) -> None:
    assert alatau_file.warnings == ()


def test_it_is_large_enough_to_be_a_city(alatau: City) -> None:
    assert len(alatau.devices) >= 400
    assert sum(1 for _ in datastreams(alatau)) >= 2_000
    assert 120 <= sum(device.publishes for device in alatau.devices.values()) <= 200


def test_a_calm_day_is_within_what_a_small_machine_takes(alatau: City) -> None:
    periods = [
        alatau.device_types[device.type].period
        for device in alatau.devices.values()
        if device.type
    ]
    assert 60 <= sum(1 / period.total_seconds() for period in periods) <= 120


def test_every_domain_has_devices(alatau: City) -> None:
    measured = Counter(
        alatau.catalogue[stream.channel.observed_property].domain
        for stream in datastreams(alatau)
    )
    assert measured.keys() == set(Domain)
    assert min(measured.values()) >= 100


@pytest.mark.parametrize(
    ("key", "kind", "status"),
    [
        ("arna", "substation", ThingStatus.UNDER_CONSTRUCTION),
        ("yntymak", "intake", ThingStatus.OPERATING),
        ("wastewater-works", "wastewater_works", ThingStatus.UNDER_CONSTRUCTION),
        ("agds-gate-city-1", "agds", ThingStatus.OPERATING),
        ("agds-zhetigen", "agds", ThingStatus.UNDER_CONSTRUCTION),
        ("road-a3", "road", ThingStatus.OPERATING),
    ],
)
def test_the_named_assets_stand(
    alatau: City, key: str, kind: str, status: ThingStatus
) -> None:
    thing = alatau.things[key]
    assert (thing.kind, thing.status) == (kind, status)


def test_the_promised_numbers_of_assets(alatau: City) -> None:
    kinds = Counter(thing.kind for thing in alatau.things.values())
    assert kinds["substation"] == 7
    assert kinds["intake"] == 4
    assert kinds["agds"] == 2
    assert kinds["pressure_zone"] == 8
    planned = [
        thing.key
        for thing in alatau.things.values()
        if thing.status is ThingStatus.PLANNED
    ]
    assert sum(alatau.things[key].kind == "substation" for key in planned) == 6


@pytest.mark.parametrize("district", ["growing", "gate", "golden"])
def test_overpasses_and_intersections_stand_in_their_districts(
    alatau: City, district: str
) -> None:
    kinds = Counter(
        thing.kind for thing in alatau.things.values() if thing.district == district
    )
    assert kinds["overpass"] >= 2
    assert kinds["intersection"] >= 10


def test_planned_assets_have_no_devices(alatau: City) -> None:
    planned = {
        key
        for key, thing in alatau.things.items()
        if thing.status is ThingStatus.PLANNED
    }
    assert not planned & {device.thing for device in alatau.devices.values()}


def test_dangerous_sites_are_protected(alatau: City) -> None:
    sites = [
        thing
        for thing in alatau.things.values()
        if thing.kind in {"substation", "intake", "agds"}
    ]
    assert all(site.protected for site in sites)


def test_the_topology_reaches_the_last_meter(alatau: City) -> None:
    reached = fed_from(alatau, "arna-220-line-1")
    homes = {
        key for key, thing in alatau.things.items() if thing.kind == "metering_point"
    }
    assert len(homes) == 200
    assert homes <= reached
    assert "zarechny-substation" in reached


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("yntymak-well-01", "zone-gate-2"),
        ("zhetigen-well-06", "zone-green-1"),
        ("gate-lift-station-1", "works-outlet"),
        ("agds-gate-city-1", "golden-regulator-05"),
    ],
)
def test_what_feeds_what(alatau: City, source: str, target: str) -> None:
    assert target in fed_from(alatau, source)


def test_some_devices_are_heard_by_two_gateways(alatau: City) -> None:
    twice = [device for device in alatau.devices.values() if len(device.hosted_by) > 1]
    assert len(twice) >= 50


def test_gateways_and_publishers_are_the_only_ones_with_credentials(
    alatau: City,
) -> None:
    def stands_alone(device: Device) -> bool:
        return device.publishes and not device.hosted_by

    assert all(
        stands_alone(device) or device.hosted_by for device in alatau.devices.values()
    )
    assert not any(
        device.publishes for device in alatau.devices.values() if device.hosted_by
    )


def test_household_readings_are_household(alatau: City) -> None:
    for stream in datastreams(alatau):
        of_a_home = alatau.things[stream.thing].kind == "metering_point"
        privacy = alatau.catalogue[stream.channel.observed_property].privacy
        assert of_a_home == (privacy is Privacy.HOUSEHOLD)


def test_nothing_that_tells_of_a_dangerous_site_is_public(alatau: City) -> None:
    open_there = {
        stream.channel.observed_property
        for stream in datastreams(alatau)
        if alatau.things[stream.thing].protected
        and alatau.catalogue[stream.channel.observed_property].privacy is Privacy.PUBLIC
    }
    water_quality = {
        "free_chlorine",
        "water_turbidity",
        "water_ph",
        "water_conductivity",
        "water_temperature",
    }
    assert open_there <= water_quality | {"grid_frequency", "reservoir_level"}


class TestNames:
    def test_kazakh_and_russian_are_in_cyrillic_unless_proper(
        self, alatau: City
    ) -> None:
        for key, text in texts(alatau):
            for language in (text.kk, text.ru):
                assert re.search(
                    r"[А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі]|^(PM|Gate|Golden|Growing|Green)",
                    language,
                ), key

    def test_russian_has_no_kazakh_letters(self, alatau: City) -> None:
        for key, text in texts(alatau):
            assert not re.search(r"[ӘәҒғҚқҢңӨөҰұҮүҺһІі]", text.ru), key

    def test_english_is_in_latin(self, alatau: City) -> None:
        for key, text in texts(alatau):
            assert not re.search(r"[А-Яа-яЁё]", text.en), key

    def test_no_latin_letter_hides_in_a_cyrillic_word(self, alatau: City) -> None:
        mixed = re.compile(
            r"[А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі][A-Za-z]|[A-Za-z][А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі]"
        )
        for key, text in texts(alatau):
            assert not mixed.search(text.kk), (key, text.kk)
            assert not mixed.search(text.ru), (key, text.ru)

    def test_things_of_one_kind_have_different_names(self, alatau: City) -> None:
        names = Counter((thing.kind, thing.name.en) for thing in alatau.things.values())
        assert [name for name, times in names.items() if times > 1] == []


class TestCatalogue:
    def test_every_property_is_measured_somewhere(self, alatau: City) -> None:
        measured = {stream.channel.observed_property for stream in datastreams(alatau)}
        assert measured == alatau.catalogue.keys()

    def test_every_device_type_and_sensor_is_used(self, alatau: City) -> None:
        assert {device.type for device in alatau.devices.values()} - {
            None
        } == alatau.device_types.keys()
        assert {
            device_type.sensor for device_type in alatau.device_types.values()
        } == alatau.sensors.keys()

    def test_all_four_kinds_are_there(self, alatau: City) -> None:
        assert {observed.kind for observed in alatau.catalogue.values()} == set(Kind)

    def test_every_domain_has_something_public_but_gas(self, alatau: City) -> None:
        public = {
            observed.domain
            for observed in alatau.catalogue.values()
            if observed.privacy is Privacy.PUBLIC
        }
        assert public == set(Domain) - {Domain.GAS}

    def test_every_measurement_has_a_hard_range(self, alatau: City) -> None:
        measured = [
            entry
            for entry in alatau.catalogue.values()
            if entry.kind in {Kind.MEASUREMENT, Kind.COUNTER}
        ]
        assert all(
            entry.hard.minimum is not None and entry.hard.maximum is not None
            for entry in measured
        )

    def test_plausible_is_tighter_than_hard(self, alatau: City) -> None:
        def width(entry: ObservedProperty) -> tuple[float, float]:
            return entry.plausible.minimum or 0.0, entry.plausible.maximum or 0.0

        judged = [
            entry
            for entry in alatau.catalogue.values()
            if entry.plausible.maximum is not None
        ]
        assert len(judged) > 50
        for entry in judged:
            assert entry.hard.contains(width(entry)[0]), entry.key
            assert (entry.hard.minimum, entry.hard.maximum) != width(entry), entry.key

    def test_units_are_known_and_kinds_aggregate_as_they_may(
        self, alatau: City
    ) -> None:
        for entry in alatau.catalogue.values():
            assert entry.unit in UNITS
            assert set(entry.aggregations) <= ALLOWED_AGGREGATIONS[entry.kind]
            assert entry.aggregations

    def test_angles_are_never_averaged(self, alatau: City) -> None:
        angles = [entry for entry in alatau.catalogue.values() if entry.unit == "deg"]
        assert angles
        assert all(set(entry.aggregations) == {Aggregation.LAST} for entry in angles)

    def test_definitions_are_addresses(self, alatau: City) -> None:
        definitions = [
            entry.definition for entry in alatau.catalogue.values() if entry.definition
        ]
        assert len(definitions) > 40
        assert all(
            re.match(r"https?://[\w.]+/", definition) for definition in definitions
        )

    def test_states_know_what_is_abnormal(self, alatau: City) -> None:
        states = [entry for entry in alatau.catalogue.values() if entry.codes]
        assert all(any(code.abnormal for code in entry.codes) for entry in states)
        assert all(
            not all(code.abnormal for code in entry.codes)
            for entry in states
            if entry.kind is Kind.STATE
        )

    def test_a_breaker_has_the_four_positions(self, alatau: City) -> None:
        codes = {
            code.key: (code.value, code.abnormal)
            for code in alatau.catalogue["breaker_position"].codes
        }
        assert codes == {
            "intermediate": (0, True),
            "open": (1, False),
            "closed": (2, False),
            "bad": (3, True),
        }
