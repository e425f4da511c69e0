"""`kill -9` of ingest under its HTTPS door: what was answered with 2xx is stored, and repeating stores nothing twice."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.integration.door_stage import DoorStage, door_stage
from tests.integration.ingest_stage import T0
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

SENDERS = 4
RANDOM_KILLS = 2


@pytest.fixture
async def door(broker: Broker, database_url: str) -> AsyncIterator[DoorStage]:
    """Closed: ingest does not run."""
    async with door_stage(broker, database_url) as stage:
        yield stage


@asynccontextmanager
async def child(
    door: DoorStage, point: str = "nowhere"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Ingest in a process of its own, its door open; what is left of it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.ingest_child", point, "1"),
        env=door.environment(),
    )
    try:
        await door.until_open()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_killed_between_commit_and_answer_the_sender_repeats_and_nothing_is_twice(
    door: DoorStage,
) -> None:
    message = {"items": [{"time": T0 + n, "values": {"voltage": 230}} for n in (0, 1)]}
    async with child(door, "before-answer") as ingest:
        with pytest.raises(httpx2.TransportError):
            await door.post("probe-1", message)
        assert await ingest.wait() == -signal.SIGKILL
    assert sorted(await door.stored("probe-1")) == [0, 1]
    async with child(door):
        answer = await door.post("probe-1", message)
        assert (answer.status_code, answer.json()["rejected"]) == (200, [])
        account = await door.settled("probe-1", 4)
    assert (account.stored, account.duplicate) == (2, 2)


async def test_killed_at_any_moment_what_was_answered_is_stored(
    door: DoorStage,
) -> None:
    chance = random.Random(20_261_122)
    answered: dict[str, int] = {}
    stopping = asyncio.Event()

    async def send(publisher: str) -> None:
        """Ever on with the next item, once the one before was answered."""
        offset = answered[publisher] = 0
        while not stopping.is_set():
            item = {"time": T0 + offset, "values": {"voltage": 230}}
            try:
                answer = await door.post(publisher, item)
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                offset = answered[publisher] = offset + 1

    async with asyncio.TaskGroup() as group:
        for number in range(1, SENDERS + 1):
            group.create_task(send(f"probe-{number}"))
        for _ in range(RANDOM_KILLS):
            async with child(door):
                await asyncio.sleep(chance.uniform(0.1, 0.6))
        async with child(door):
            stopping.set()
    for publisher, count in answered.items():
        assert count > 0
        stored = await door.stored(publisher)
        assert set(range(count)) <= stored.keys() <= set(range(count + 1))
    ledger = await door.stage.ledger()
    assert ledger.total.stored == sum([len(await door.stored(p)) for p in answered])
    assert ledger.balanced
