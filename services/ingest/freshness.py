"""PURE: whether all that the broker had a moment ago is committed; only then may silence mean anything.

A round trip to the broker divides what came before from what comes after. When all that came before is
committed, we are as fresh as the moment the round trip began.
"""

from dataclasses import dataclass
from typing import Final

_FRESH_SECONDS: Final = 3.0
_FULL_WINDOW: Final = (
    2_000  # unacknowledged messages; with more the broker may be holding others back
)


@dataclass(frozen=True, slots=True)
class _Mark:
    asked_at: float
    received: int


class Freshness:
    """Times are monotonic seconds; counts are of messages since the start."""

    def __init__(self) -> None:
        self._received = 0
        self._committed = 0
        self._mark: _Mark | None = None
        self._fresh_as_of: float | None = None

    def receive(self, count: int) -> None:
        self._received += count

    def commit(self, count: int) -> None:
        self._committed += count
        self._advance()

    def round_trip(self, asked_at: float, undelivered: int) -> None:
        """A round trip that began at asked_at is over; undelivered: came before it and is not received yet."""
        received = self._received + undelivered
        if received - self._committed < _FULL_WINDOW and self._mark is None:
            self._mark = _Mark(asked_at, received)
            self._advance()

    def lose(self) -> None:
        """The connection went: the broker may have gathered messages for us."""
        self._mark = self._fresh_as_of = None

    def is_fresh(self, now: float) -> bool:
        return (
            self._fresh_as_of is not None and now - self._fresh_as_of <= _FRESH_SECONDS
        )

    def _advance(self) -> None:
        if self._mark is not None and self._committed >= self._mark.received:
            self._fresh_as_of, self._mark = self._mark.asked_at, None
