"""PURE: building blocks of every simulated quantity; chance comes in as a numpy Generator, time as seconds."""

import hashlib
import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]

_HOURS: Final = 24
_WIDEST: Final = 2.5  # standard deviations: a calm day has no outliers


def generator_for(seed: int, *key: str) -> np.random.Generator:
    """An own stream of chance for each key, so that nothing disturbs anything else."""
    digest = hashlib.sha256("/".join((str(seed), *key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def approach(value: Floats, target: Floats, seconds: float, constant: float) -> Floats:
    """First-order lag after some seconds; exact for a target that stands still, however long the step."""
    return target + (value - target) * math.exp(-seconds / constant)


def ramp(elapsed: float, rise: float, duration: float) -> float:
    """0 to 1 over `rise` seconds, 1 until `duration`, back to 0 over `rise` again."""
    if elapsed <= 0 or elapsed >= duration + rise:
        return 0.0
    return min(1.0, elapsed / rise, (duration + rise - elapsed) / rise)


def sum_by(places: Places, values: Floats, count: int) -> Floats:
    """Of `count` groups, the sum of the values whose place it is."""
    return np.bincount(places, values, minlength=count).astype(np.float64)


class Drift:
    """Ornstein-Uhlenbeck noise around 0: `deviation` wide, forgotten after `memory` seconds.

    Stepped exactly, so a day at 1 s and a day at 60 s have the same distribution.
    """

    def __init__(
        self,
        chance: np.random.Generator,
        size: int,
        *,
        deviation: float,
        memory: float,
    ) -> None:
        self._chance = chance
        self._memory = memory
        self._deviation = deviation
        self._state = chance.standard_normal(size)

    def advance(self, seconds: float) -> Floats:
        kept = math.exp(-seconds / self._memory)
        fresh = self._chance.standard_normal(self._state.size)
        self._state = self._state * kept + fresh * math.sqrt(1.0 - kept * kept)
        return self.value

    @property
    def value(self) -> Floats:
        return self._deviation * np.clip(self._state, -_WIDEST, _WIDEST)


class Profile:
    """A daily rhythm: one value an hour, straight between them, repeating."""

    def __init__(self, by_hour: Sequence[float]) -> None:
        if len(by_hour) != _HOURS:
            raise ValueError(f"a day has {_HOURS} hours, not {len(by_hour)}")
        self._values = np.array([*by_hour, by_hour[0]])
        self._hours = np.arange(_HOURS + 1)

    def at(self, hour: float) -> float:
        """hour: local, 0 to 24, with its fraction."""
        return float(np.interp(hour % _HOURS, self._hours, self._values))

    @property
    def mean(self) -> float:
        return float(self._values[:-1].mean())

    def scaled_to_mean(self, mean: float) -> "Profile":
        return Profile((self._values[:-1] * mean / self.mean).tolist())
