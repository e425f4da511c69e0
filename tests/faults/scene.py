"""What a fault has to work with, and what it tells afterwards."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.faults.fleet import Fleet
from tests.faults.ground import PATIENCE, Ground, NotWithinError
from tests.faults.plan import Sort


@dataclass(frozen=True, slots=True)
class Recovery:
    """seconds: from the kill, or from the end of the fault, to the first receipt of a message made after it."""

    of: str
    seconds: float


@dataclass
class Scene:
    ground: Ground
    fleet: Fleet

    def now(self) -> float:
        return self.ground.clock.monotonic()

    async def rest(self, seconds: float) -> None:
        await self.ground.clock.sleep(seconds)

    async def stores_again(self, of: str, since: float) -> Recovery:
        """Once something made after since is stored and receipted."""
        try:
            async with asyncio.timeout(PATIENCE):
                at = await self.ground.pulse.after(since)
        except TimeoutError as error:
            raise NotWithinError(
                f"nothing is stored {PATIENCE:.0f} s after {of}"
            ) from error
        return Recovery(of, at - since)


Play: TypeAlias = Callable[[Scene, random.Random], Awaitable[list[Recovery]]]


@dataclass(frozen=True, slots=True)
class Fault:
    """impossible: why it cannot be tried here; empty: it can."""

    sort: Sort
    play: Play
    impossible: Callable[[Ground], str] = lambda _ground: ""


CATALOGUE: Final[dict[str, Fault]] = {}


def fault(
    name: str,
    *,
    in_slice: bool = False,
    least_minutes: float = 0.0,
    impossible: Callable[[Ground], str] = lambda _ground: "",
) -> Callable[[Play], Play]:
    def enlist(play: Play) -> Play:
        CATALOGUE[name] = Fault(Sort(name, in_slice, least_minutes), play, impossible)
        return play

    return enlist
