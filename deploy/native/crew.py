"""The supervised programs of one stack together: brought up in order, stopped in reverse, written down at each change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native.home import Home
from deploy.native.state_file import StateFile
from deploy.native.supervised import Program, Supervised, Surroundings
from services.core.clock import Clock
from services.core.errors import PlatformError

START_SECONDS = 60.0
MOST_CRASHES_AT_START = 5
LOG_TAIL_LINES = 12
LARGEST_LOG = 32 * 1024**2
ROTATE_SECONDS = 30.0


class NotStartedError(PlatformError):
    """Something did not start."""

    remedy = "`alatau doctor` looks for the cause."


@dataclass
class Crew:
    home: Home
    state: StateFile
    clock: Clock
    say: Callable[[str], None]
    members: list[Supervised] = field(default_factory=list)

    def add(
        self, program: Program, *, yields_to: Supervised | None = None
    ) -> Supervised:
        """Not started yet; the order of adding is the reverse order of stopping."""
        surroundings = Surroundings(
            self.clock, self.home.sockets(), self.home.logs, self.write_state
        )
        member = Supervised(program, surroundings, yields_to)
        self.members.append(member)
        return member

    async def until_ready(
        self, *members: Supervised, seconds: float = START_SECONDS
    ) -> None:
        """Wait for all of them.

        Raises:
            NotStartedError: one crashes again and again, or takes too long; with the end of its log.
        """
        began = self.clock.monotonic()
        for member in members:
            while not member.ready.is_set():
                waited = self.clock.monotonic() - began
                if member.restarts >= MOST_CRASHES_AT_START or waited > seconds:
                    raise NotStartedError(self._why_not(member, waited))
                await self.clock.sleep(0.02)
            took = self.clock.monotonic() - began
            self.say(f"  {member.name:<12} ready  {took:5.1f} s")

    async def stop_all(self) -> None:
        for member in reversed(self.members):
            began = self.clock.monotonic()
            await member.stop()
            took = self.clock.monotonic() - began
            self.say(f"  {member.name:<12} stopped {took:4.1f} s")

    def kill_all(self) -> None:
        for member in self.members:
            member.kill()

    def write_state(self) -> None:
        self.state.write({member.name: member.document() for member in self.members})

    async def keep_logs_small(self) -> None:
        """Runs for ever. Copied and cut: the programs append, so they go on at the start."""
        while True:
            for log in self.home.logs.glob("*.log"):
                if log.stat().st_size > LARGEST_LOG:
                    _rotate(log)
            await self.clock.sleep(ROTATE_SECONDS)

    def _why_not(self, member: Supervised, waited: float) -> str:
        log = self.home.log(member.name)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:])
        end = f"; it {member.last_end}" if member.last_end else ""
        return f"{member.name} was not ready after {waited:.0f} s{end}. Its log ({log}) ends with:\n{tail}"


def _rotate(log: Path) -> None:
    older = log.with_suffix(".log.1")
    older.write_bytes(log.read_bytes())
    with log.open("r+b") as current:
        current.truncate(0)
