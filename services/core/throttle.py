"""PURE: how often somebody may ask: one number per client (GCRA), bounded memory, time given by the caller."""

import math
from dataclasses import dataclass
from typing import Final

_LARGEST: Final = 100_000
_THE_REST: Final = "\0"


@dataclass(frozen=True, slots=True)
class Answer:
    """remaining: how many more at once; retry_after: seconds until the next one is allowed, 0 when it is."""

    allowed: bool
    remaining: int
    retry_after: int


class Throttle:
    """Allows `burst` at once and refills them evenly over `seconds`.

    When more clients than it holds are active at once, the newcomers share one allowance.
    """

    def __init__(self, burst: int, seconds: float, largest: int = _LARGEST) -> None:
        self.burst = burst
        self.seconds = seconds
        self._interval = seconds / burst
        self._largest = largest
        self._free_at: dict[str, float] = {}

    def ask(self, client: str, now: float) -> Answer:
        """Spend one of the client's allowance, if there is one. now: monotonic seconds."""
        client = self._place(client, now)
        free_at = max(self._free_at.get(client, now), now)
        busy = free_at + self._interval - now
        # Sums of the interval are not exact: a hair must not cost the last of the burst.
        if busy > self.seconds + self._interval * 1e-6:
            return Answer(
                allowed=False, remaining=0, retry_after=math.ceil(busy - self.seconds)
            )
        self._free_at[client] = free_at + self._interval
        left = int((self.seconds - busy) / self._interval + 1e-6)
        return Answer(allowed=True, remaining=left, retry_after=0)

    def refund(self, client: str) -> None:
        """Give the last one back."""
        if client in self._free_at:
            self._free_at[client] -= self._interval

    def __len__(self) -> int:
        return len(self._free_at)

    def _place(self, client: str, now: float) -> str:
        if client in self._free_at or len(self._free_at) < self._largest:
            return client
        self._free_at = {
            known: free_at for known, free_at in self._free_at.items() if free_at > now
        }
        return client if len(self._free_at) < self._largest else _THE_REST
