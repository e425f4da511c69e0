"""The shipped rulebook watching the simulated city: silent on a calm day, and each incident told within seconds."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from device_sim.survey import build_world
from device_sim.world.incidents import Incident, IncidentKind
from device_sim.world.table import Reader
from device_sim.world.world import World
from services.core.alerting.alert import AlertState
from services.core.alerting.rule_file import Vocabulary
from services.core.city.datastreams import Datastream, datastreams
from services.core.city.entities import City
from services.core.city.quality import ALL_GOOD
from services.core.city_folder import load_city
from services.core.rule_folder import load_rules
from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.rules.evaluation import Evaluation, TargetMove
from services.rules.memory import Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import Places, TargetFinder

pytestmark = pytest.mark.acceptance

SHIPPED = Path(__file__).parents[2] / "deploy" / "city"
MORNING = dt.datetime(2026, 11, 23, 3, tzinfo=dt.UTC).timestamp()  # 8:00 in Almaty
STEP = 5


@dataclass
class Watched:
    """The city's true values, read by every device at once, a frame a datastream."""

    city: City
    world: World
    judge: Evaluation
    readers: list[Reader]

    def tick(self, unix: float) -> list[TargetMove]:
        self.world.advance_to(unix)
        now_ms = round(unix * 1000)
        values = np.array([read() for read in self.readers])
        size = len(values)
        batch = ObservationBatch(
            frame_ids=np.arange(1, size + 1, dtype=np.int32),
            times_ms=np.full(size, now_ms, np.int64),
            flags=np.full(size, ItemFlag.NEW, np.uint8),
            offsets=np.arange(size + 1, dtype=np.int32),
            results=values,
            quality=np.full(size, ALL_GOOD, np.uint8),
        )
        return self.judge.advance(batch, now_ms, caught_up=True)

    def told(self, moves: list[TargetMove], state: AlertState) -> set[str]:
        """Keys of the rules that came to a state."""
        return {
            self.judge.targets.rule(entry.target).key
            for entry in moves
            if entry.move.to is state
        }


def measured(city: City, world: World) -> Iterator[tuple[Datastream, Reader]]:
    readers = world.readers()
    for stream in datastreams(city):
        if read := readers.get((stream.thing, stream.channel.name)):
            yield stream, read


@pytest.fixture(scope="module")
def watched() -> Watched:
    city = load_city(SHIPPED / "alatau.yaml")
    world = build_world(city, seed=1)
    world.advance_to(MORNING)
    rules = load_rules([SHIPPED / "rules"], Vocabulary.of_city(city))
    finder = TargetFinder(
        [checked.rule for checked in rules if not checked.rule.watches_devices]
    )
    streams = list(measured(city, world))
    for place, (stream, _) in enumerate(streams, 1):
        thing = city.things[stream.thing]
        named = {
            "datastream": stream.key,
            "thing": thing.key,
            "device": stream.device,
        }
        shared = {
            "channel": stream.channel.name,
            "observed_property": stream.channel.observed_property,
            "device_type": stream.device_type.key,
            "thing_kind": thing.kind,
            "domain": thing.domain,
            "district": thing.district,
        }
        period_ms = round(stream.device_type.period.total_seconds() * 1000)
        number, period = np.array([place], np.int32), np.array([period_ms], np.int32)
        slot = np.zeros(1, np.int32)
        own = {name: [key] for name, key in named.items()}
        finder.add_datastreams(Places(shared, number, number, slot, period, own))
    targets = finder.targets()
    judge = Evaluation(targets, Memory.blank(len(targets)), RuleClock(), {})
    return Watched(city, world, judge, [read for _, read in streams])


def test_a_calm_morning_is_silent(watched: Watched) -> None:
    """An hour and a half through the morning peak, a reading a minute."""
    moves = [
        move for minute in range(90) for move in watched.tick(MORNING + 60 * minute)
    ]
    assert watched.told(moves, AlertState.PENDING) == set()
    assert watched.told(moves, AlertState.FIRING) == set()


@pytest.mark.parametrize(
    ("kind", "expected", "hours"),
    [
        (IncidentKind.BURST_MAIN, "water-main-burst", 2),
        (IncidentKind.OVERLOADED_FEEDER, "feeder-overload", 3),
        (IncidentKind.JAMMED_OVERPASS, "overpass-jam", 4),
    ],
)
def test_an_incident_fires_within_half_a_minute_and_is_over_after_it(
    watched: Watched, kind: IncidentKind, expected: str, hours: int
) -> None:
    """hours: after the calm morning, one incident after the other in the same city."""
    start = MORNING + 3600 * hours
    watched.tick(start)
    incident = Incident(kind, watched.world.targets(kind)[0], start)
    watched.world.start(incident)
    first: dict[AlertState, float] = {}
    fired: set[str] = set()
    for second in range(STEP, 240, STEP):
        moves = watched.tick(start + second)
        fired |= watched.told(moves, AlertState.FIRING)
        for state in (AlertState.FIRING, AlertState.RESOLVED):
            if watched.told(moves, state):
                first.setdefault(state, second)
    assert fired == {expected}
    assert first[AlertState.FIRING] <= 30
    assert first[AlertState.RESOLVED] <= incident.duration + 60
    assert not watched.judge.holds
