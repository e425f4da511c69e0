"""The one place that asks the time; everything else takes a Clock."""

import asyncio
import datetime as dt
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_STEP_NS = 2_000_000_000
_BELIEVED_AFTER_NS = 60_000_000_000
_SLOWLY = 2  # as much slower is log time where it is ahead of the world


def to_milliseconds(moment: dt.datetime) -> int:
    """Unix milliseconds of an aware datetime, rounded down.

    Raises:
        ValueError: the datetime is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return (moment - EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> dt.datetime:
    """The aware UTC datetime of Unix milliseconds."""
    return EPOCH + milliseconds * _MILLISECOND


class Clock(Protocol):
    def now(self) -> dt.datetime:
        """World time, aware, UTC."""

    def now_ms(self) -> int:
        """World time in Unix milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never fall; for durations only."""

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(UTC)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SteadyClock:
    """Log time: the machine's clock, but a step of it is believed only once it has lasted, and it never falls.

    One wrong look at a clock that jumps ahead for a moment would put the log ahead of the world. Where it is ahead all the
    same, because the machine began with a wrong clock, it goes at half speed until the world has caught up: rules go on,
    and what they wait for takes twice as long. Between steps it follows the machine's clock as that is slewed.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = lambda: time.clock_gettime_ns(
            time.CLOCK_BOOTTIME
        ),
        *,
        not_before: dt.datetime = EPOCH,
    ) -> None:
        """steady_ns: nanoseconds since some moment; it never steps, and counts while the machine sleeps.

        not_before: what the log has said already.
        """
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._looked_ns = steady_ns()
        self._offset_ns = wall_ns() - self._looked_ns
        self._said_ns = (not_before - EPOCH) // _MICROSECOND * 1000
        self._doubted_ns: int | None = None  # another offset
        self._doubted_since_ns = 0

    def now(self) -> dt.datetime:
        steady_ns = self._steady_ns()
        self._look(self._wall_ns() - steady_ns, steady_ns)
        slowly = self._said_ns + (steady_ns - self._looked_ns) // _SLOWLY
        self._said_ns = max(steady_ns + self._offset_ns, slowly)
        self._looked_ns = steady_ns
        return EPOCH + dt.timedelta(microseconds=self._said_ns // 1000)

    def _look(self, offset_ns: int, steady_ns: int) -> None:
        if abs(offset_ns - self._offset_ns) < _STEP_NS:
            self._offset_ns, self._doubted_ns = offset_ns, None
        elif self._doubted_ns is None or abs(offset_ns - self._doubted_ns) >= _STEP_NS:
            self._doubted_ns, self._doubted_since_ns = offset_ns, steady_ns
        elif steady_ns - self._doubted_since_ns >= _BELIEVED_AFTER_NS:
            self._offset_ns, self._doubted_ns = offset_ns, None


class ManualClock:
    """A clock that stands still until told otherwise; sleepers wake when it is advanced past them."""

    def __init__(self, start: dt.datetime) -> None:
        self._now_ms = to_milliseconds(start)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> dt.datetime:
        return from_milliseconds(self._now_ms)

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._now_ms / 1000

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        while self._sleepers and self._sleepers[0][0] <= self._now_ms:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        wake_at = self._now_ms + round(seconds * 1000)
        heapq.heappush(self._sleepers, (wake_at, next(self._order), sleeper))
        await sleeper
