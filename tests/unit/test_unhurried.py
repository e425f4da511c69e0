"""Who works in pieces leaves others as much time, and is not held up for long."""

import asyncio
import datetime as dt

from typing_extensions import override

from services.core.clock import ManualClock
from services.core.unhurried import Unhurried

START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


class EarlyRiser(ManualClock):
    """Time passes while it sleeps, and nobody has to advance it."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept: list[float] = []

    @override
    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.advance(seconds)
        await asyncio.sleep(0)


async def resting_after(*pieces: float) -> tuple[list[float], float]:
    clock = EarlyRiser()
    pace = Unhurried(clock)
    for seconds in pieces:
        clock.advance(seconds)
        await pace.rest()
    return clock.slept, round(pace.rested, 3)


async def test_it_rests_as_long_as_each_piece_took() -> None:
    assert await resting_after(0.02, 0.0, 0.05) == ([0.02, 0.05], 0.07)


async def test_in_all_it_rests_a_second() -> None:
    assert await resting_after(0.7, 0.7, 5.0) == ([0.7, 0.3], 1.0)
