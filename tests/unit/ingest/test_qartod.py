"""QARTOD's tests against a plain reading of them, value by value."""

import math
from dataclasses import dataclass, field, replace
from statistics import median

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.city.catalogue import Kind
from services.core.city.quality import ALL_GOOD, Quality, check_of
from services.ingest.check import MISSING, Block
from services.ingest.forms import Form
from services.ingest.qartod import PastChecks
from tests.unit.ingest.profiles import NOW_MS, floats, observed, profile, reading

RATE, SPIKE, FLAT_MS, PERIOD_MS = 2.0, 5.0, 10_000, 2_000
LIMITED = Form(
    profile(
        Kind.MEASUREMENT,
        Kind.MEASUREMENT,
        max_rate=floats(RATE, math.inf),
        max_spike=floats(SPIKE, math.inf),
        flat_line_ms=floats(FLAT_MS, math.inf),
        period_ms=PERIOD_MS,
    )
)
FREE = Form(profile(Kind.MEASUREMENT, device_type_id=2))
BEGIN_MS = NOW_MS - 3_600_000

Sample = tuple[int, int, float]  # frame, milliseconds after BEGIN_MS, value


def block(samples: list[Sample], form: Form = LIMITED) -> Block:
    results = np.full((len(samples), form.width), np.nan)
    results[:, 0] = [value for _, _, value in samples]
    return Block(
        form,
        [],
        np.arange(len(samples), dtype=np.int32),
        np.array([frame for frame, _, _ in samples], np.int32),
        np.array([BEGIN_MS + after for _, after, _ in samples], np.int64),
        results,
        np.where(np.isnan(results), np.uint8(MISSING), np.uint8(ALL_GOOD)),
        np.zeros(len(samples), np.bool_),
    )


def flagged(checks: PastChecks, *blocks: Block) -> list[bool]:
    """Flags and stores; whether each item's first value is suspect."""
    checks.advance(checks.flag(blocks, NOW_MS))
    return [
        check_of(int(quality)) is Quality.SUSPECT
        for one in blocks
        for quality in one.quality[:, 0]
    ]


def line(*values: float, seconds: float = 1.0) -> list[Sample]:
    return [
        (1, int(place * seconds * 1000), value) for place, value in enumerate(values)
    ]


def test_a_value_that_changes_too_fast_is_suspect() -> None:
    assert flagged(PastChecks(), block(line(1, 3, 5.1, 5))) == [
        False,
        False,
        True,
        False,
    ]


def test_the_time_between_counts_for_the_rate() -> None:
    assert not any(flagged(PastChecks(), block(line(1, 6, 11, seconds=2.5))))


def test_a_spike_is_flagged_and_what_follows_it_is_not() -> None:
    values = line(10, 11, 10, 17, 10, 11, seconds=60)
    assert flagged(PastChecks(), block(values)) == [False] * 3 + [True] + [False] * 2


def test_a_step_is_believed_at_its_third_value() -> None:
    values = line(10, 10.1, 10, 20, 20.1, 20, 20.1, seconds=60)
    assert (
        flagged(PastChecks(), block(values)) == [False] * 3 + [True] * 2 + [False] * 2
    )


def test_the_same_value_for_too_long_is_a_flat_line() -> None:
    values = line(4, 5, 5, 5, 5, 6, seconds=5)
    assert flagged(PastChecks(), block(values)) == [False] * 3 + [True] * 2 + [False]


def test_a_pause_begins_a_flat_line_anew() -> None:
    apart = line(5, 5, 5, 6, seconds=FLAT_MS / 1000)
    assert not any(flagged(PastChecks(), block(apart)))
    checks = PastChecks()
    assert not any(flagged(checks, block([(1, 0, 5.0)])))
    assert not any(flagged(checks, block([(1, FLAT_MS, 5.0)])))


def test_what_came_before_is_known_in_the_next_batch() -> None:
    checks = PastChecks()
    assert not any(flagged(checks, block([(1, 0, 1.0), (2, 0, 9.0)])))
    assert flagged(checks, block([(1, 1000, 9.0), (2, 1000, 9.0)])) == [True, False]


def test_nothing_is_known_of_a_batch_that_was_not_stored() -> None:
    checks = PastChecks()
    checks.flag([block(line(1.0))], NOW_MS)
    assert flagged(checks, block([(1, 1000, 9.0)])) == [False]


def test_to_flag_again_changes_nothing() -> None:
    checks, one = PastChecks(), block(line(1, 9, 1))
    checks.flag([one], NOW_MS)
    first = one.quality.copy()
    checks.flag([one], NOW_MS)
    assert np.array_equal(one.quality, first)


def test_late_and_repeated_values_are_not_judged_and_not_remembered() -> None:
    checks = PastChecks()
    assert not any(flagged(checks, block([(1, 5000, 1.0), (1, 5000, 90.0)])))
    assert flagged(checks, block([(1, 6000, 1.5), (1, 4000, 90.0)])) == [False, False]
    assert flagged(checks, block([(1, 9000, 1.5), (1, 8000, 90.0)])) == [False, False]


def test_a_missing_value_is_passed_over() -> None:
    values = line(1, math.nan, 1.5)
    one = block(values)
    assert flagged(PastChecks(), one) == [False, False, False]
    assert one.quality[1, 0] == MISSING


def test_slots_and_types_without_limits_are_left_alone() -> None:
    one = block(line(1, 99, 1), FREE)
    assert not any(flagged(PastChecks(), one, block([])))


def test_what_the_source_said_is_kept() -> None:
    one = block(line(1, 9))
    one.quality[1, 0] = Quality.FAIL + 16 * Quality.GOOD
    flagged(PastChecks(), one)
    assert one.quality[1, 0] == Quality.FAIL + 16 * Quality.SUSPECT


def test_what_a_person_says_is_not_judged_and_not_remembered() -> None:
    checks = PastChecks()
    flagged(checks, block(line(1, 1)))
    (item,) = observed(LIMITED.profile, reading(a=99.0))
    word = msgspec.structs.replace(item.received, by="user:dana")
    spoken = replace(
        block([(1, NOW_MS - BEGIN_MS + 2_000, 99.0)]),
        items=[msgspec.structs.replace(item, received=word)],
        revising=np.ones(1, np.bool_),
    )
    assert flagged(checks, spoken) == [False]
    assert flagged(checks, block([(1, 2000, 1.0), (1, 3000, 9.0)])) == [False, True]


def test_new_limits_begin_anew() -> None:
    checks = PastChecks()
    flagged(checks, block(line(1.0)))
    both = Form(
        profile(Kind.MEASUREMENT, Kind.MEASUREMENT, max_rate=floats(RATE, RATE))
    )
    assert flagged(checks, block([(1, 1000, 99.0)], both)) == [False]
    assert flagged(checks, block([(1, 2000, 1.0)], both)) == [True]


@pytest.mark.parametrize(("ahead_ms", "suspect"), [(1_000, False), (1_001, True)])
def test_a_clock_that_runs_ahead_makes_its_values_suspect(
    ahead_ms: int, *, suspect: bool
) -> None:
    ahead = NOW_MS - BEGIN_MS + ahead_ms
    one = block([(1, ahead, 1.0)])
    assert flagged(PastChecks(), one) == [suspect]
    assert one.quality[0, 1] == MISSING


@dataclass
class Plain:
    """The definitions, one value at a time."""

    past: list[tuple[int, float]] = field(default_factory=list)
    run_since: int = 0

    def take(self, at_ms: int, value: float) -> bool:
        suspect = False
        if self.past:
            before_ms, before = self.past[-1]
            suspect = abs(value - before) > RATE * (at_ms - before_ms) / 1000
            if value != before or at_ms - before_ms > 3 * PERIOD_MS:
                self.run_since = at_ms
        else:
            self.run_since = at_ms
        if len(self.past) >= 3:
            middle = median(known for _, known in self.past[-3:])
            suspect |= abs(value - middle) > SPIKE
        suspect |= at_ms - self.run_since >= FLAT_MS
        self.past.append((at_ms, value))
        return suspect


samples = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 40).map(lambda n: n * 500),
        st.sampled_from([0.0, 1.0, 2.0, 3.5, 7.0, 20.0, math.nan]),
    ),
    max_size=40,
)


@given(st.lists(samples, max_size=4))
def test_it_is_what_the_definitions_say_however_it_is_cut(
    batches: list[list[Sample]],
) -> None:
    checks, plain = PastChecks(), {frame: Plain() for frame in (1, 2, 3)}
    for batch in batches:
        wanted = []
        for frame, at_ms, value in batch:
            past = plain[frame].past
            judged = not math.isnan(value) and (not past or at_ms > past[-1][0])
            wanted.append(judged and plain[frame].take(at_ms, value))
        assert flagged(checks, block(batch)) == wanted
