"""Keeps one program running: start, readiness, restart with growing pauses and no limit, stop."""

import asyncio
import datetime as dt
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from deploy.native.child import child_command
from deploy.native.notices import Notices
from services.core.clock import Clock

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
EARN_SECONDS = 5.0  # a start takes about one second of a processor
MOST_SPARE = 6.0
WATCHDOG_SECONDS = 30.0
PROBE_SECONDS = 0.05
YIELD_SECONDS = 1.0


class State(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Program:
    """probe: tells by the process id whether it is ready; without one it says so by sd_notify."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    probe: Callable[[int], bool] | None = None
    before_start: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


@dataclass(frozen=True)
class Surroundings:
    """What all programs of a stack share; changed: called after every change of state."""

    clock: Clock
    run: Path
    logs: Path
    changed: Callable[[], None]


@dataclass
class Backoff:
    """Pauses between restarts: they double up to the longest; every five seconds of life earn one quick restart.

    What is killed now and then, even several times a minute, is back at once; what cannot live slows down.
    """

    crashes_in_a_row: int = 0
    spare: float = 0.0

    def pause_after(self, seconds_lived: float) -> float:
        self.spare = min(self.spare + seconds_lived / EARN_SECONDS, MOST_SPARE)
        if self.spare >= 1.0:
            self.spare -= 1.0
            self.crashes_in_a_row = 0
        pause = min(FIRST_PAUSE * 2.0 ** min(self.crashes_in_a_row, 16), LONGEST_PAUSE)
        self.crashes_in_a_row += 1
        return pause


class Supervised:
    """yields_to: one that comes first when both have ended; a start beside it would take half of its processor."""

    def __init__(
        self,
        program: Program,
        surroundings: Surroundings,
        yields_to: "Supervised | None" = None,
    ) -> None:
        self.program = program
        self.state = State.WAITING
        self.pid: int | None = None
        self.restarts = 0
        self.since = surroundings.clock.now()
        self.last_end = ""
        self.ready = asyncio.Event()
        self._surroundings = surroundings
        self._yields_to = yields_to
        self._backoff = Backoff()
        self._stop = asyncio.Event()
        self._planned_restart = False
        self._notices: Notices | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> str:
        return self._notices.status if self._notices else ""

    @property
    def name(self) -> str:
        return self.program.name

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"supervise {self.name}")

    def restart(self) -> None:
        """A wanted restart: at once, and not counted as a crash."""
        self._planned_restart = True
        self._signal(self.program.stop_signal)

    async def stop(self) -> None:
        self._stop.set()
        if self._task is None:
            return
        if self.pid is not None:
            self._change(State.STOPPING)
            self._signal(self.program.stop_signal)
        try:
            async with asyncio.timeout(self.program.stop_seconds):
                await asyncio.shield(self._task)
        except TimeoutError:
            self.kill()
            await self._task

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _run(self) -> None:
        while not self._stop.is_set():
            started = self._surroundings.clock.monotonic()
            await self._live_once()
            if self._stop.is_set():
                break
            if self._planned_restart:
                self._planned_restart, self.last_end = False, ""
                continue
            lived = self._surroundings.clock.monotonic() - started
            self.restarts += 1
            self._change(State.RESTARTING)
            await self._pause(self._backoff.pause_after(lived))
            await self._let_past()
        self._change(State.STOPPED)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _let_past(self) -> None:
        if self._yields_to is None:
            return
        events = (self._yields_to.ready, self._stop)
        waits = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(
            waits, timeout=YIELD_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()

    async def _live_once(self) -> None:
        path = self._surroundings.run / f"{self.name}.notify"
        self._notices = Notices(path, self._surroundings.clock)
        ear = self._notices.open()
        try:
            process = await self._spawn(path)
            if process is None:
                return
            self.pid = process.pid
            self._change(State.STARTING)
            watch = asyncio.create_task(self._watch(self._notices, process.pid))
            try:
                code = await process.wait()
            finally:
                watch.cancel()
            self.last_end = _describe_end(code)
        finally:
            self.pid = None
            self.ready.clear()
            self._notices.close(ear)

    async def _spawn(self, notify_socket: Path) -> asyncio.subprocess.Process | None:
        try:
            if self.program.before_start is not None:
                self.program.before_start()
            environment = {
                **self.program.environment,
                "NOTIFY_SOCKET": str(notify_socket),
                "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1e6)),
            }
            # A session of its own: Ctrl-C reaches the supervisor only, which stops all in order.
            with (self._surroundings.logs / f"{self.name}.log").open("ab") as log:
                return await asyncio.create_subprocess_exec(
                    *self.program.command,
                    env=environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            self.last_end = f"did not start: {error}"
            return None

    async def _watch(self, notices: Notices, pid: int) -> None:
        clock = self._surroundings.clock
        if self.program.probe is None:
            await notices.ready.wait()
        else:
            while not self.program.probe(pid):
                await clock.sleep(PROBE_SECONDS)
        self.ready.set()
        self._change(State.RUNNING)
        while not notices.is_silent_for(WATCHDOG_SECONDS):
            await clock.sleep(1.0)
        self.kill()

    def _change(self, state: State) -> None:
        self.state = state
        self.since = self._surroundings.clock.now()
        self._surroundings.changed()

    def document(self) -> dict[str, object]:
        """As `alatau status --json` shows it."""
        return {
            "state": str(self.state),
            "pid": self.pid,
            "url": self.program.url,
            "restarts": self.restarts,
            "since": _rfc3339(self.since),
            "detail": self.status or self.last_end,
        }


def service_command(command: Sequence[str]) -> list[str]:
    """Our own services die with the supervisor at once: being killed is what they are built for."""
    return child_command(command, death_signal="KILL")


def _describe_end(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with {code}"


def _rfc3339(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
