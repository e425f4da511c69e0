"""PURE: which faults come in which order. A plan is data, made of a seed; the same seed makes the same plan."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

KILLS: Final = "kills"
SLICE_MINUTES: Final = 3.0
_KILLS_AN_HOUR: Final = 1_000
_KILLS_A_ROUND: Final = 1.6  # on average
_SLICE_ROUNDS: Final = 8
_MINUTES_A_TURN: Final = 24.0  # within which each other fault comes once
_LONGEST_PAUSE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Sort:
    """What the plan has to know of a fault. in_slice: also in the short run; least_minutes: of a run that has it."""

    name: str
    in_slice: bool = False
    least_minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """seed: of the fault's own choices. pause: seconds of peace before it."""

    number: int
    fault: str
    seed: int
    pause: float

    @override
    def __str__(self) -> str:
        return (
            f"{self.number:4} {self.fault} (seed {self.seed}, after {self.pause:.2f} s)"
        )


def make_plan(seed: int, minutes: float, sorts: Iterable[Sort]) -> list[Step]:
    """Rounds of kills, with every other fault spread among them, in an order of chance."""
    chance = random.Random(seed)
    names = _others(chance, minutes, sorted(sorts, key=lambda sort: sort.name))
    names = _interleave(names, [KILLS] * _rounds(minutes))
    return [
        Step(number, name, chance.getrandbits(32), chance.uniform(0.0, _LONGEST_PAUSE))
        for number, name in enumerate(names, 1)
    ]


def only(seed: int, name: str, times: int) -> list[Step]:
    chance = random.Random(seed)
    return [
        Step(number, name, chance.getrandbits(32), chance.uniform(0.0, _LONGEST_PAUSE))
        for number in range(1, times + 1)
    ]


def _others(chance: random.Random, minutes: float, sorts: Sequence[Sort]) -> list[str]:
    if minutes <= SLICE_MINUTES:
        names = [sort.name for sort in sorts if sort.in_slice]
        chance.shuffle(names)
        return names
    names = []
    for _ in range(max(1, int(minutes // _MINUTES_A_TURN))):
        turn = [
            sort.name
            for sort in sorts
            if sort.name != KILLS and sort.least_minutes <= minutes
        ]
        chance.shuffle(turn)
        names += turn
    return names


def _rounds(minutes: float) -> int:
    if minutes <= SLICE_MINUTES:
        return _SLICE_ROUNDS
    return round(_KILLS_AN_HOUR * minutes / 60 / _KILLS_A_ROUND) + 1


def _interleave(few: Sequence[str], many: Sequence[str]) -> list[str]:
    """Both in their order, evenly mixed."""
    placed = [((place + 0.5) / len(few), name) for place, name in enumerate(few)]
    placed += [((place + 0.5) / len(many), name) for place, name in enumerate(many)]
    return [name for _, name in sorted(placed, key=lambda entry: entry[0])]
