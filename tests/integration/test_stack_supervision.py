"""The supervisor with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deploy.native import supervised as supervised_module
from deploy.native.supervised import Program, State, Supervised, Surroundings
from services.core.clock import SystemClock
from tests.stack_fixtures import wait_until

pytestmark = pytest.mark.integration

SAY_READY = (
    "import os, socket\n"
    "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "s.connect(os.environ['NOTIFY_SOCKET'])\n"
    "s.send(b'READY=1\\nSTATUS=at work')\n"
)
STAY = "import signal; signal.pause()\n"


class Watched:
    """A supervised program whose changes of state can be awaited."""

    def __init__(
        self, program: Program, folder: Path, yields_to: Supervised | None = None
    ) -> None:
        self._changed = asyncio.Event()
        surroundings = Surroundings(SystemClock(), folder, folder, self._changed.set)
        self.member = Supervised(program, surroundings, yields_to)

    async def until(self, condition: Callable[[Supervised], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition(self.member):
                self._changed.clear()
                await self._changed.wait()

    async def until_ready(self) -> None:
        await self.until(lambda member: member.state == State.RUNNING)


@asynccontextmanager
async def supervised(
    folder: Path, script: str, **changes: object
) -> AsyncIterator[Watched]:
    command = [sys.executable, "-c", script]
    program = Program("worker", command, {"PATH": "/usr/bin:/bin"}, **changes)  # type: ignore[arg-type]
    watched = Watched(program, folder)
    watched.member.start()
    try:
        yield watched
    finally:
        await watched.member.stop()


async def test_a_crashed_program_is_started_again(tmp_path: Path) -> None:
    async with supervised(tmp_path, SAY_READY + STAY) as watched:
        await watched.until_ready()
        assert watched.member.status == "at work"
        first = watched.member.pid
        os.kill(first or 0, signal.SIGKILL)
        await watched.until(lambda member: member.restarts == 1)
        assert watched.member.last_end == "ended by SIGKILL"
        await watched.until_ready()
        assert watched.member.pid != first
    assert watched.member.state == State.STOPPED


async def test_a_program_that_never_lives_long_is_tried_again_and_again(
    tmp_path: Path,
) -> None:
    script = "print('no', flush=True); raise SystemExit(3)"
    async with supervised(tmp_path, script) as watched:
        await watched.until(lambda member: member.restarts == 3)
        assert watched.member.last_end == "ended with 3"
        assert not watched.member.ready.is_set()
    assert (tmp_path / "worker.log").read_text().startswith("no\nno\n")


async def test_a_program_that_is_not_there_is_no_crash_of_ours(tmp_path: Path) -> None:
    watched = Watched(Program("ghost", ["/nowhere/ghost"]), tmp_path)
    watched.member.start()
    await watched.until(lambda member: member.restarts == 1)
    await watched.member.stop()
    assert "No such file" in watched.member.last_end


async def test_a_wanted_restart_is_no_crash(tmp_path: Path) -> None:
    async with supervised(tmp_path, SAY_READY + STAY) as watched:
        await watched.until_ready()
        first = watched.member.pid
        watched.member.restart()
        await watched.until(lambda member: member.pid not in {None, first})
        await watched.until_ready()
        assert watched.member.restarts == 0


@pytest.mark.parametrize("comes_back", [True, False])
async def test_of_two_that_are_killed_one_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    """The other waits for it, but not for ever."""
    monkeypatch.setattr(supervised_module, "YIELD_SECONDS", 20.0 if comes_back else 0.0)
    only_once = "" if comes_back else f"open({str(tmp_path / 'once')!r}, 'x')\n"
    async with supervised(tmp_path, only_once + SAY_READY + STAY) as first:
        program = Program("other", [sys.executable, "-c", SAY_READY + STAY])
        other = Watched(program, tmp_path, first.member)
        other.member.start()
        await first.until_ready()
        await other.until_ready()
        other.member.kill()
        first.member.kill()
        await other.until(lambda member: member.restarts == 1)
        await other.until(lambda member: member.state == State.STARTING)
        assert first.member.ready.is_set() == comes_back
        await other.member.stop()


async def test_a_program_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN)\n"
    script = deaf + SAY_READY + STAY * 9
    async with supervised(tmp_path, script, stop_seconds=0.2) as watched:
        await watched.until_ready()
        pid = watched.member.pid
        await watched.member.stop()
        assert watched.member.last_end == "ended by SIGKILL"
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)


async def test_readiness_may_be_probed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"open({str(mark)!r}, 'w').close()\n" + STAY
    async with supervised(
        tmp_path, script, probe=lambda _pid: mark.exists()
    ) as watched:
        await watched.until_ready()


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid())); {STAY}"
    script = (
        "import subprocess, sys\n"
        "from deploy.native.supervised import service_command\n"
        f"subprocess.run(service_command([sys.executable, '-c', {child!r}]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as supervisor:
        wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")
        child_pid = int(pid_file.read_text())
        supervisor.kill()
    wait_until(lambda: not is_alive(child_pid))


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False
