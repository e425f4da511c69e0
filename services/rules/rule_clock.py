"""PURE: rule time. It advances only by log batches, and silence counts only while ingest keeps up."""

from dataclasses import dataclass
from typing import Final

# Ingest logs at least once a second: a longer pause means that nobody was listening.
_LONGEST_PAUSE_MS: Final = 5_000
# After an interruption of this length every device gets its whole time again: it may have to reconnect first.
_INTERRUPTION_MS: Final = 10_000


@dataclass(slots=True)
class RuleClock:
    """now_ms: of the newest batch; None: none yet. counted_ms: rule time in which a device would have been heard.

    floor_ms: of counted_ms, where counting began anew. uncounted_ms: of the interruption that lasts.
    """

    now_ms: int | None = None
    caught_up: bool = False
    counted_ms: int = 0
    floor_ms: int = 0
    uncounted_ms: int = 0

    def advance(self, logged_ms: int, *, caught_up: bool) -> bool:
        """Take a batch's time; whether a new second has begun."""
        before = logged_ms if self.now_ms is None else self.now_ms
        elapsed = logged_ms - before
        if caught_up and self.caught_up and elapsed <= _LONGEST_PAUSE_MS:
            self.counted_ms += elapsed
            self.uncounted_ms = 0
        else:
            self.uncounted_ms += elapsed
            if self.uncounted_ms >= _INTERRUPTION_MS:
                self.floor_ms = self.counted_ms
        self.now_ms, self.caught_up = logged_ms, caught_up
        return logged_ms // 1000 > before // 1000
