"""Messages that came and were not given out yet, and how much memory they take."""

import asyncio
from typing import Final

from services.core.broker.link import Publication

_MESSAGE_BYTES: Final = 300  # what a message costs besides its bytes


class Inbox:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._messages: list[Publication] = []
        self._bytes = 0
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        return self._bytes > self._most_bytes

    @property
    def has_room(self) -> bool:
        return self._bytes < self._most_bytes // 2

    def put(self, messages: list[Publication], wire_bytes: int) -> None:
        self._messages += messages
        self._bytes += wire_bytes + _MESSAGE_BYTES * len(messages)
        if self._messages:
            self._arrived.set()

    def take(self, limit: int) -> list[Publication]:
        """At most limit, in order; their share of the bytes is an average."""
        messages = self._messages
        left = max(0, len(messages) - limit)
        self._bytes = self._bytes * left // len(messages) if messages else 0
        self._messages = messages[limit:]
        return messages[:limit]

    def disturb(self) -> None:
        """Wake who waits, although nothing came."""
        self._arrived.set()

    async def wait(self) -> None:
        """Until something came, or disturb()."""
        self._arrived.clear()
        await self._arrived.wait()
