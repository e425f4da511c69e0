"""PURE: what comes next on a new secret's way to a device, so that none is ever locked out.

The broker takes one secret for a device. The old one stays in force until the device says that it has the new one;
then the new one is on trial, and whatever the device answers during it proves that it has come back with it. A trial
without an answer ends: the old one is in force again and the device is asked once more, then the new one again, in
turns that grow longer. A device that holds either secret gets in within two of them.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# The broker has read its files by then and ended the sessions of before: an answer cannot be one of theirs.
SETTLED: Final = dt.timedelta(seconds=3)
FIRST_TURN: Final = dt.timedelta(seconds=60)
LONGEST_TURN: Final = dt.timedelta(hours=1)
_MOST_DOUBLINGS: Final = 16


class Step(Enum):
    WAIT = auto()
    ASK = auto()  # the device: to take the new secret, or on trial for a sign of life
    TRY = auto()  # let the broker take the new secret in the old one's place
    WITHDRAW = auto()  # let the broker take the old one again
    FINISH = auto()  # the new secret has proved itself
    GIVE_UP = auto()  # the old one stays


@dataclass(frozen=True, slots=True)
class Rotation:
    """moved_at: since when on_trial is as it is. trials: begun so far. answer: to the command that is open now."""

    on_trial: bool
    moved_at: dt.datetime
    trials: int = 0
    asked: bool = False
    answer: bool | None = None
    expired: bool = False

    def next_step(self, now: dt.datetime) -> Step:
        return self._on_trial(now) if self.on_trial else self._before_trial(now)

    def _on_trial(self, now: dt.datetime) -> Step:
        lasted = now - self.moved_at
        if self.answer is not None:
            return Step.FINISH
        if lasted >= turn(self.trials):
            return Step.WITHDRAW
        return Step.ASK if not self.asked and lasted >= SETTLED else Step.WAIT

    def _before_trial(self, now: dt.datetime) -> Step:
        if self.answer is not None:
            return Step.TRY if self.answer else Step.GIVE_UP
        if self.trials and now - self.moved_at >= turn(self.trials):
            return Step.TRY  # perhaps it holds nothing but the new one
        if self.expired and not self.trials:
            return Step.GIVE_UP
        return Step.WAIT if self.asked and not self.expired else Step.ASK


def turn(trials: int) -> dt.timedelta:
    """How long a secret is in force before the other has its turn."""
    doublings = min(max(trials - 1, 0), _MOST_DOUBLINGS)
    return min(FIRST_TURN * (1 << doublings), LONGEST_TURN)
