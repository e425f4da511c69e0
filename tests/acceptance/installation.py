"""A whole installation, as a person starts it: `alatau up --detach`, `status --json`, `down`."""

import asyncio
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from services.core.clock import SystemClock
from services.core.storage.pool import Connection, connect

T = TypeVar("T")
ALATAU = [sys.executable, str(Path(sys.executable).with_name("alatau"))]
PORTS = 10
LOOK_SECONDS = 0.05


def free_port_base() -> int:
    """The first of ten ports in a row that are free now."""
    for base in range(20_000 + os.getpid() % 1_000 * 20, 60_000, PORTS):
        try:
            for port in range(base, base + PORTS):
                with closing(socket.socket()) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise RuntimeError("no ten free ports in a row")


@dataclass
class Installation:
    home: Path
    port_base: int

    def command(self, *arguments: str, check: bool = True) -> str:
        """What `alatau ARGUMENTS` on this home prints; its errors fail the test."""
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith("ALATAU_")
        }
        done = subprocess.run(
            [*ALATAU, *arguments],
            env={**environment, "ALATAU_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, (
            f"alatau {arguments}: {done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def up(self, *arguments: str) -> str:
        return self.command(
            "up", "--detach", "--port-base", str(self.port_base), *arguments
        )

    def down(self) -> None:
        self.command("down")

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(
            self.command("status", "--json", check=False)
        )
        return document

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
def installation(name: str) -> Iterator[Installation]:
    """An empty home that the system user can reach; whatever runs in it is stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"alatau-{name}-", dir="/tmp"))
    folder.chmod(0o755)
    made = Installation(folder / "home", free_port_base())
    try:
        yield made
    finally:
        made.command("down", check=False)
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
