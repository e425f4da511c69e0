"""A whole installation, as a person starts it: `alatau up --detach`, `status --json`, `down`."""

import asyncio
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from deploy.native.home import Ports, PortTakenError, refuse_taken_ports
from services.core.clock import SystemClock
from services.core.storage.pool import Connection, connect
from tests.stack_fixtures import free_port

T = TypeVar("T")
ALATAU = [sys.executable, str(Path(sys.executable).with_name("alatau"))]
HIGHEST_BASE = 65_000
LOOK_SECONDS = 0.05


def free_port_base() -> int:
    """The first of ten ports in a row that are free now."""
    while True:
        base = min(free_port(), HIGHEST_BASE)
        with suppress(PortTakenError):
            refuse_taken_ports(Ports(base))
            return base


@dataclass
class Installation:
    home: Path
    port_base: int

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`alatau ARGUMENTS` on this home, whatever comes of it; env: of it alone."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ALATAU_")
        }
        return subprocess.run(
            [*ALATAU, *arguments],
            env={**inherited, "ALATAU_HOME": str(self.home), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def command(self, *arguments: str, **env: str) -> str:
        """What it prints; its errors fail the test."""
        done = self.run(*arguments, **env)
        assert done.returncode == 0, f"alatau {arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def try_up(self, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            "up", "--detach", "--port-base", str(self.port_base), *more, **env
        )

    def up(self, *more: str, **env: str) -> None:
        started = self.try_up(*more, **env)
        assert started.returncode == 0, started.stdout + started.stderr

    def down(self) -> None:
        self.command("down")

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return document

    def service(self, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = self.status()["services"][name]
        return entry

    def secret_of(self, device: str) -> str:
        with (self.home / "secrets" / "devices.csv").open(encoding="utf-8") as table:
            return {row["device"]: row["secret"] for row in csv.DictReader(table)}[
                device
            ]

    @property
    def operator_password(self) -> str:
        return (self.home / "secrets" / "operator").read_text(encoding="utf-8").strip()

    def get(self, url: str, token: str | None = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.get(url, headers=headers, timeout=10)

    def query(self, work: Callable[[Connection], Any]) -> Any:
        """Run work(connection) as the database's owner."""
        dsn = (self.home / "secrets" / "owner.dsn").read_text(encoding="utf-8").strip()

        async def run() -> Any:
            connection = await connect(dsn, "test")
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(run())


@contextmanager
def installation(prefix: str, name: str = "home") -> Iterator[Installation]:
    """Not started; an empty home that the system user can reach. What runs in it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"alatau-{prefix}-", dir="/tmp"))
    folder.chmod(0o755)
    made = Installation(folder / name, free_port_base())
    try:
        yield made
    finally:
        made.run("down")
        shutil.rmtree(folder, ignore_errors=True)


def until(what: str, look: Callable[[], T | None], seconds: float = 20.0) -> T:
    """The first true answer of look(); fails with what when there is none in time."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while not (found := look()):
        assert clock.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        asyncio.run(clock.sleep(LOOK_SECONDS))
    return found


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
