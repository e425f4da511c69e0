"""When the city last stored something new, as its publishers hear it: the measure of every recovery."""

import asyncio

from services.core.clock import Clock


class Pulse:
    """Told of every receipt: when the message that it settles was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest_made = float("-inf")
        self._beat = asyncio.Event()

    def settled(self, made_at: float) -> None:
        self._newest_made = max(self._newest_made, made_at)
        self._beat.set()

    async def after(self, moment: float) -> float:
        """Wait for the first receipt of a message made after moment; returns when it came. Monotonic seconds."""
        while self._newest_made <= moment:
            self._beat.clear()
            await self._beat.wait()
        return self._clock.monotonic()
