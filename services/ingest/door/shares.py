"""Bytes of bodies under way: nobody takes so many that others find no room."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from services.ingest.door.problems import TooManyRequestsError

_ALL: Final = "*"
_UNPROVEN: Final = "?"
_OWN_SHARE: Final = 1 / 4
_UNPROVEN_SHARE: Final = 1 / 2  # of all who have proved nothing yet together


@dataclass(frozen=True, slots=True)
class Owner:
    """name: a publisher that has proved to be it; else whom somebody says to be, and from where."""

    name: str
    is_proven: bool


class Shares:
    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._taken: Counter[str] = Counter()

    @contextmanager
    def of(self, owner: Owner) -> Iterator[Callable[[int], None]]:
        """Gives what takes so many bytes more, or raises TooManyRequestsError; at the end all are given back."""
        parts = {_ALL: 1.0, owner.name: _OWN_SHARE}
        if not owner.is_proven:
            parts[_UNPROVEN] = _UNPROVEN_SHARE
        own = 0

        def take(size: int) -> None:
            nonlocal own
            for name, share in parts.items():
                if self._taken[name] + size > share * self._most:
                    raise TooManyRequestsError(
                        "Too many bodies are on their way.", retry_after=1
                    )
            own += size
            self._add(parts, size)

        try:
            yield take
        finally:
            self._add(parts, -own)

    def _add(self, names: Iterable[str], size: int) -> None:
        for name in names:
            self._taken[name] += size
            if not self._taken[name]:
                del self._taken[name]
