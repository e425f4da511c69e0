"""A bell that wakes all who wait, and keeps nothing."""

import asyncio


class Bell:
    """Who listens after a ring has missed it: look at the state first, then wait."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        rung, self._event = self._event, asyncio.Event()
        rung.set()

    async def wait(self, seconds: float) -> None:
        """Until the next ring, at most so long."""
        try:
            await asyncio.wait_for(self._event.wait(), max(0.0, seconds))
        except TimeoutError:
            return
