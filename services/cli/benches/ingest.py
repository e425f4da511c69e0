"""How fast ingest is on this machine, against what the broker and the database could do without it."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from services.cli.benches.bench_city import bench_city, channels, publishers
from services.cli.benches.limits import counting_subscriber, raw_copy_rate
from services.cli.benches.load import LoadPlan, Progress, running_load
from services.cli.benches.private_servers import Servers, private_servers
from services.core.clock import Clock
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read, tail
from services.core.storage.migrate import migrate
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city

VALUES_PER_MESSAGE: Final = (1, 5, 20)
DEVICES: Final = 200
FILLED_ROWS: Final = 2_000_000
_AHEAD: Final = 20_000  # messages that the generator may be ahead of what has arrived
_POLL_SECONDS: Final = 0.05
_WARM_UP_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Case:
    """The documented JSON of one case. generator_cpu_share: of one core, while ingest was measured."""

    values_per_message: int
    messages_per_second: int
    broker_messages_per_second: int
    broker_ratio: float
    readings_per_second: int
    raw_copy_per_second: int
    ratio: float
    lost: int
    duplicates: int
    generator_cpu_share: float


async def bench_ingest(
    seconds: float,
    clock: Clock,
    say: Say,
    *,
    sizes: Sequence[int] = VALUES_PER_MESSAGE,
    filled_rows: int = FILLED_ROWS,
) -> dict[str, Any]:
    """Measure every message size, each figure for so many seconds, in servers of its own.

    filled_rows: already in the table that the bare COPY goes into.
    """
    names = [name for values in sizes for name in publishers(values, DEVICES)]
    say("starting a private PostgreSQL and Mosquitto")
    with private_servers(names) as servers:
        await migrate(servers.database_url)
        connection = await connect(servers.database_url, "bench")
        try:
            await apply_city(
                connection,
                bench_city(sizes, DEVICES),
                retire=False,
                actor="bench",
                dry_run=False,
            )
            bench = _Bench(servers, connection, seconds, clock, say)
            cases = [await bench.case(values, filled_rows) for values in sizes]
        finally:
            await connection.close()
    return {
        "bench": "ingest",
        "cases": [asdict(case) for case in cases],
        "devices": DEVICES,
        "seconds_per_measurement": seconds,
        "processors": os.cpu_count(),
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    per_second: float
    generator_cpu_share: float


class _Bench:
    def __init__(
        self,
        servers: Servers,
        connection: Connection,
        seconds: float,
        clock: Clock,
        say: Say,
    ) -> None:
        self._servers = servers
        self._connection = connection
        self._seconds = seconds
        self._clock = clock
        self._say = say

    async def case(self, values: int, filled_rows: int) -> Case:
        self._say(f"{values} values a message: the broker alone")
        broker = await self._broker_rate(values)
        self._say(f"  {broker:,.0f} messages/s; ingest")
        ingest, lost, duplicates = await self._ingest_rate(values)
        self._say(f"  {ingest.per_second:,.0f} messages/s; a bare COPY")
        raw = await raw_copy_rate(
            self._connection,
            DEVICES * values,
            filled_rows,
            self._seconds,
            self._clock,
        )
        self._say(f"  {raw:,.0f} rows/s")
        readings = ingest.per_second * values
        return Case(
            values_per_message=values,
            messages_per_second=round(ingest.per_second),
            broker_messages_per_second=round(broker),
            broker_ratio=round(ingest.per_second / broker, 3),
            readings_per_second=round(readings),
            raw_copy_per_second=round(raw),
            ratio=round(readings / raw, 3),
            lost=lost,
            duplicates=duplicates,
            generator_cpu_share=round(ingest.generator_cpu_share, 3),
        )

    def _plan(self, values: int) -> LoadPlan:
        an_hour_ago = self._clock.now_ms() - 3_600_000
        names = publishers(values, DEVICES)
        return LoadPlan(
            port=self._servers.port,
            secrets={name: self._servers.secrets[name] for name in names},
            channels=channels(values),
            first_time_ms=an_hour_ago,
        )

    async def _broker_rate(self, values: int) -> float:
        with (
            tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder,
            counting_subscriber(self._servers, Path(folder)) as subscriber,
            running_load(self._plan(values)) as load,
        ):

            async def count() -> int:
                return subscriber.count

            measured = await self._measure(load, count)
        return measured.per_second

    async def _ingest_rate(self, values: int) -> tuple[_Measured, int, int]:
        done = _Committed(
            self._connection, await tail(self._connection, "observations")
        )
        async with _ingest_process(self._servers):
            with running_load(self._plan(values)) as load:
                measured = await self._measure(load, done.count)
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    while await done.count() < load.sent.value:
                        await self._clock.sleep(_POLL_SECONDS)
                sent = load.sent.value
        stored = await self._connection.fetchval(
            """
            SELECT count(*) FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id)
            WHERE devices.key = ANY($1)
            """,
            publishers(values, DEVICES),
        )
        return measured, sent - stored, done.stored - stored

    async def _measure(
        self, load: Progress, count: Callable[[], Awaitable[int]]
    ) -> _Measured:
        """The rate at which messages arrive while the generator is kept a little ahead of it."""
        began: tuple[float, int, float] | None = None
        load.allowed.value = _AHEAD
        started = self._clock.monotonic()
        while True:
            await self._clock.sleep(_POLL_SECONDS)
            done, now = await count(), self._clock.monotonic()
            load.allowed.value = done + _AHEAD
            if not done:
                started = now
            elif began is None and now - started >= _WARM_UP_SECONDS:
                began = (now, done, load.cpu_seconds.value)
            elif began is not None and now - began[0] >= self._seconds:
                load.allowed.value = 0
                span = now - began[0]
                return _Measured(
                    (done - began[1]) / span,
                    (load.cpu_seconds.value - began[2]) / span,
                )


class _Committed:
    """Messages that the event log says are committed; each has one item here."""

    def __init__(self, connection: Connection, cursor: Cursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._received = 0
        self.stored = 0

    async def count(self) -> int:
        while entries := await read(self._connection, "observations", self._cursor):
            for entry in entries:
                accounts = log_batch.decode(entry.body).accounts
                self._received += int(accounts.received.sum())
                self.stored += int(accounts.stored.sum())
            self._cursor = entries[-1].cursor
        return self._received


@asynccontextmanager
async def _ingest_process(servers: Servers) -> AsyncIterator[None]:
    """`alatau ingest` as a service runs it; ready when it says so."""
    with (
        tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
    ):
        address = f"{folder}/notify"
        notices.bind(address)
        notices.setblocking(False)  # socket's own shape
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from services.cli.app import main; main()",
            "ingest",
            env={
                **os.environ,
                "ALATAU_DATABASE_URL": servers.database_url,
                "ALATAU_BROKER_URL": servers.service_url,
                "ALATAU_LOG_LEVEL": "warning",
                "NOTIFY_SOCKET": address,
            },
        )
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while b"READY=1" not in await loop.sock_recv(notices, 4096):
                pass
        try:
            yield
        finally:
            process.terminate()
            await process.wait()
