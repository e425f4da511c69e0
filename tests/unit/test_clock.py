"""Log time follows the machine's clock, and doubts its steps."""

import datetime as dt
from itertools import pairwise

import pytest

from services.core.clock import SteadyClock

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SECOND = 1_000_000_000


class Machine:
    """Its two clocks, in nanoseconds."""

    def __init__(self, logged: dt.datetime = NOON) -> None:
        self.wall = round(NOON.timestamp()) * SECOND
        self.steady = 5 * SECOND
        self.clock = SteadyClock(
            lambda: self.wall, lambda: self.steady, not_before=logged
        )

    def pass_by(self, seconds: float, *, gains: float = 0.0) -> None:
        self.steady += round(seconds * SECOND)
        self.wall += round((seconds + gains) * SECOND)

    def after_noon(self) -> float:
        return (self.clock.now() - NOON).total_seconds()


def test_it_goes_with_the_machines_clock_as_that_is_slewed() -> None:
    machine = Machine()
    for _ in range(100):
        machine.pass_by(1, gains=0.01)
        machine.clock.now()
    assert machine.after_noon() == pytest.approx(101)


@pytest.mark.parametrize("step", [86_400.0, -3_600.0])
def test_a_step_that_is_taken_back_is_never_seen(step: float) -> None:
    machine = Machine()
    machine.pass_by(1, gains=step)
    for _ in range(59):
        assert machine.after_noon() < 60
        machine.pass_by(1)
    machine.pass_by(1, gains=-step)
    assert machine.after_noon() == pytest.approx(61)


def test_a_step_that_lasts_for_a_minute_is_believed() -> None:
    machine = Machine()
    machine.pass_by(0, gains=3_600)
    seen = []
    for _ in range(62):
        seen.append(machine.after_noon())
        machine.pass_by(1)
    assert seen[59] == pytest.approx(59)
    assert seen[61] == pytest.approx(3_661)


def test_a_clock_that_keeps_jumping_is_not_believed() -> None:
    machine = Machine()
    for second in range(200):
        machine.pass_by(1, gains=100 if second % 2 else -90)
        machine.clock.now()
    assert machine.after_noon() == pytest.approx(200)


def test_a_log_that_is_ahead_goes_at_half_speed_until_the_world_has_caught_up() -> None:
    """A machine that began with its clock an hour ahead, and was set right."""
    machine = Machine(logged=NOON + dt.timedelta(hours=1))
    seen = []
    for _ in range(3 * 3_600):
        machine.pass_by(1)
        seen.append(machine.after_noon())
    assert seen[99] == pytest.approx(3_600 + 50)
    assert seen[2 * 3_600 - 1] == pytest.approx(2 * 3_600)
    assert seen[-1] == pytest.approx(3 * 3_600)
    assert all(a < b for a, b in pairwise(seen))


def test_a_step_back_that_lasts_does_not_make_it_stand_still() -> None:
    machine = Machine()
    machine.pass_by(1, gains=-3_600)
    seen = []
    for _ in range(200):
        seen.append(machine.after_noon())
        machine.pass_by(1)
    assert seen[59] == pytest.approx(60)
    assert seen[160] == pytest.approx(61 + 50, abs=1)
