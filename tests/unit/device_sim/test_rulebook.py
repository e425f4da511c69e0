"""The shipped rulebook over the simulated city: silent on calm days, awake in each incident."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from device_sim.survey import build_world
from device_sim.world.incidents import Incident, IncidentKind
from device_sim.world.world import World
from services.core.alerting.rule import Level, Rule, SilentFor
from services.core.alerting.rule_file import Vocabulary
from services.core.city.datastreams import datastreams
from services.core.rule_folder import load_rules
from tests.unit.device_sim.moments import DAY
from tests.unit.device_sim.test_city import ALATAU, CALM_DAYS, calm_day, city

STEP = 5  # seconds, as most devices report
Watch = tuple[Rule, Level, str, str]  # rule, level, thing, channel


@cache
def watches() -> list[Watch]:
    """Every level of every rule on every datastream that it looks at; dead-man rules listen, they do not look."""
    checked = load_rules([ALATAU.parent / "rules"], Vocabulary.of_city(city()))
    rules = [each.rule for each in checked if each.rule.dead_man is None]
    found = []
    for stream in datastreams(city()):
        thing = city().things[stream.thing]
        labels = {
            "thing": thing.key,
            "thing_kind": thing.kind,
            "domain": thing.domain,
            "district": thing.district,
            "datastream": stream.key,
            "channel": stream.channel.name,
            "observed_property": stream.channel.observed_property,
            "device": stream.device,
            "device_type": stream.device_type.key,
        }
        for rule in rules:
            if rule.selector.fits(labels):
                found += [
                    (rule, level, thing.key, stream.channel.name)
                    for level in rule.levels
                ]
    return found


def live(world: World, times: Sequence[float]) -> dict[tuple[str, str], np.ndarray]:
    """What all watched quantities are at these times."""
    readers = world.readers()
    places = list(dict.fromkeys((thing, name) for _, _, thing, name in watches()))
    rows = []
    for time in times:
        world.advance_to(time)
        rows.append([readers[place]() for place in places])
    columns = np.array(rows).T
    return dict(zip(places, columns, strict=True))


def raised(level: Level, values: np.ndarray) -> list[bool]:
    assert not isinstance(level.condition, SilentFor)
    check: Callable[[float], bool] = level.condition.is_raised
    return [check(float(value)) for value in values]


def longest_run(flags: Sequence[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize(("seed", "day"), CALM_DAYS)
def test_no_rule_is_raised_on_a_calm_day(seed: int, day: int) -> None:
    """Not for a moment, whatever its hold."""
    seen = calm_day(seed, day)
    wrong = {
        f"{rule.key} on {thing}: {seen[thing, name].min():g} to {seen[thing, name].max():g}"
        for rule, level, thing, name in watches()
        if any(raised(level, seen[thing, name]))
    }
    assert not wrong


@pytest.mark.parametrize("hour", [3.5, 18.5])
@pytest.mark.parametrize(
    ("kind", "thing", "rule_key"),
    [
        (IncidentKind.BURST_MAIN, "main-gate", "water-main-burst"),
        (IncidentKind.OVERLOADED_FEEDER, "arna-10-feeder-07", "feeder-overload"),
        (IncidentKind.JAMMED_OVERPASS, "growing-overpass-1", "overpass-jam"),
    ],
)
def test_an_incident_is_held_long_enough_for_its_rule_at_any_hour_and_goes(
    kind: IncidentKind, thing: str, rule_key: str, hour: float
) -> None:
    start = DAY + 86_400 + hour * 3600
    world = build_world(city(), 1)
    world.advance_to(start)
    world.start(Incident(kind, thing, start + 5))
    seen = live(world, [start + second for second in range(0, 420, STEP)])
    assert any(
        longest_run(raised(level, seen[place, name])) * STEP * 1000 > level.hold_for_ms
        for rule, level, place, name in watches()
        if rule.key == rule_key
    )
    still = {
        rule.key
        for rule, level, place, name in watches()
        if any(raised(level, seen[place, name][-30 // STEP :]))
    }
    assert not still


def test_no_incident_can_be_where_it_makes_no_sense() -> None:
    world = build_world(city(), 1)
    with pytest.raises(LookupError, match="main-gate"):
        world.start(Incident(IncidentKind.OVERLOADED_FEEDER, "main-gate", DAY))


@pytest.mark.parametrize("kind", list(IncidentKind))
def test_every_kind_of_incident_has_a_place_in_the_city(kind: IncidentKind) -> None:
    assert build_world(city(), 1).targets(kind)
