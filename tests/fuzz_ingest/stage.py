"""Ingest and history as processes of their own, and what can be seen of ingest from outside."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from services.cli.benches.usage import resident_bytes
from services.core.clock import Clock
from tests.stack_fixtures import Broker, free_port

_ALATAU: Final = "from services.cli.app import main; main()"
_COMMITTED: Final = "alatau_ingest_messages_total"
_WAITING: Final = ("alatau_ingest_waiting_items", "alatau_ingest_set_aside_messages")
_FAULTS: Final = re.compile(
    r"Traceback|judge_failed|decode_failed|a fault while reading"
)
_LOOKS: Final = 3
_LOOK_SECONDS: Final = 0.02
_PATIENCE: Final = 30.0
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0


class IngestEndedError(AssertionError):
    """Ingest or history is not the process any more that it was."""


class NotAnsweringError(IngestEndedError):
    """It is there, and does not tell its metrics."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Messages: committed, and taken from the broker but not committed yet."""

    committed: int
    waiting: int


@dataclass
class Watched:
    """Ingest's process: its id, log and metrics; and history, which folds what it wrote."""

    process: asyncio.subprocess.Process
    history: asyncio.subprocess.Process
    log: Path
    metrics: httpx2.Client
    clock: Clock

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def resident(self) -> int:
        """Bytes."""
        return resident_bytes(self.pid)

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    @property
    def faults(self) -> int:
        """Lines of the log that tell of one."""
        return len(_FAULTS.findall(self.log.read_text(errors="replace")))

    async def threads(self) -> int:
        """The least of some looks: an answer to a question about metrics has one of its own for a moment."""
        looks = []
        for _ in range(_LOOKS):
            looks.append(len(os.listdir(f"/proc/{self.pid}/task")))  # noqa: PTH208
            await self.clock.sleep(_LOOK_SECONDS)
        return min(looks)

    def progress(self) -> "Progress":
        """By its own word.

        Raises:
            IngestEndedError: it has ended, or does not answer.
        """
        self.insist()
        try:
            said = self.metrics.get("/metrics").text
        except httpx2.HTTPError as error:
            why = f"ingest does not tell its metrics: {error}"
            raise NotAnsweringError(why) from error
        figures = dict(
            line.rsplit(" ", 1) for line in said.splitlines() if line[:1] != "#"
        )
        waiting = sum(int(float(figures[name])) for name in _WAITING)
        return Progress(int(float(figures[_COMMITTED])), waiting)

    def insist(self) -> None:
        """On its being there."""
        if not self.is_alive:
            raise IngestEndedError(f"ingest ended with {self.process.returncode}")
        if self.history.returncode is not None:
            raise IngestEndedError(f"history ended with {self.history.returncode}")


@asynccontextmanager
async def services(
    broker: Broker, database_url: str, logs: Path, clock: Clock
) -> AsyncIterator[Watched]:
    """Ingest and history; ingest answers for its metrics."""
    settings = {
        "ALATAU_DATABASE_URL": database_url,
        "ALATAU_BROKER_URL": broker.service_url,
        "ALATAU_LOG_LEVEL": "warning",
    }
    port = free_port()
    metrics = {"ALATAU_METRICS_PORT": str(port)}
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE) as asked:
        async with (
            _service("ingest", settings | metrics, logs) as ingest,
            _service("history", settings, logs) as history,
        ):
            watched = Watched(ingest, history, logs / "ingest.log", asked, clock)
            await _until_it_answers(watched)
            yield watched


@asynccontextmanager
async def _service(
    name: str, settings: dict[str, str], logs: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    with (logs / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ALATAU, name),
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until_it_answers(watched: Watched) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            try:
                watched.progress()
            except NotAnsweringError:
                await watched.clock.sleep(_LOOK_SECONDS)
            else:
                return
