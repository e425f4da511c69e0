"""Tells the event log's readers that there is something new: after the commit, and at most every 10 ms."""

import asyncio
from typing import Final

from services.core.clock import Clock
from services.core.storage.event_log import wake_consumers
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient

_LEAST_SECONDS: Final = 0.01


class Waker:
    """Has a connection of its own; while that is gone nobody is woken, and the readers' polling does."""

    def __init__(self, dsn: str, clock: Clock) -> None:
        self._dsn = dsn
        self._clock = clock
        self._due = asyncio.Event()
        self._connection: Connection | None = None

    def wake(self) -> None:
        self._due.set()

    async def run(self) -> None:
        try:
            while True:
                await self._due.wait()
                self._due.clear()
                await self._wake()
                await self._clock.sleep(_LEAST_SECONDS)
        finally:
            if self._connection is not None:
                self._connection.terminate()

    async def _wake(self) -> None:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._dsn, "ingest-wake")
            await wake_consumers(self._connection, "observations")
        except Exception as error:
            if not is_transient(error):
                raise
