"""A database that does not take anything: ingest stops reading, its memory stays flat, and all comes afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from services.cli.benches.usage import resident_bytes
from services.core.storage.pool import connect
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import T0, Speaker, Stage, ingest_stage, until
from tests.integration.test_ingest_killed import child
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

PROBES = 10  # who all send alike, so that none is held back for the others' sake
AT_ONCE = 300
FIRST, MORE = (
    1_200,
    900,
)  # messages of each: beyond what the broker hands out unacknowledged, and as many again
PADDING = "x" * 2_000
MEBIBYTE = 1 << 20


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, PROBES)
        yield stage


async def publish(probes: list[Speaker], begin: int, end: int) -> None:
    for start in range(begin, end, AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for place in range(start, min(start + AT_ONCE, end)):
                for probe in probes:
                    message = {
                        "time": T0 + place,
                        "values": {"voltage": 230.5},
                        "note": PADDING,
                    }
                    group.create_task(probe.send(message))


@asynccontextmanager
async def all_probes(stage: Stage) -> AsyncIterator[list[Speaker]]:
    async with AsyncExitStack() as opened:
        devices = [stage.device(f"probe-{n}") for n in range(1, PROBES + 1)]
        yield [await opened.enter_async_context(device) for device in devices]


async def test_twenty_megabytes_more_change_nothing(stage: Stage) -> None:
    blocker = await connect(str(stage.settings.database_url), "blocker")
    async with child(stage, "nowhere", 1) as ingest, all_probes(stage) as probes:
        await publish(probes, 0, 1)
        await stage.settled(PROBES)
        async with blocker.transaction():
            await blocker.execute("LOCK log_streams IN EXCLUSIVE MODE")
            await publish(probes, 1, FIRST)
            full = await steady_memory(ingest.pid)
            await publish(probes, FIRST, FIRST + MORE)
            after = await steady_memory(ingest.pid)
        ledger = await stage.settled(PROBES * (FIRST + MORE))
    await blocker.close()
    assert after - full < 4 * MEBIBYTE
    assert ledger.total.stored == PROBES * (FIRST + MORE)


async def steady_memory(pid: int) -> int:
    """Resident bytes, once they have not changed for ten looks."""
    looks: list[int] = []

    async def is_steady() -> bool:
        looks.append(resident_bytes(pid))
        return len(looks) > 10 and len({*looks[-10:]}) == 1

    await until(is_steady)
    return looks[-1]
