"""Two sources as one: the broker's and the HTTPS door's, in fair turns, each held back on its own."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Self

from services.core.broker.link import Publication
from services.ingest.door.waiting import WaitingRoom
from services.ingest.source import Source

_AT_ONCE: Final = 250  # taken from the broker ahead of being asked for


class MergedSource:
    """Enter it; while the broker's share is not asked for, the next is left with its client, which holds it back."""

    def __init__(self, broker: Source, room: WaitingRoom) -> None:
        self._broker = broker
        self._room = room
        self._from_broker: list[Publication] = []
        self._taken = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._fetch(), name="ingest.merge")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._pump

    @property
    def connection(self) -> int:
        return self._broker.connection

    async def receive(self, limit: int) -> list[Publication]:
        """At least one; when both have something, each gives up to half.

        Raises:
            whatever broke the broker's client or the door beyond repair.
        """
        while not self._from_broker and not len(self._room):
            if self._room.failure is not None:
                raise self._room.failure
            self._room.arrived.clear()
            await self._room.arrived.wait()
        half = max(1, limit // 2)
        taken = self._room.take(half)
        taken += self._from_broker[:half]
        del self._from_broker[:half]
        if not self._from_broker:
            self._taken.set()
        return taken

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        self._broker.acknowledge(publications)
        if self._room.unacknowledged:
            self._room.acknowledge(publications)

    async def round_trip(self) -> int:
        undelivered = await self._broker.round_trip()
        return undelivered + len(self._from_broker) + len(self._room)

    async def _fetch(self) -> None:
        """The broker's next share, as soon as the last one is taken."""
        try:
            while True:
                self._from_broker += await self._broker.receive(_AT_ONCE)
                self._taken.clear()
                self._room.arrived.set()
                await self._taken.wait()
        except Exception as error:  # noqa: BLE001 # receive() raises it
            self._room.fail(error)
