"""`kill -9` of ingest, at named points and at random under load: nothing lost that the broker has, nothing twice."""

import asyncio
import itertools
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.core.storage.ledger import read_ledger
from services.core.storage.ledger_check import count_stored
from services.core.storage.pool import connect
from services.history.service import run_history
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_child import IN_TURN_POINTS, POINTS
from tests.integration.ingest_stage import (
    CLOCK,
    T0,
    Speaker,
    Stage,
    ingest_stage,
    until,
)
from tests.integration.test_ingest_faults import new_items_of_log
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

PROBES = 4
RANDOM_KILLS = 8
ALL_POINTS = (*POINTS, *IN_TURN_POINTS)
SEED = 20_261_122


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, PROBES)
        yield stage


@asynccontextmanager
async def child(
    stage: Stage, point: str, count: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ingest in a process of its own; what is left of it at the end of the block is killed."""
    environment = {
        **os.environ,
        "ALATAU_DATABASE_URL": str(stage.settings.database_url),
        "ALATAU_BROKER_URL": stage.broker.service_url,
        "ALATAU_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.ingest_child",
        point,
        str(count),
        env=environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Load:
    """Every probe sends numbered messages of a few items, late ones, repeats and unknown channels among them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.sent: dict[str, dict[int, float]] = {}
        self.messages = 0

    async def send_for_ever(self, probe: Speaker) -> None:
        sent = self.sent.setdefault(probe.name, {})
        for seq in itertools.count(1):
            self.messages += 1
            items: list[dict[str, Any]] = [self._item(sent, seq) for _ in range(2)]
            await probe.send({"seq": seq, "epoch": 1, "items": items})
            await asyncio.sleep(0.001)

    def _item(self, sent: dict[int, float], seq: int) -> dict[str, Any]:
        late = self._chance.random() < 0.1
        time = 1_000 + 10 * len(sent) - (self._chance.randrange(1, 10) if late else 0)
        value = sent.setdefault(time, 200 + seq % 50)
        values = {"voltage": value, "current": value}
        if self._chance.random() < 0.05:
            values["no_such"] = value
        return {"time": T0 + time, "values": values}


async def kill_again_and_again(stage: Stage, chance: random.Random) -> int:
    """Each named point once, then at random moments; returns how often a process died of it."""
    died = 0
    for point in ALL_POINTS:
        async with child(stage, point, chance.randrange(1, 20)) as ingest:
            assert await ends(ingest, 60), point
            died += ingest.returncode == -signal.SIGKILL
    for _ in range(RANDOM_KILLS):
        async with child(stage, "nowhere", 1) as ingest:
            assert not await ends(ingest, chance.uniform(0.5, 1.2))
        died += ingest.returncode == -signal.SIGKILL
    return died


async def ends(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def test_killed_at_every_point_nothing_is_lost_and_nothing_is_twice(
    stage: Stage,
) -> None:
    chance = random.Random(SEED)
    load = Load(chance)
    async with asyncio.TaskGroup() as group:
        speaking = [
            group.create_task(speak(stage, f"probe-{number}", load))
            for number in range(1, PROBES + 1)
        ]
        speaking.append(group.create_task(watch_the_law(stage)))
        speaking.append(group.create_task(fold_and_break_off(stage, chance)))
        died = await kill_again_and_again(stage, chance)
        for task in speaking:
            task.cancel()
    assert died == len(ALL_POINTS) + RANDOM_KILLS
    async with child(stage, "nowhere", 1) as ingest:
        await until(lambda: everything_is_stored(stage, load))
        ingest.terminate()
        assert await ingest.wait() == 0
    new = await new_items_of_log(stage)
    assert len(new) == len(set(new)) == sum(map(len, load.sent.values()))
    await fold_to_the_end(stage)
    ledger = await stage.ledger()
    assert ledger.balanced
    assert ledger.violations == ()
    for name, account in ledger.devices.items():
        assert name is not None
        assert account.stored == len(load.sent[name])
        numbering = ledger.numberings[name]
        assert (numbering.missing, numbering.lost) == (0, 0)
    *_, counted = [step async for step in count_stored(stage.database)]
    assert counted.difference == 0
    assert ledger.total.stored == len(new)
    assert ledger.total.rejected == ledger.total.merged == 0
    assert ledger.total.received >= 2 * load.messages


async def speak(stage: Stage, name: str, load: Load) -> None:
    async with stage.device(name) as probe:
        await load.send_for_ever(probe)


async def watch_the_law(stage: Stage) -> None:
    """It holds in every snapshot, also while somebody is dying."""
    connection = await connect(stage.settings.dsn, "test")
    try:
        while True:
            ledger = await read_ledger(connection)
            assert ledger.balanced, ledger.violations
            await asyncio.sleep(0.3)
    finally:
        connection.terminate()


async def fold_and_break_off(stage: Stage, chance: random.Random) -> None:
    """History, broken off at random moments: what it had not committed is gone."""
    while True:
        stop = asyncio.Event()
        history = asyncio.create_task(run_history(stage.settings.dsn, CLOCK, stop))
        try:
            await asyncio.sleep(chance.uniform(0.5, 3))
        finally:
            history.cancel()
            await asyncio.wait([history])


async def fold_to_the_end(stage: Stage) -> None:
    stop = asyncio.Event()
    history = asyncio.create_task(run_history(stage.settings.dsn, CLOCK, stop))
    await until(lambda: is_folded(stage))
    stop.set()
    await history


async def is_folded(stage: Stage) -> bool:
    return bool(
        await stage.database.fetchval(
            "SELECT c.batch = s.last_batch FROM log_cursors c JOIN log_streams s USING (stream)"
            " WHERE consumer = 'history'"
        )
    )


async def everything_is_stored(stage: Stage, load: Load) -> bool:
    for name, sent in load.sent.items():
        rows = await stage.rows(name)
        stored = {time: row[0] for time, row in rows.items()}
        if stored != sent:
            return False
    return True
