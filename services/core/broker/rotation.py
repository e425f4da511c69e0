"""PURE: what comes next on a new secret's way to a device, so that none is ever locked out.

The broker takes one secret for a device. The old one stays in force until the device says that it has the new one;
then the new one is on trial, and whatever the device answers during it proves that it has come back with it. A trial
without an answer ends: the old one is in force again and the device is asked once more, then the new one again, in
turns that grow longer. A device that holds either secret gets in within two of them. One that answers with the old
secret after three trials keeps that one.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# The broker has read its files by then and ended the sessions of before: an answer cannot be one of theirs.
SETTLED: Final = dt.timedelta(seconds=3)
FIRST_TURN: Final = dt.timedelta(seconds=60)
LONGEST_TURN: Final = dt.timedelta(hours=1)
MOST_TRIALS: Final = 3  # of a device that has its old secret still
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
        if self._is_hopeless:
            return Step.GIVE_UP
        if self.trials:
            # Answered or not: perhaps it holds nothing but the new one.
            if now - self.moved_at >= turn(self.trials):
                return Step.TRY
        elif self.answer:
            return Step.TRY
        waits = self.asked and not self.expired
        return Step.WAIT if waits else Step.ASK

    @property
    def _is_hopeless(self) -> bool:
        """It refuses, was never there, or holds the old secret and does not come back with the one it says it has."""
        if self.answer is None:
            return self.expired and not self.trials
        return not self.answer or self.trials >= MOST_TRIALS


def turn(trials: int) -> dt.timedelta:
    """How long a secret is in force before the other has its turn."""
    doublings = min(max(trials - 1, 0), _MOST_DOUBLINGS)
    return min(FIRST_TURN * (1 << doublings), LONGEST_TURN)
