"""Tells the event log's readers that there is something new: after the commit, and at most every 10 ms."""

import asyncio
from typing import Final

from services.core.clock import Clock
from services.core.storage.event_log import wake_consumers
from services.core.storage.transient import is_transient
from services.ingest.side_connection import SideConnection

_LEAST_SECONDS: Final = 0.01


class Waker:
    """While its connection is gone nobody is woken, and the readers' polling does."""

    def __init__(self, connection: SideConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._due = asyncio.Event()

    def wake(self) -> None:
        self._due.set()

    async def run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await wake_consumers(await self._connection.get(), "observations")
            except Exception as error:
                if not is_transient(error):
                    raise
            await self._clock.sleep(_LEAST_SECONDS)
