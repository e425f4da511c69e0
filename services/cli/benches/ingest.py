"""How fast the whole platform takes data in on this machine, against what broker and database could do without it."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from services.cli.benches.bench_city import MEASURED, bench_city, publishers
from services.cli.benches.consumers import live_watcher, running_services
from services.cli.benches.ingest_case import Case, Limits, PipelineRun
from services.cli.benches.limits import (
    DiskFlush,
    RawCopy,
    counting_subscriber,
    disk_flush,
)
from services.cli.benches.load import LoadPlan, Progress, running_load
from services.cli.benches.prefill import prefill
from services.cli.benches.private_servers import Servers, free_port, private_servers
from services.cli.benches.spending import Spending
from services.core.city_folder import load_city
from services.core.clock import Clock
from services.core.rule_folder import load_rules
from services.core.storage.migrate import migrate
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from services.core.storage.rule_store import apply_rules, load_vocabulary

SHIPPED: Final = Path(__file__).parents[3] / "deploy" / "city"
VALUES_PER_MESSAGE: Final = (1, 5, 20)
_LONGEST_LIMIT_SECONDS: Final = 15.0  # of a figure that only sets the measure
_AHEAD: Final = 20_000  # messages under way towards the bare subscriber
_POLL_SECONDS: Final = 0.05
_UNRECEIPTED: Final = 30  # messages of a publisher
_ACTOR: Final = "bench"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """seconds: of the sustained load. prefilled: readings in the store, and rows under the bare COPY, before."""

    seconds: float = 60.0
    prefilled: int = 50_000_000
    devices: int = 1_000
    sizes: Sequence[int] = VALUES_PER_MESSAGE

    @property
    def limit_seconds(self) -> float:
        return min(self.seconds, _LONGEST_LIMIT_SECONDS)


async def bench_ingest(options: BenchOptions, clock: Clock, say: Say) -> dict[str, Any]:
    """Measure every message size, in servers of its own."""
    names = [
        name for values in options.sizes for name in publishers(values, options.devices)
    ]
    say("starting a private PostgreSQL and Mosquitto")
    with private_servers(names) as servers:
        await migrate(servers.database_url)
        connection = await connect(servers.database_url, "bench")
        try:
            bench = _Bench(servers, connection, options, clock, say)
            await bench.prepare()
            disk = await bench.disk_flush()
            cases = [await bench.case(values) for values in options.sizes]
        finally:
            await connection.close()
    return {
        "bench": "ingest",
        "disk_flush_ms": asdict(disk),
        "cases": [asdict(case) for case in cases],
        "publishers": options.devices,
        "seconds": options.seconds,
        "prefilled_readings": options.prefilled,
        "processors": os.cpu_count(),
    }


class _Bench:
    def __init__(
        self,
        servers: Servers,
        connection: Connection,
        options: BenchOptions,
        clock: Clock,
        say: Say,
    ) -> None:
        self._servers = servers
        self._connection = connection
        self._options = options
        self._clock = clock
        self._say = say
        most = options.devices * max(options.sizes)
        self._raw_copy = RawCopy(connection, most, clock)

    async def prepare(self) -> None:
        """The registry with the shipped rulebook, and the store as after a day's work."""
        options, connection = self._options, self._connection
        shipped = load_city(SHIPPED / "alatau.yaml")
        city = bench_city(shipped, options.sizes, options.devices)
        await apply_city(connection, city, retire=False, actor=_ACTOR, dry_run=False)
        rules = load_rules([SHIPPED / "rules"], await load_vocabulary(connection))
        await apply_rules(connection, rules, _ACTOR, retire=False, dry_run=False)
        self._say(f"filling {options.prefilled:,} readings into the store")
        await prefill(
            connection,
            options.sizes,
            options.prefilled,
            self._clock.now_ms(),
            self._say,
        )
        self._say(f"filling {options.prefilled:,} rows below the bare COPY")
        await self._raw_copy.fill(options.prefilled)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")

    async def disk_flush(self) -> DiskFlush:
        self._say("the disk alone")
        folder, seconds = self._servers.mosquitto.folder, self._options.limit_seconds
        return await asyncio.to_thread(disk_flush, folder, seconds, self._clock)

    async def case(self, values: int) -> Case:
        self._say(f"{values} values a message: the broker alone")
        broker = await self._broker_rate(values)
        self._say(f"  {broker:,.0f} messages/s; a bare COPY")
        series = self._options.devices * values
        raw = await self._raw_copy.rate(series, self._options.limit_seconds)
        self._say(f"  {raw:,.0f} rows/s; the whole platform")
        async with AsyncExitStack() as opened:
            run = await self._pipeline(values, opened)
            case = await run.case(Limits(values, broker, raw))
        self._say(f"  {case.messages_per_second:,} messages/s")
        return case

    async def _broker_rate(self, values: int) -> float:
        with (
            tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder,
            counting_subscriber(self._servers, Path(folder)) as subscriber,
            running_load(self._plan(values, 0)) as load,
        ):
            return await self._limit(load, lambda: subscriber.count)

    async def _limit(self, load: Progress, count: Callable[[], int]) -> float:
        """The rate at which messages arrive while the generator is kept a little ahead of it."""
        warm_up = min(1.0, self._options.limit_seconds)
        began_at, began = self._clock.monotonic() + warm_up, 0
        while (now := self._clock.monotonic()) < began_at + self._options.limit_seconds:
            if now < began_at:
                began = count()
            load.allowed.value = count() + _AHEAD
            await self._clock.sleep(_POLL_SECONDS)
        return (count() - began) / (now - began_at)

    async def _pipeline(self, values: int, opened: AsyncExitStack) -> PipelineRun:
        """All services, an operator who watches a value of each publisher, and the publishers."""
        port = free_port()
        pids = await opened.enter_async_context(running_services(self._servers, port))
        watched = f"observed_property={MEASURED[0][0]}"
        watcher = await opened.enter_async_context(
            live_watcher(self._connection, port, watched, self._clock)
        )
        most = _UNRECEIPTED * self._options.devices
        load = opened.enter_context(running_load(self._plan(values, most)))
        processes = {**pids, "generator": load.pid, "bench": os.getpid()}
        return PipelineRun(
            self._connection,
            load,
            Spending(self._servers, self._connection, processes),
            watcher,
            self._options.seconds,
            self._clock,
        )

    def _plan(self, values: int, unreceipted: int) -> LoadPlan:
        names = publishers(values, self._options.devices)
        return LoadPlan(
            port=self._servers.port,
            secrets={name: self._servers.secrets[name] for name in names},
            values=dict(MEASURED[:values]),
            epoch=self._clock.now_ms() // 1000,
            unreceipted=unreceipted,
        )
