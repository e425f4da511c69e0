"""The way down: what publishers are told has a connection of its own beside the one that their messages come by.

Mosquitto takes one packet a turn from each connection. Behind the acknowledgements of tens of thousands of messages a second a
receipt would wait for as many turns, and publishers that wait for it with it.
"""

from collections.abc import Iterable
from typing import Protocol


class Outlet(Protocol):
    """core.broker.client.BrokerClient is one."""

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send, at most once each; raises BrokerUnavailableError when there is no connection."""


class Uplink(Outlet, Protocol):
    @property
    def connection(self) -> int: ...


class Own(Outlet, Protocol):
    @property
    def is_connected(self) -> bool: ...

    def renew(self) -> None: ...


class Downlink:
    """While its own connection is not there, the one that messages come by carries both.

    That one hears when the broker is silently gone. When it was made anew, the way of the other is doubtful, too.
    """

    def __init__(self, own: Own, uplink: Uplink) -> None:
        self._own = own
        self._uplink = uplink
        self._connection = uplink.connection

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        outlet: Outlet = self._own if self._own.is_connected else self._uplink
        if self._connection != self._uplink.connection:
            self._connection = self._uplink.connection
            self._own.renew()
            outlet = self._uplink
        await outlet.publish_all(messages)
