"""THE MAP of a run: a city under load ▸ one fault after the other ▸ a quiet end ▸ the verdict."""

import asyncio
import os
import platform
import random
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import httpx2

import tests.faults.database
import tests.faults.kills
import tests.faults.network
import tests.faults.traffic  # noqa: F401 # they enlist their faults
from services.core.clock import Clock, SystemClock
from services.core.storage.event_log import tail
from services.core.storage.migrate import migrate
from services.core.storage.pool import Connection
from tests.acceptance.undisturbed import judge_undisturbed
from tests.faults import disks
from tests.faults.fleet import make_fleet
from tests.faults.ground import Ground, NotWithinError
from tests.faults.plan import KILLS, Step
from tests.faults.proxy import Proxy, proxy_before
from tests.faults.publishers import World
from tests.faults.pulse import Pulse
from tests.faults.report import Outcome
from tests.faults.scene import CATALOGUE, Scene
from tests.faults.verdict import Line, judge
from tests.installation import Installation, installation

_PROGRESS_SECONDS: Final = 10.0
_QUIET_SECONDS: Final = 120.0
_BEHIND: Final = 2  # batches: the log grows every second
_AFTERWARDS: Final = 3  # batches: what the broker still had is in one of them
_MOST_BATCHES: Final = 500_000  # of a log that is judged anew
_SERVICES: Final = ("ingest", "rules", "history", "api")
_RULES_BEHIND: Final = "alatau_rules_batches_behind "
_SHOWN: Final = 5  # alerts that should not differ
_KEPT_LOGS: Final = "alatau-faults-logs"


@dataclass(frozen=True)
class Wanted:
    """minutes: when these are over, no further step begins. with_disks: small ones that can be filled."""

    seed: int
    minutes: float
    plan: Sequence[Step]
    with_disks: bool = False
    keep_logs: bool = False


class HarnessError(AssertionError):
    """A fault did not end as it should; says which, and how to play it again."""


def play(wanted: Wanted) -> Outcome:
    """Raises: HarnessError, when the city did not come back; its logs are kept."""
    clock = SystemClock()
    outcome = Outcome(
        [wanted.seed], wanted.minutes, f"{clock.now():%Y-%m-%d}", _machine()
    )
    with ExitStack() as stack:
        city = stack.enter_context(installation("faults"))
        found = disks.Disks()
        if wanted.with_disks and disks.can_mount():
            found = stack.enter_context(disks.small_disks(city.home))
        city.up("--no-sim")
        found.move_wal(city)
        try:
            asyncio.run(_Run(wanted, city, clock, outcome, found).go())
        except BaseException:
            _say(f"logs are kept in {_keep_logs(city, wanted.seed)}")
            raise
        if wanted.keep_logs or not outcome.holds:
            _say(f"logs are kept in {_keep_logs(city, wanted.seed)}")
    return outcome


def _machine() -> str:
    release = ".".join(platform.release().split(".")[:2])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {release}"


def _keep_logs(city: Installation, seed: int) -> Path:
    kept = Path(f"/tmp/{_KEPT_LOGS}-{seed}")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(city.home / "logs", kept)
    return kept


@dataclass
class _Run:
    wanted: Wanted
    city: Installation
    clock: Clock
    outcome: Outcome
    disks: "disks.Disks"
    now_at: str = "the start"

    async def go(self) -> None:
        pulse = Pulse(self.clock)
        door = ("127.0.0.1", self.city.port_base + 1)
        async with proxy_before(door) as (devices, port):
            world = World(self.clock, pulse, "127.0.0.1", port)
            secrets = self.city.home / "secrets" / "devices.csv"
            fleet = make_fleet(secrets, world, random.Random(self.wanted.seed))
            scene = Scene(self._ground(pulse, devices), fleet)
            await self._with_load(scene, world)

    def _ground(self, pulse: Pulse, devices: Proxy) -> Ground:
        return Ground(
            self.city, self.clock, pulse, devices, self.disks.wal, self.disks.data
        )

    async def _with_load(self, scene: Scene, world: World) -> None:
        async with asyncio.TaskGroup() as group:
            standing = [
                group.create_task(each.run(), name=each.key)
                for each in scene.fleet.all()
            ]
            standing.append(group.create_task(self._tell_progress(scene)))
            await self._walk(scene)
            world.producing = False
            await self._quiet(scene)
            for task in standing:
                task.cancel()
        async with scene.ground.connection() as connection:
            self.outcome.verdict = await judge(connection, scene.fleet)
            self.outcome.verdict.append(await self._judge_alerts(scene, connection))
        self.outcome.figures["own_ends"] = _tracebacks(self.city)

    async def _walk(self, scene: Scene) -> None:
        began = scene.now()
        await scene.stores_again("the start", began)
        for step in self.wanted.plan:
            if scene.now() - began > self.wanted.minutes * 60:
                self.outcome.verdict.append(
                    Line("the plan was played to its end", False, f"ended at {step}")
                )
                return
            await self._step(scene, step)

    async def _step(self, scene: Scene, step: Step) -> None:
        fault = CATALOGUE[step.fault]
        if why := fault.impossible(scene.ground):
            self.outcome.not_tried[step.fault] = why
            return
        await scene.rest(step.pause)
        self.now_at = str(step)
        try:
            recoveries = await fault.play(scene, random.Random(step.seed))
        except (AssertionError, TimeoutError, OSError) as error:
            raise HarnessError(self._how_to_replay(step, error)) from error
        self.outcome.count(step.fault)
        took = ", ".join(f"{each.of} {each.seconds:.2f} s" for each in recoveries)
        _say(f"{self.clock.now():%H:%M:%S} {step}: {took}")
        for recovery in recoveries:
            self.outcome.add(recovery)
            if step.fault == KILLS:
                self.outcome.killed += 1 + recovery.of.count(" and ")

    def _how_to_replay(self, step: Step, error: BaseException) -> str:
        asked = f"SEED={self.wanted.seed} MINUTES={self.wanted.minutes:g}"
        return f"{step}: {str(error) or type(error).__name__}\nTo play it again: make faults {asked}"

    async def _quiet(self, scene: Scene) -> None:
        """Everything that stands comes back, every outbox empties, everything is folded."""
        self.now_at = "the quiet end"
        ground = scene.ground
        for name in _SERVICES:
            await ground.replaced(name, None)
        silent = lambda: all(each.is_done for each in scene.fleet.all())  # noqa: E731
        await ground.until("every outbox is empty", silent, _QUIET_SECONDS)
        newest = await ground.sql(lambda lived: tail(lived, "observations"))
        deadline = scene.now() + _QUIET_SECONDS
        while behind := await ground.sql(partial(_not_folded, newest.batch)):
            if scene.now() > deadline:
                raise NotWithinError(f"not everything is folded: {behind}")
            await scene.rest(0.1)
        await ground.until("all is judged", lambda: _rules_are_at_end(ground))

    async def _judge_alerts(self, scene: Scene, lived: Connection) -> Line:
        """Against rules that judged the same log with nothing in their way."""
        promise = "no alert is missed, none is double"
        batches = (await tail(lived, "observations")).batch
        first = await lived.fetchval(
            "SELECT min(batch) FROM event_log WHERE stream = 'observations'"
        )
        if batches > _MOST_BATCHES or first != 1:
            return Line(promise, None, f"{batches:,} batches, from {first}")
        await lived.execute("CREATE DATABASE undisturbed")
        dsn = f"{scene.ground.superuser_dsn.rpartition('/')[0]}/undisturbed"
        await migrate(dsn)
        told, calm = await judge_undisturbed(lived, dsn)
        apart = [f"only in truth: {each}" for each in told if each not in calm]
        apart += [f"only undisturbed: {each}" for each in calm if each not in told]
        figure = f"{len(told)} episodes, {len(calm)} undisturbed"
        return Line(promise, told == calm, "; ".join([figure, *apart[:_SHOWN]]))

    async def _tell_progress(self, scene: Scene) -> None:
        began = scene.now()
        while True:
            await self.clock.sleep(_PROGRESS_SECONDS)
            spent = scene.now() - began
            left = max(0.0, self.wanted.minutes * 60 - spent)
            _say(
                f"{spent:6.0f} s, {left:5.0f} left; {sum(self.outcome.counts.values())} steps of"
                f" {len(self.wanted.plan)}, {self.outcome.killed} kills; {scene.fleet.waiting()} messages wait;"
                f" now {self.now_at}"
            )


async def _not_folded(silent_at: int, connection: Connection) -> str:
    """What is still to be waited for; empty: nothing waits, and history is at the end of the log.

    silent_at: the newest batch when publishers had said all; their last births may be in the next ones.
    """
    row = await connection.fetchrow(
        "SELECT waiting, caught_up, batch FROM event_log WHERE stream = 'observations' ORDER BY batch DESC LIMIT 1"
    )
    done = await connection.fetchval(
        "SELECT batch FROM log_cursors WHERE stream = 'observations' AND consumer = 'history'"
    )
    at_end = (done or 0) >= max(row["batch"] - _BEHIND, silent_at + _AFTERWARDS)
    if at_end and not row["waiting"] and row["caught_up"]:
        return ""
    return f"{dict(row)}, history at {done}"


def _rules_are_at_end(ground: Ground) -> bool:
    """By their own word: what they store of their place may be older."""
    url = ground.service("rules").get("url")
    page = httpx2.get(url, timeout=5).text if url else ""
    said = [line for line in page.splitlines() if line.startswith(_RULES_BEHIND)]
    return bool(said) and float(said[0].split()[-1]) <= _BEHIND


def _tracebacks(city: Installation) -> int:
    return sum(
        log.read_text(encoding="utf-8", errors="replace").count("Traceback")
        for log in (city.home / "logs").glob("*.log")
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
