"""What one publisher's flood does to the others: their receipts' latency without it and beside it."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.cli.benches.bench_city import MEASURED, bench_city, publishers
from services.cli.benches.consumers import running_services
from services.cli.benches.ingest import SHIPPED, Say
from services.cli.benches.load import Latencies, LoadPlan, Progress, running_load
from services.cli.benches.private_servers import Servers, free_port, private_servers
from services.core.city_folder import load_city
from services.core.clock import Clock
from services.core.storage.ledger import read_ledger
from services.core.storage.migrate import migrate
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city

VALUES: Final = 5
_SETTLING_SECONDS: Final = 5.0  # the flood is found out meanwhile
_PATIENCE_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class FairnessOptions:
    """rate: of all live publishers together, messages a second. backlog: messages of the one that floods."""

    seconds: float = 30.0
    live: int = 200
    rate: float = 400.0
    backlog: int = 500_000


async def bench_fairness(
    options: FairnessOptions, clock: Clock, say: Say
) -> dict[str, Any]:
    """Measure in servers of its own."""
    names = publishers(VALUES, options.live + 1)
    say("starting a private PostgreSQL and Mosquitto, and all services")
    async with AsyncExitStack() as opened:
        servers = opened.enter_context(private_servers(names))
        await migrate(servers.database_url)
        connection = await connect(servers.database_url, "bench")
        opened.push_async_callback(connection.close)
        city = bench_city(load_city(SHIPPED / "alatau.yaml"), [VALUES], len(names))
        await apply_city(connection, city, retire=False, actor="bench", dry_run=False)
        await opened.enter_async_context(running_services(servers, free_port()))
        others = _plan(servers, names[:-1], clock)
        returning = _plan(servers, names[-1:], clock, saved_up=options.backlog)
        live = opened.enter_context(running_load(others))
        flood = opened.enter_context(running_load(returning))
        return await _Run(connection, live, flood, options, clock, say).measure()


class _Run:
    def __init__(
        self,
        connection: Connection,
        live: Progress,
        flood: Progress,
        options: FairnessOptions,
        clock: Clock,
        say: Say,
    ) -> None:
        self._connection = connection
        self._live = live
        self._flood = flood
        self._options = options
        self._clock = clock
        self._say = say

    async def measure(self) -> dict[str, Any]:
        options = self._options
        self._live.rate.value, self._live.together.value = options.rate, 1
        self._live.allowed.value = 1 << 60
        self._say(f"{options.rate:g} messages/s of {options.live} publishers")
        calm = await self._latencies()
        self._say(f"{options.backlog:,} messages of one more, as fast as it can")
        self._flood.allowed.value = options.backlog
        flooded = await self._latencies()
        self._live.allowed.value = 0
        under_way = await self._connection.fetchval("SELECT count(*) FROM set_aside")
        self._say(f"waiting for the rest ({under_way:,} on disk)")
        stored = await self._settled()
        sent = self._live.sent.value + self._flood.sent.value
        return {
            "bench": "fairness",
            **asdict(options),
            "calm": _milliseconds(calm),
            "flooded": _milliseconds(flooded),
            "p99_ratio": round(flooded.p99 / calm.p99, 3),
            "flood_sent": self._flood.sent.value,
            "on_disk_at_the_end": under_way,
            "lost": sent - stored,
        }

    async def _latencies(self) -> Latencies:
        await self._clock.sleep(_SETTLING_SECONDS)
        self._live.take_latencies()
        await self._clock.sleep(self._options.seconds)
        return self._live.take_latencies()

    async def _settled(self) -> int:
        """Items in the store, once all that was sent has met its fate."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                await self._clock.sleep(_POLL_SECONDS)
                total = (await read_ledger(self._connection)).total
                sent = self._live.sent.value + self._flood.sent.value
                if total.received - total.waiting >= sent:
                    return total.stored


def _plan(
    servers: Servers, names: list[str], clock: Clock, saved_up: int = 0
) -> LoadPlan:
    return LoadPlan(
        port=servers.port,
        secrets={name: servers.secrets[name] for name in names},
        values=dict(MEASURED[:VALUES]),
        epoch=clock.now_ms() // 1000,
        saved_up=saved_up,
    )


def _milliseconds(latencies: Latencies) -> dict[str, float]:
    return {
        "receipts": latencies.count,
        "p50": round(latencies.p50 * 1e3, 1),
        "p99": round(latencies.p99 * 1e3, 1),
        "worst": round(latencies.worst * 1e3, 1),
    }
