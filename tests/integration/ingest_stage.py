"""A running ingest on a real broker and database, and devices to speak to it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from deploy.native.mosquitto import ingest_filters
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.topics import UpKind, down_topic, up_topic
from services.core.clock import SystemClock
from services.core.settings import Settings
from services.core.storage.ledger import Ledger, read_ledger
from services.core.storage.pool import Connection, connect
from services.ingest.service import run_ingest
from tests.stack_fixtures import Broker

PATIENCE = 30.0
CLOCK = SystemClock()
# A round moment within every time window.
T0 = CLOCK.now_ms() // 60_000 * 60_000 - 600_000


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """For what another process or task does in its own time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


@dataclass
class Speaker:
    """A device with its credentials; keeps the receipts that it gets."""

    name: str
    client: BrokerClient
    receipts: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, message: object, kind: UpKind = "data") -> None:
        payload = (
            message if isinstance(message, bytes) else json.dumps(message).encode()
        )
        await self.client.publish(up_topic(self.name, kind), payload)

    async def values(self, time_ms: int, /, **values: object) -> None:
        await self.send({"time": time_ms, "values": values})

    async def receipt(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            (message,) = await self.client.receive(1)
        receipt: dict[str, Any] = json.loads(message.payload)
        return receipt


@dataclass
class Stage:
    settings: Settings
    broker: Broker
    database: Connection

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[asyncio.Task[None]]:
        """Ingest in this process, until the block ends; then it stops in order."""
        stop = asyncio.Event()
        running = asyncio.create_task(
            run_ingest(self.settings, CLOCK, random.Random(1), stop)
        )
        try:
            yield running
        finally:
            stop.set()
            async with asyncio.timeout(PATIENCE):
                await running

    @asynccontextmanager
    async def device(self, name: str) -> AsyncIterator[Speaker]:
        secret = self.broker.secrets.get(name) or self.broker.add_device(name)
        url = f"mqtt://{name}:{secret}@127.0.0.1:{self.broker.port}"
        options = ClientOptions(url, shortest_pause=0.01, longest_pause=0.05)
        async with BrokerClient(options) as client:
            await client.subscribe([down_topic(name, "receipt")])
            yield Speaker(name, client)

    async def ledger(self) -> Ledger:
        return await read_ledger(self.database)

    async def settled(self, received: int) -> Ledger:
        """The ledger once so many items are accounted for."""

        async def all_are() -> bool:
            total = (await self.ledger()).total
            return total.received - total.waiting >= received

        await until(all_are)
        ledger = await self.ledger()
        assert ledger.balanced
        return ledger

    async def rows(self, device: str) -> dict[int, list[float | None]]:
        """A device's results by milliseconds after T0."""
        rows = await self.database.fetch(
            """
            SELECT (extract(epoch FROM phenomenon_time) * 1000)::bigint AS time_ms, results
            FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id)
            WHERE key = $1 ORDER BY phenomenon_time
            """,
            device,
        )
        return {row["time_ms"] - T0: row["results"] for row in rows}

    async def quality(self, device: str) -> dict[int, list[int] | None]:
        rows = await self.database.fetch(
            """
            SELECT (extract(epoch FROM phenomenon_time) * 1000)::bigint AS time_ms, quality
            FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id) WHERE key = $1
            """,
            device,
        )
        return {row["time_ms"] - T0: row["quality"] for row in rows}

    async def rejected(self) -> list[tuple[str, str, str | None, int | None]]:
        """(scope, reason, channel, item index), in the order of their ids."""
        rows = await self.database.fetch(
            "SELECT scope, reason, channel, item_index FROM rejected_messages ORDER BY rejected_id"
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def ingest_stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    settings = Settings.model_validate(
        {"database_url": database_url, "broker_url": broker.service_url}
    )
    await _subscribe_once(broker)
    connection = await connect(database_url, "test")
    try:
        yield Stage(settings, broker, connection)
    finally:
        await connection.close()


async def _subscribe_once(broker: Broker) -> None:
    """As in a real installation: devices are let in when ingest's session stands; from then on it is queued for."""
    options = ClientOptions(broker.service_url, clean_session=False, manual_ack=True)
    async with BrokerClient(options) as client:
        await client.subscribe(ingest_filters())
