"""A new secret's way to a device: nobody is locked out, whatever it holds and whenever it is away."""

import datetime as dt
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.rotation import (
    FIRST_TURN,
    LONGEST_TURN,
    SETTLED,
    Rotation,
    Step,
    turn,
)

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
BEFORE = Rotation(on_trial=False, moved_at=NOW)
TRIAL = Rotation(on_trial=True, moved_at=NOW, trials=1)


@pytest.mark.parametrize(
    ("rotation", "after", "step"),
    [
        (replace(BEFORE, asked=True), dt.timedelta(days=3), Step.WAIT),
        (replace(BEFORE, asked=True, answer=True), SECOND, Step.TRY),
        (replace(BEFORE, asked=True, answer=False), SECOND, Step.GIVE_UP),
        (replace(BEFORE, asked=True, expired=True), dt.timedelta(days=8), Step.GIVE_UP),
        (TRIAL, SECOND, Step.WAIT),
        (TRIAL, SETTLED, Step.ASK),
        (replace(TRIAL, asked=True), FIRST_TURN - SECOND, Step.WAIT),
        (replace(TRIAL, asked=True), FIRST_TURN, Step.WITHDRAW),
        (replace(TRIAL, asked=True, answer=True), SECOND, Step.FINISH),
        # "I cannot announce myself" came through the new secret all the same.
        (replace(TRIAL, asked=True, answer=False), SECOND, Step.FINISH),
        (replace(BEFORE, trials=1), SECOND, Step.ASK),
        (replace(BEFORE, trials=1, asked=True), FIRST_TURN, Step.TRY),
        (replace(BEFORE, trials=1, asked=True, answer=True), SECOND, Step.WAIT),
        (replace(BEFORE, trials=1, asked=True, answer=True), FIRST_TURN, Step.TRY),
        (replace(BEFORE, trials=3, asked=True, answer=True), SECOND, Step.GIVE_UP),
        (replace(BEFORE, trials=3, asked=True), turn(3), Step.TRY),
        (replace(BEFORE, trials=1, asked=True, expired=True), SECOND, Step.ASK),
    ],
)
def test_what_comes_next(rotation: Rotation, after: dt.timedelta, step: Step) -> None:
    assert rotation.next_step(NOW + after) is step


def test_turns_grow_longer_up_to_an_hour() -> None:
    lengths = [turn(trials) for trials in range(1, 50)]
    assert lengths[:3] == [FIRST_TURN, 2 * FIRST_TURN, 4 * FIRST_TURN]
    assert lengths == sorted(lengths)
    assert lengths[-1] == LONGEST_TURN


@dataclass
class Device:
    """holds: of `old` and `new`; it answers when it is there and what it holds is in force."""

    holds: frozenset[str]
    away: frozenset[int]

    def reaches(self, rotation: Rotation, second: int) -> bool:
        in_force = "new" if rotation.on_trial else "old"
        return second // 30 not in self.away and in_force in self.holds


def move(rotation: Rotation, step: Step, now: dt.datetime) -> Rotation:
    """As the registry is written."""
    if step is Step.ASK:
        return replace(rotation, asked=True, answer=None, expired=False)
    if step is Step.WAIT:
        return rotation
    trial = step is Step.TRY
    return Rotation(on_trial=trial, moved_at=now, trials=rotation.trials + int(trial))


def run(device: Device, seconds: int) -> tuple[Step | None, list[int]]:
    """(how it ended, when the device was in); as the door does it, a look a second."""
    rotation = replace(BEFORE, asked=True)
    there: list[int] = []
    for second in range(seconds):
        now = NOW + second * SECOND
        step = rotation.next_step(now)
        if step in {Step.FINISH, Step.GIVE_UP}:
            return step, there
        rotation = move(rotation, step, now)
        if device.reaches(rotation, second):
            there.append(second)
            if rotation.asked and rotation.answer is None:
                if not rotation.on_trial:
                    device.holds |= {"new"}
                rotation = replace(rotation, answer=True)
    return None, there


@given(st.frozensets(st.integers(0, 40), max_size=30))
def test_whoever_keeps_both_secrets_ends_with_the_new_one(
    away: frozenset[int],
) -> None:
    ended, there = run(Device(frozenset({"old"}), away), 7200)
    assert ended is Step.FINISH
    assert there


@pytest.mark.parametrize(
    ("kept", "end"), [("new", Step.FINISH), ("old", Step.GIVE_UP), ("", None)]
)
def test_whoever_forgets_a_secret_after_its_answer(kept: str, end: Step | None) -> None:
    """With the old one alone it is out while the new one is on trial; with neither it was there once."""

    class Forgetful(Device):
        def reaches(self, rotation: Rotation, second: int) -> bool:  # type: ignore[explicit-override] # typing.override: Python 3.12
            if "new" in self.holds:
                self.holds &= {kept}
            return super().reaches(rotation, second)

    ended, there = run(Forgetful(frozenset({"old"}), frozenset()), 1200)
    assert ended is end
    longest = max((b - a for a, b in pairwise(there)), default=0)
    assert longest <= turn(3).total_seconds() + 5
    assert len(there) > 180 if kept == "old" else len(there) < 10
