"""Long work in pieces, between which others have the processor."""

from typing import Final

from services.core.clock import Clock

_MOST: Final = 1.0


class Unhurried:
    """Rests after each piece as long as it took.

    Two processors carry everything: while somebody keeps one of them busy for half a second, ingest's batches take two
    to three times as long. In all it rests a second at most: who is far behind is not held up by it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()
        self.rested = 0.0  # seconds

    async def rest(self) -> None:
        """A piece is done."""
        took = self._clock.monotonic() - self._since
        pause = min(took, _MOST - self.rested)
        if pause > 0:
            self.rested += pause
            await self._clock.sleep(pause)
        self._since = self._clock.monotonic()
