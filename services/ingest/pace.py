"""How often batches are written and receipts told: the longer a batch takes, the fewer."""

from dataclasses import dataclass
from typing import Final

_LEAST_APART: Final = 0.015
_MOST_APART: Final = 0.06
_SHORTEST_RECEIPT_PAUSE: Final = 0.01
_LONGEST_RECEIPT_PAUSE: Final = 0.2


@dataclass
class Pace:
    """A batch costs some milliseconds here and in every service that follows, a receipt most of a message's price.

    All in seconds.
    """

    _last: float = 0.0
    _last_but_one: float = 0.0

    def took(self, seconds: float) -> None:
        """A batch was stored."""
        self._last_but_one, self._last = self._last, seconds

    @property
    def _load(self) -> float:
        """One slow batch is no load but a disk that stood still: whoever waited for it does not wait as long again."""
        return min(self._last, self._last_but_one)

    @property
    def apart(self) -> float:
        """From a batch's begin to the next one's: as much time as it took is left to others."""
        return min(max(_LEAST_APART, 2 * self._load), _MOST_APART)

    @property
    def receipt_pause(self) -> float:
        """From receipts to the next ones."""
        return min(max(_SHORTEST_RECEIPT_PAUSE, self._load), _LONGEST_RECEIPT_PAUSE)
