"""The shipped city as a whole: everything it measures is modelled, a day is calm, incidents are not."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from device_sim.survey import build_world
from device_sim.world.incidents import IncidentKind
from device_sim.world.table import Reader
from device_sim.world.world import World
from services.core.city.catalogue import Domain, Kind, ObservedProperty
from services.core.city.entities import City
from services.core.city_folder import load_city
from tests.unit.device_sim.moments import DAY

ALATAU = Path(__file__).parents[3] / "deploy" / "city" / "alatau.yaml"

CALM_DAYS = [(1, 1), (2, 60), (3, 200)]  # seed, day after 22 November


@cache
def city() -> City:
    return load_city(ALATAU)


def channels() -> Iterator[tuple[str, str, str]]:
    """(thing, channel, observed property) of every datastream."""
    for device in city().devices.values():
        if device.type is not None:
            for channel in city().device_types[device.type].channels:
                thing = device.channel_things.get(channel.name, device.thing or "")
                yield thing, channel.name, channel.observed_property


def read(world: World) -> Mapping[tuple[str, str], float]:
    return {place: reader() for place, reader in world.readers().items()}


def test_every_datastream_of_the_city_is_modelled() -> None:
    world = build_world(city(), 1)
    world.advance_to(DAY)
    wanted = {(thing, name) for thing, name, _ in channels()}
    assert len(wanted) > 2_000
    assert not wanted - world.readers().keys()


def test_two_simulators_of_one_seed_live_the_same_day() -> None:
    one, other, another = (build_world(city(), seed) for seed in (5, 5, 6))
    for world in (one, other, another):
        world.advance_to(DAY)
        world.advance_to(DAY + 120)
    assert read(one) == read(other)
    assert read(one) != read(another)


@cache
def calm_day(seed: int, day: int) -> Mapping[tuple[str, str], np.ndarray]:
    """Lived minute by minute; of every quantity but counts (rates here), every fifth minute's value."""
    start = DAY + day * 86_400
    world = build_world(city(), seed)
    world.advance_to(start)
    known = world.readers()
    places = [
        (thing, name)
        for thing, name, key in dict.fromkeys(channels())
        if key != "vehicle_count"
    ]
    readers: list[Reader] = [known[place] for place in places]
    rows = []
    for minute in range(1440):
        world.advance_to(start + minute * 60)
        if minute % 5 == 0:
            rows.append([reader() for reader in readers])
    return dict(zip(places, np.array(rows).T, strict=True))


@pytest.mark.parametrize(("seed", "day"), CALM_DAYS)
def test_a_calm_day_is_plausible(seed: int, day: int) -> None:
    seen = calm_day(seed, day)
    wrong = [
        f"{thing}.{name}: {complaint}"
        for thing, name, key in channels()
        if (thing, name) in seen
        and (complaint := complain(city().catalogue[key], seen[thing, name]))
    ]
    assert not wrong
    assert len(seen) > 2_000


def complain(observed: ObservedProperty, column: np.ndarray) -> str:
    """What is not as on a calm day, of one quantity's values; empty: nothing."""
    if not np.isfinite(column).all():
        return "is not finite"
    if observed.kind is Kind.COUNTER:
        return "falls" if (np.diff(column) < 0).any() else ""
    if observed.kind is Kind.STATE:
        calm = {code.value for code in observed.codes if not code.abnormal}
        return "" if set(column) <= calm else f"is {set(column) - calm}"
    low, high = column.min(), column.max()
    calm_span = observed.plausible
    return (
        ""
        if calm_span.contains(low) and calm_span.contains(high)
        else f"{low} to {high}"
    )


def test_counters_are_remembered_over_a_restart() -> None:
    before = build_world(city(), 1)
    before.advance_to(DAY)
    before.advance_to(DAY + 7_200)
    kept = before.counters
    after = build_world(city(), 1)
    after.advance_to(DAY + 60)
    after.restore(kept)
    counters = [
        (thing, name)
        for thing, name, key in channels()
        if city().catalogue[key].kind is Kind.COUNTER
    ]
    assert len(counters) > 200
    now, then = read(after), read(before)
    assert all(now[place] >= then[place] for place in counters)
    after.advance_to(DAY + 120)
    assert after.counters != kept


def test_a_city_without_any_of_this_lives_too() -> None:
    bare = replace(city(), devices={}, relations=())
    world = build_world(bare, 1)
    world.advance_to(DAY)
    assert not world.readers()
    assert all(not world.targets(kind) for kind in IncidentKind)


@pytest.mark.parametrize("domain", list(Domain))
def test_a_city_may_lack_a_domain(domain: Domain) -> None:
    things = {
        key: thing for key, thing in city().things.items() if thing.domain != domain
    }
    rest = replace(
        city(),
        things=things,
        devices={
            key: device
            for key, device in city().devices.items()
            if device.thing in things
        },
        relations=tuple(
            each
            for each in city().relations
            if each.source in things and each.target in things
        ),
    )
    world = build_world(rest, 1)
    world.advance_to(DAY)
    assert world.readers()
    assert not {thing for thing, _ in world.readers()} - things.keys()
