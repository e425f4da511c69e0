import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.signals import Drift, Profile, approach, generator_for, ramp

SECONDS = st.floats(0.01, 100_000)


def test_streams_of_chance_are_repeatable_and_independent() -> None:
    first = generator_for(7, "meter-1").random(100)
    assert (generator_for(7, "meter-1").random(100) == first).all()
    for other in (generator_for(7, "meter-2"), generator_for(8, "meter-1")):
        assert abs(np.corrcoef(first, other.random(100))[0, 1]) < 0.35


@given(steps=st.lists(SECONDS, min_size=1, max_size=8), constant=st.floats(1, 10_000))
def test_a_lag_does_not_depend_on_the_steps_it_is_taken_in(
    steps: list[float], constant: float
) -> None:
    value, target = np.array([3.0, -1.0]), np.array([10.0, 10.0])
    stepped = value
    for step in steps:
        stepped = approach(stepped, target, step, constant)
    at_once = approach(value, target, sum(steps), constant)
    assert stepped == pytest.approx(at_once)


def test_a_lag_has_done_63_percent_after_its_time_constant() -> None:
    [value] = approach(np.array([0.0]), np.array([1.0]), 240.0, 240.0)
    assert value == pytest.approx(1 - 1 / math.e)


@pytest.mark.parametrize("step", [1.0, 60.0])
def test_drift_has_its_deviation_and_memory_at_every_step(step: float) -> None:
    memory = 600.0
    drift = Drift(generator_for(1, "drift"), 4_000, deviation=0.1, memory=memory)
    before = drift.value
    for _ in range(round(memory / step)):
        drift.advance(step)
    after = drift.value
    # Clipped at 2.5 deviations: a hair narrower than the normal distribution.
    assert after.std() == pytest.approx(0.098, rel=0.05)
    assert np.abs(after).max() <= 0.25
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(1 / math.e, abs=0.05)


def test_two_drifts_do_not_disturb_each_other() -> None:
    alone = Drift(generator_for(1, "a"), 3, deviation=1, memory=60)
    one, other = (
        Drift(generator_for(1, key), 3, deviation=1, memory=60) for key in ("a", "b")
    )
    for _ in range(5):
        other.advance(1)
        assert (alone.advance(1) == one.advance(1)).all()


@given(st.floats(0, 48))
def test_a_profile_stays_within_its_points_and_repeats(hour: float) -> None:
    profile = Profile([float(hour % 7) for hour in range(24)])
    assert 0 <= profile.at(hour) <= 6
    assert profile.at(hour) == pytest.approx(profile.at(hour + 24))


def test_a_profile_goes_straight_from_hour_to_hour_and_over_midnight() -> None:
    profile = Profile([0.0] * 23 + [8.0])
    assert profile.at(22.25) == pytest.approx(2.0)
    assert profile.at(23.5) == pytest.approx(4.0)


def test_a_profile_has_24_hours() -> None:
    with pytest.raises(ValueError, match="24"):
        Profile([1.0] * 23)


@given(elapsed=st.floats(-10, 500), rise=st.floats(1, 60), duration=st.floats(60, 300))
def test_a_ramp_rises_stays_and_falls(
    elapsed: float, rise: float, duration: float
) -> None:
    strength = ramp(elapsed, rise, duration)
    assert 0.0 <= strength <= 1.0
    if rise <= elapsed <= duration:
        assert strength == pytest.approx(1.0)
    if elapsed <= 0 or elapsed >= duration + rise:
        assert strength == 0.0
