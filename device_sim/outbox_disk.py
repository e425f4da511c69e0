"""Puts what outboxes have new on the disk; only then may it be sent."""

import asyncio
import sqlite3
from collections.abc import Mapping

from device_sim.outbox import Changes, Outbox
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Tell


class OutboxDisk:
    def __init__(
        self, file: OutboxFile, outboxes: Mapping[str, Outbox], tell: Tell
    ) -> None:
        self._file = file
        self._outboxes = outboxes
        self._tell = tell
        self._unwritten: list[Changes] = []
        self._turn = asyncio.Lock()

    async def write(self, memory: Mapping[str, bytes]) -> set[str] | None:
        """Whose outbox had something new; None: the disk refused it, and the next write tries it again.

        The thread that writes cannot be cancelled: who is cancelled here waits no longer, and the rest goes on.
        """
        writing = asyncio.create_task(self._write(memory), name="outbox")
        return await asyncio.shield(writing)

    async def _write(self, memory: Mapping[str, bytes]) -> set[str] | None:
        async with self._turn:
            self._unwritten += [
                changes
                for outbox in self._outboxes.values()
                if (changes := outbox.take_changes()) is not None
            ]
            batch = self._unwritten
            if not batch and not memory:
                return set()
            try:
                await asyncio.to_thread(self._file.write, batch, memory)
            except sqlite3.OperationalError as error:
                self._tell(
                    "the outbox cannot be written",
                    action="outbox_failed",
                    error=str(error),
                )
                return None
            self._unwritten = []
        for changes in batch:
            self._outboxes[changes.publisher].on_disk(changes)
        return {changes.publisher for changes in batch}
