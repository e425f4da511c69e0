"""From the command line to a running supervisor: leftovers of a crash, ports, signals, the way into the background."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.native.crew import NotStartedError
from deploy.native.home import Home, HomeError, Ports, refuse_taken_ports
from deploy.native.programs import alatau_command
from deploy.native.servers import choose_servers
from deploy.native.stack import Options, Stack
from deploy.native.state_file import (
    read_state,
    running_supervisor,
    started_at,
    take_lock,
)
from services.core.clock import Clock

LEFTOVER_SECONDS = 5.0
DETACHED_LOG = "supervisor"
_DETACHED = "ALATAU_DETACHED"
Say = Callable[[str], None]


def supervise(
    home: Home,
    ports: Ports,
    options: Options,
    clock: Clock,
    say: Say,
    ready: Callable[[], None],
) -> None:
    """Run the installation until SIGINT, SIGTERM or SIGHUP; a second signal ends it at once.

    Raises:
        PlatformError: it could not start.
    """
    os.umask(0o077)
    home.make_folders()
    with take_lock(home):
        end_leftovers(home)
        refuse_taken_ports(ports)
        servers = choose_servers(home, ports, os.environ)
        stack = Stack(servers, ports, options, clock, say)
        asyncio.run(_run(stack, ready))


async def _run(stack: Stack, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            stack.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask_to_stop)
    await stack.run(stop, ready)


def end_leftovers(home: Home) -> None:
    """After a killed supervisor its children are on their way out; wait for them, then insist."""
    state = read_state(home) or {}
    left = [
        pid
        for pid, started in state.get("processes", [])
        if started and started_at(pid) == started
    ]
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while any(map(started_at, left)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    home.state_file.unlink(missing_ok=True)


def detach(home: Home, arguments: Sequence[str], say: Say) -> None:
    """Start the supervisor in the background; return when all is ready.

    Raises:
        NotStartedError: it ended before; its own words were said.
    """
    os.umask(0o077)
    home.make_folders()
    log = home.log(DETACHED_LOG)
    with log.open("ab") as out:
        began = out.tell()
        supervisor = subprocess.Popen(  # noqa: S603 - ourselves
            [*alatau_command(), "up", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, _DETACHED: "yes"},
            start_new_session=True,
        )
    with log.open("rb") as said:
        said.seek(began)
        ready = False
        while not ready:
            ready = _is_ready(home, supervisor.pid)
            ended = supervisor.poll() is not None
            for line in said.read().decode(errors="replace").splitlines():
                say(line)
            if ended:
                raise NotStartedError("The installation did not start (see above).")
            time.sleep(0.05)


def is_detached() -> bool:
    """Whether what this process says goes to a log, where the first login must not be."""
    return _DETACHED in os.environ


def _is_ready(home: Home, pid: int) -> bool:
    state = read_state(home)
    return state is not None and state["pid"] == pid and bool(state["ready"])


def take_down(home: Home, say: Say) -> bool:
    """Ask the supervisor to stop everything and wait until it has; False: none is running."""
    pid = running_supervisor(home)
    if pid is None:
        return False
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    state = read_state(home)
    say(f"Stopping {home.folder} (process {pid}) …")
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
    except PermissionError as error:
        raise HomeError(
            f"Process {pid} belongs to another user; run this as root or as its owner."
        ) from error
    _wait_for_end(handle)
    os.close(handle)
    say("Stopped." if state else "Stopped while it was starting.")
    return True


def _wait_for_end(handle: int) -> None:
    select.select([handle], [], [])


def tail(path: Path, lines: int) -> list[str]:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return []


def say_plainly(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
