"""A whole installation to be maltreated: its processes by name, its database, the proxy before its devices' door."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from deploy.native.home import Home
from deploy.native.state_file import read_state
from services.core.clock import Clock
from services.core.errors import StorageUnavailableError
from services.core.storage.pool import Connection, connect
from tests.faults.proxy import Proxy
from tests.faults.pulse import Pulse
from tests.installation import Installation

T = TypeVar("T")
PATIENCE: Final = 120.0
_LOOK_SECONDS: Final = 0.02
_SQL_PAUSE: Final = 0.1
INGEST_LOCK: Final = 0x696E67657374


class NotWithinError(AssertionError):
    """Something did not come about in all the time it was given."""


@dataclass
class Ground:
    """devices: the proxy that every publisher goes through. Disks: small ones that can be filled, if we may mount."""

    city: Installation
    clock: Clock
    pulse: Pulse
    devices: Proxy
    wal_disk: Path | None = None
    data_disk: Path | None = None

    @property
    def home(self) -> Home:
        return Home(self.city.home)

    # Processes

    def service(self, name: str) -> dict[str, Any]:
        state = read_state(self.home) or {"services": {}}
        entry: dict[str, Any] = state["services"].get(name, {"pid": None, "state": ""})
        return entry

    def pid(self, name: str) -> int | None:
        pid: int | None = self.service(name)["pid"]
        return pid

    def send(self, name: str, number: signal.Signals) -> int | None:
        """Signal one program of the installation; returns the process that it went to, if there is one."""
        pid = self.pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def backends(self, role: str = "") -> list[int]:
        """PostgreSQL's processes, or those that serve a role."""
        return [
            pid
            for pid in self.children("database")
            if not role or f"alatau_{role} " in command_of(pid)
        ]

    def children(self, name: str) -> list[int]:
        parent = self.pid(name)
        with suppress(FileNotFoundError, ProcessLookupError):
            listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            return [int(pid) for pid in listed.split()]
        return []

    async def replaced(self, name: str, former: int | None) -> None:
        """Until another process runs in the former's place and is ready."""

        def is_back() -> bool:
            now = self.service(name)
            return bool(
                now["state"] == "running" and now["pid"] and now["pid"] != former
            )

        await self.until(f"{name} runs again", is_back)

    async def until(
        self, what: str, look: Callable[[], T | None], seconds: float = PATIENCE
    ) -> T:
        deadline = self.clock.monotonic() + seconds
        while not (found := look()):
            if self.clock.monotonic() > deadline:
                raise NotWithinError(f"not within {seconds:.0f} s: {what}")
            await self.clock.sleep(_LOOK_SECONDS)
        return found

    # The database

    @property
    def superuser_dsn(self) -> str:
        return superuser_dsn(self.home)

    async def sql(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work(connection) as the superuser; again and again while the database is away."""
        deadline = self.clock.monotonic() + PATIENCE
        while True:
            try:
                async with self.connection() as connection:
                    return await work(connection)
            except (
                OSError,
                StorageUnavailableError,
                asyncpg.PostgresConnectionError,
                asyncpg.OperatorInterventionError,
                asyncpg.InterfaceError,
            ) as error:
                if self.clock.monotonic() > deadline:
                    raise NotWithinError(f"the database is away: {error}") from error
                await self.clock.sleep(_SQL_PAUSE)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = await connect(self.superuser_dsn, "faults")
        try:
            yield connection
        finally:
            connection.terminate()

    async def fetchval(self, query: str, *arguments: object) -> Any:
        async def ask(connection: Connection) -> Any:
            return await connection.fetchval(query, *arguments)

        return await self.sql(ask)

    @asynccontextmanager
    async def ingest_kept_out(self) -> AsyncIterator[None]:
        """Ingest is killed, and what starts in its place waits for the lock that we hold until the end."""
        async with self.connection() as connection:
            waiting = asyncio.create_task(
                connection.execute("SELECT pg_advisory_lock($1)", INGEST_LOCK)
            )
            await self._until_somebody_waits()
            self.send("ingest", signal.SIGKILL)
            await waiting
            yield

    async def _until_somebody_waits(self) -> None:
        query = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND classid::bigint = $1 AND objid::bigint = $2"
        )
        key = (INGEST_LOCK >> 32, INGEST_LOCK & 0xFFFFFFFF)
        deadline = self.clock.monotonic() + PATIENCE
        while not await self.fetchval(query, *key):
            if self.clock.monotonic() > deadline:
                raise NotWithinError("nobody waits for ingest's lock")
            await self.clock.sleep(_LOOK_SECONDS)

    # A second ingest

    @asynccontextmanager
    async def second_ingest(
        self, *arguments: str, **environment: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """One with a fault of its own, in charge from the first line of the block on; afterwards it is gone.

        The supervised one is killed, comes again, and waits until this one is gone.
        """
        secrets = self.home.secrets
        settings = {
            "ALATAU_DATABASE_URL": f"file:{secrets.path('ingest.dsn')}",
            "ALATAU_BROKER_URL": f"file:{secrets.path('broker.url')}",
            "ALATAU_SECRETS_DIR": str(secrets.folder),
            "ALATAU_LOG_LEVEL": "warning",
        }
        with self.home.log("second-ingest").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "tests.integration.ingest_child", *arguments),
                env={**os.environ, **settings, **environment},
                stdout=log,
                stderr=log,
            )
        try:
            await self._until_somebody_waits()
            self.send("ingest", signal.SIGKILL)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def superuser_dsn(home: Home) -> str:
    """Of the installation's database, over TCP."""
    place = home.secrets.get("owner.dsn").rpartition("@")[2]
    return f"postgresql://postgres:{home.secrets.get('database-superuser')}@{place}"


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
