"""How many readings a second the rules judge on one core, and that their memory stays flat."""

import datetime as dt
import time
import tracemalloc

import numpy as np
import pytest

from services.core.alerting.alert import AlertClass, Annotations, Severity
from services.core.alerting.rule import (
    DeadMan,
    Length,
    Level,
    Operator,
    Rule,
    RuleKind,
    Selector,
    SilentFor,
    Source,
    Threshold,
)
from services.core.city.language import Text
from services.core.city.quality import ALL_GOOD
from services.core.storage import log_batch
from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.rules.evaluation import Evaluation
from services.rules.memory import Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import TargetFinder
from tests.rule_places import one_place

pytestmark = pytest.mark.benchmark

TEXT = Text("к", "р", "e")
ANNOTATIONS = Annotations(TEXT, TEXT, TEXT, dt.timedelta(minutes=15))
START_MS = 1_795_320_000_000
RULES = 20
DEVICES = 10_000
CHANNELS = 5


def threshold_rule(number: int) -> Rule:
    """Four rules look at every channel."""
    levels = (
        Level(Severity.MEDIUM, Threshold(Operator.ABOVE, 100, 95), 10_000),
        Level(Severity.CRITICAL, Threshold(Operator.ABOVE, 120, 115), 10_000),
    )
    return Rule(
        key=f"rule-{number}",
        name=TEXT,
        kind=RuleKind.THRESHOLD,
        alert_class=AlertClass.PROCESS,
        selector=Selector(observed_property=f"property-{number % CHANNELS}"),
        levels=levels,
        annotations=ANNOTATIONS,
    )


def silence_rule() -> Rule:
    return Rule(
        key="silent",
        name=TEXT,
        kind=RuleKind.DEAD_MAN,
        alert_class=AlertClass.EQUIPMENT,
        selector=Selector(),
        levels=(Level(Severity.LOW, SilentFor(Length(periods=5))),),
        annotations=ANNOTATIONS,
        dead_man=DeadMan(source=Source.DEVICE),
    )


def evaluation() -> Evaluation:
    finder = TargetFinder(
        [*(threshold_rule(number) for number in range(RULES - 1)), silence_rule()]
    )
    for device in range(DEVICES):
        finder.add_devices(one_place(device + 1, device + 1, period_ms=10_000))
        for slot in range(CHANNELS):
            labels = {"observed_property": f"property-{slot}"}
            finder.add_datastreams(
                one_place(
                    device * CHANNELS + slot + 1, device + 1, slot, 10_000, labels
                )
            )
    targets = finder.targets()
    return Evaluation(targets, Memory.blank(len(targets)), RuleClock(), {})


def batch(chance: np.random.Generator, now_ms: int, size: int) -> ObservationBatch:
    """Values around 60; one in some thousands beyond its threshold."""
    return ObservationBatch(
        frame_ids=chance.integers(1, DEVICES + 1, size, dtype=np.int32),
        times_ms=np.full(size, now_ms, np.int64),
        flags=np.full(size, ItemFlag.NEW, np.uint8),
        offsets=np.arange(0, (size + 1) * CHANNELS, CHANNELS, dtype=np.int32),
        results=chance.normal(60, 12, size * CHANNELS),
        quality=np.full(size * CHANNELS, ALL_GOOD, np.uint8),
    )


@pytest.mark.parametrize("items", [50, 500, 5_000])
def test_readings_a_second(items: int, capsys: pytest.CaptureFixture[str]) -> None:
    judge, chance = evaluation(), np.random.default_rng(1)
    bodies = [
        log_batch.encode(batch(chance, START_MS + 100 * place, items))
        for place in range(50)
    ]
    began = time.process_time()
    moves = 0
    for place, body in enumerate(bodies):
        moves += len(
            judge.advance(
                log_batch.decode(body), START_MS + 100 * place, caught_up=True
            )
        )
    seconds = time.process_time() - began
    rate = items * CHANNELS * len(bodies) / seconds
    with capsys.disabled():
        print(
            f"\n{items} items of {CHANNELS} a batch: {rate:,.0f} readings/s, {moves} moves"
        )
    assert rate > 200_000


def test_memory_stays_flat() -> None:
    judge, chance = evaluation(), np.random.default_rng(1)
    sizes = []
    tracemalloc.start()
    for place in range(600):
        now_ms = START_MS + 1_000 * place
        judge.advance(batch(chance, now_ms, 500), now_ms, caught_up=True)
        judge.changed.clear()
        if place % 200 == 199:
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[2] - sizes[1] < 100_000  # holds come and go; nothing is kept a batch
