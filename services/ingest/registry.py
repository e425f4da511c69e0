"""The registry as ingest sees it: a snapshot, brought up to date every second and before anything is refused."""

import asyncio
from typing import Final

from services.core.clock import Clock
from services.core.storage.registry_snapshot import RegisteredDevice, RegistrySnapshot
from services.ingest import metrics
from services.ingest.side_connection import SideConnection

_LEAST_SECONDS: Final = 0.1  # between two looks at the database


class Registry:
    def __init__(self, connection: SideConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._snapshot = RegistrySnapshot()
        self._looked_at = -_LEAST_SECONDS
        self._turn = asyncio.Lock()
        self._rates: dict[str, float] = {}

    async def refresh(self) -> bool:
        """Whether the registry changed since it was read last. Waits its turn: at most ten looks a second."""
        async with self._turn:
            early = self._looked_at + _LEAST_SECONDS - self._clock.monotonic()
            if early > 0:
                await self._clock.sleep(early)
            changed = await self._snapshot.refresh(await self._connection.get())
            self._looked_at = self._clock.monotonic()
        if changed:
            self._rates.clear()
        metrics.REGISTRY_REVISION.set(self._snapshot.revision)
        return changed

    @property
    def revision(self) -> int:
        return self._snapshot.revision

    def device(self, key: str) -> RegisteredDevice | None:
        """key: a device id, or an external id as `scheme:value`."""
        return self._snapshot.named(key)

    def messages_a_second(self, key: str) -> float:
        """What a publisher and the devices that it hosts declare together; 0: nothing."""
        rate = self._rates.get(key)
        if rate is None:
            device = self._snapshot.device(key)
            rate = 0.0 if device is None else self._snapshot.declared_rate(device)
            self._rates[key] = rate
        return rate

    def id_of(self, key: str) -> int | None:
        device = self._snapshot.device(key)
        return None if device is None else device.device_id

    def key_of(self, device_id: int) -> str | None:
        device = self._snapshot.by_id(device_id)
        return None if device is None else device.key
