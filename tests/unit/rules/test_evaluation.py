"""The vectorised judging gives what judging every reading one by one would."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.alerting.alert import AlertClass, Severity
from services.core.alerting.hold import Hold, after_reading, turns_between
from services.core.alerting.rule import (
    AnyBit,
    Evidence,
    InCodes,
    Level,
    Operator,
    ReadingCondition,
    Rule,
    RuleKind,
    Selector,
    Threshold,
)
from services.core.city.quality import Quality, pack
from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.rules.evaluation import Evaluation
from services.rules.memory import Memory
from services.rules.rule_clock import RuleClock
from services.rules.targets import TargetFinder
from tests.rule_places import one_place
from tests.rule_stories import START_MS, checked_rules, rule_document
from tests.unit.city.small_city import small_city

(SAMPLE,) = checked_rules(small_city(), any=rule_document())
SLOTS, FRAMES = 2, 3

numbers = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 62.0, 63.0, 70.0])


@st.composite
def conditions(draw: st.DrawFn, kind: str) -> ReadingCondition:
    if kind == "codes":
        return InCodes(frozenset(draw(st.sets(st.integers(-1, 70), min_size=1))))
    if kind == "bits":
        return AnyBit(draw(st.integers(1, 2**52)))
    operator, value = draw(st.sampled_from(Operator)), draw(numbers)
    away = draw(st.sampled_from([0.0, 1.0]))
    return Threshold(operator, value, value - away if operator.upward else value + away)


@st.composite
def rules(draw: st.DrawFn, place: int) -> Rule:
    severities = draw(st.sampled_from([(Severity.LOW,), (Severity.LOW, Severity.HIGH)]))
    kind = draw(st.sampled_from(["threshold", "codes", "bits"]))
    levels = tuple(
        Level(
            severity, draw(conditions(kind)), draw(st.sampled_from([0, 1_000, 4_000]))
        )
        for severity in severities
    )
    return Rule(
        key=f"rule-{place}",
        name=SAMPLE.rule.name,
        kind=RuleKind.THRESHOLD,
        alert_class=AlertClass.PROCESS,
        selector=Selector(observed_property=draw(st.sampled_from(["p0", "p1"]))),
        levels=levels,
        annotations=SAMPLE.rule.annotations,
        clear_for_ms=draw(st.sampled_from([0, 2_000])),
        evidence=Evidence(
            accept=draw(st.sampled_from([Quality.GOOD, Quality.SUSPECT]))
        ),
    )


Item = tuple[int, int, list[float], Quality]  # frame, milliseconds late, results

items = st.tuples(
    st.integers(1, FRAMES),
    st.sampled_from([0, 0, 0, 1_500, 400_000]),
    st.lists(st.one_of(numbers, st.just(math.nan)), min_size=1, max_size=SLOTS),
    st.sampled_from([Quality.GOOD, Quality.SUSPECT]),
)
batches = st.lists(st.lists(items, max_size=6), max_size=15)


def evaluation(chosen: list[Rule]) -> Evaluation:
    finder = TargetFinder(chosen)
    for frame in range(1, FRAMES + 1):
        for slot in range(SLOTS):
            labels = {"observed_property": f"p{slot}"}
            finder.add_datastreams(
                one_place(frame * 10 + slot, frame, slot, 1_000, labels)
            )
    targets = finder.targets()
    return Evaluation(targets, Memory.blank(len(targets)), RuleClock(), {})


def batch_of(now_ms: int, logged: list[Item]) -> ObservationBatch:
    values = [value for _, _, results, _ in logged for value in results]
    quality = [
        pack(quality, Quality.GOOD)
        for _, _, results, quality in logged
        for _ in results
    ]
    return ObservationBatch(
        frame_ids=np.array([frame for frame, _, _, _ in logged], np.int32),
        times_ms=np.array([now_ms - late for _, late, _, _ in logged], np.int64),
        flags=np.full(len(logged), ItemFlag.NEW, np.uint8),
        offsets=np.cumsum([0, *(len(r) for _, _, r, _ in logged)], dtype=np.int32),
        results=np.array(values, np.float64),
        quality=np.array(quality, np.uint8),
    )


class OneByOne:
    """Every reading of every target through the hold machine, in order of time within a batch."""

    def __init__(self, judge: Evaluation) -> None:
        self.targets = judge.targets
        self.holds: dict[int, Hold] = {}
        self.newest: dict[int, int] = {}

    def advance(self, now_ms: int, logged: list[Item]) -> set[tuple[int, str, int]]:
        """(target, state, severity's rank) of every turn."""
        told = set()
        for target in range(len(self.targets)):
            readings = sorted(
                self._readings(target, now_ms, logged), key=lambda r: r[0]
            )
            for time_ms, value in readings:
                told |= self._judge(target, time_ms, value)
        return told

    def _readings(
        self, target: int, now_ms: int, logged: list[Item]
    ) -> list[tuple[int, float]]:
        frame, slot = int(self.targets.frame_id[target]), int(self.targets.slot[target])
        newest = self.newest.get(target, -(1 << 60))
        return [
            (now_ms - late, results[slot])
            for own, late, results, quality in logged
            if own == frame
            and slot < len(results)
            and not math.isnan(results[slot])
            and quality <= self.targets.rule(target).evidence.accept
            and late <= 300_000
            and now_ms - late >= newest
        ]

    def _judge(
        self, target: int, time_ms: int, value: float
    ) -> set[tuple[int, str, int]]:
        policy = self.targets.policy(target)
        held = self.holds.get(target, policy.at_rest)
        after = after_reading(policy, held, value, time_ms, self.newest.get(target))
        self.holds[target], self.newest[target] = after, time_ms
        return {
            (target, turn.to, turn.severity.rank)
            for turn in turns_between(policy.levels, held, after, time_ms, lost=False)
        }


@settings(max_examples=150, deadline=None)
@given(st.tuples(rules(0), rules(1), rules(2)), batches)
def test_nothing_that_matters_is_passed_over(
    chosen: tuple[Rule, ...], logged: list[list[Item]]
) -> None:
    """Not caught up, so that readings alone decide; a second between batches."""
    judge = evaluation(list(chosen))
    reference = OneByOne(judge)
    for place, one in enumerate(logged):
        now_ms = START_MS + 1_000 * place
        moves = judge.advance(batch_of(now_ms, one), now_ms, caught_up=False)
        found = {
            (entry.target, str(entry.move.to), entry.move.severity.rank)
            for entry in moves
        }
        assert found == reference.advance(now_ms, one)
    resting = {
        target: hold
        for target, hold in reference.holds.items()
        if hold != judge.targets.policy(target).at_rest
    }
    assert judge.holds == resting


@given(st.sampled_from(Operator), numbers, numbers)
def test_a_threshold_is_met_at_its_very_value_only_by_its_operator(
    operator: Operator, value: float, reading: float
) -> None:
    threshold = Threshold(operator, value, value)
    level = Level(Severity.LOW, threshold)
    judge = evaluation([replace(SAMPLE.rule, selector=Selector(), levels=(level,))])
    batch = batch_of(START_MS, [(1, 0, [reading], Quality.GOOD)])
    moves = judge.advance(batch, START_MS, caught_up=True)
    assert bool(moves) == threshold.is_raised(reading)


def test_without_rules_nothing_happens() -> None:
    judge = evaluation([])
    batch = batch_of(START_MS, [(1, 0, [1.0], Quality.GOOD)])
    assert judge.advance(batch, START_MS, caught_up=True) == []
