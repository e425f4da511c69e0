"""The way down: what publishers are told has a connection of its own beside the one that their messages come by.

Mosquitto takes one packet a turn from each connection. Behind the acknowledgements of tens of thousands of messages a second a
receipt would wait for as many turns, and publishers that wait for it with it.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol, Self


class Outlet(Protocol):
    """core.broker.client.BrokerClient is one."""

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send, at most once each; raises BrokerUnavailableError when there is no connection."""


class Uplink(Outlet, Protocol):
    async def wait_connected(self) -> int: ...

    async def wait_lost(self) -> None: ...

    async def wait_written(self) -> None: ...


class Own(Outlet, Protocol):
    @property
    def is_connected(self) -> bool: ...

    def renew(self) -> None: ...


class Downlink:
    """Enter it. While its own connection is not there, the one that messages come by carries both.

    That one hears within seconds when the broker is silently gone; the other, which hears nothing, ends with it.
    """

    def __init__(self, own: Own, uplink: Uplink) -> None:
        self._own = own
        self._uplink = uplink

    async def __aenter__(self) -> Self:
        self._ending = asyncio.create_task(self._end_together(), name="ingest.downlink")
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._ending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ending

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        # A receipt lets its publisher go on. Ahead of the acknowledgements it would let all of them go on until the broker
        # keeps more unacknowledged messages than it may.
        await self._uplink.wait_written()
        outlet: Outlet = self._own if self._own.is_connected else self._uplink
        await outlet.publish_all(messages)

    async def _end_together(self) -> None:
        while True:
            await self._uplink.wait_connected()
            await self._uplink.wait_lost()
            self._own.renew()
