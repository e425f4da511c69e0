"""Ends sessions of devices at the broker: on the door's own listener a client id may be taken over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from services.core.broker import users
from services.core.broker.client import BrokerClient
from services.core.broker.options import ClientOptions
from services.core.broker.passwords import hash_secret, new_secret

TAKE_OVER_SECONDS = 2.0
_AT_ONCE = 8  # the broker lets ten wait at its socket


@dataclass(frozen=True)
class BrokerSessions:
    """The secret lives as long as the door: it writes the hash into the broker's file itself."""

    door_socket: Path
    secret: str = field(default_factory=new_secret, repr=False)

    def users(self) -> dict[str, str]:
        return {users.DOOR: hash_secret(self.secret)}

    async def end(self, devices: Sequence[str]) -> bool:
        """Whether none of them has the session it had; one that may connect is back in a moment."""
        if devices and not await self._is_served():
            return True
        for start in range(0, len(devices), _AT_ONCE):
            if not await self._end_some(devices[start : start + _AT_ONCE]):
                return False
        return True

    async def _end_some(self, devices: Sequence[str]) -> bool:
        async with asyncio.TaskGroup() as group:
            ended = [group.create_task(self._take_over(device)) for device in devices]
        return all(task.result() for task in ended)

    async def _take_over(self, device: str) -> bool:
        user, secret = quote(users.DOOR), quote(self.secret, safe="")
        options = ClientOptions(
            url=f"unix://{user}:{secret}@localhost{quote(str(self.door_socket))}",
            client_id=device,
            shortest_pause=0.05,
            longest_pause=0.2,
        )
        try:
            async with asyncio.timeout(TAKE_OVER_SECONDS), BrokerClient(options) as it:
                await it.wait_connected()
        except TimeoutError:
            return False
        return True

    async def _is_served(self) -> bool:
        """A broker that does not run has no sessions, and lets in by its newest files when it starts."""
        try:
            _, writer = await asyncio.open_unix_connection(self.door_socket)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        writer.close()
        await writer.wait_closed()
        return True
