"""Late data into a chunk that the Community edition has put into its columnstore."""

from collections.abc import AsyncIterator

import pytest

from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import T0, Stage, ingest_stage
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        licence = await stage.database.fetchval("SHOW timescaledb.license")
        if licence == "apache":
            pytest.skip("the Apache edition of TimescaleDB has no columnstore")
        await apply_ingest_city(stage.database)
        yield stage


async def into_columnstore(stage: Stage) -> int:
    """How many chunks of observations are columns now."""
    await stage.database.execute(
        """
        ALTER TABLE observations SET (timescaledb.compress, timescaledb.compress_segmentby = 'frame_id',
                                      timescaledb.compress_orderby = 'phenomenon_time')
        """
    )
    chunks = await stage.database.fetch(
        "SELECT compress_chunk(chunk, if_not_compressed => true) FROM show_chunks('observations') AS chunk"
    )
    return len(chunks)


async def test_late_items_are_stored_merged_and_known_as_duplicates_there(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for second in range(0, 60, 2):
            await feeder.values(T0 + 1000 * second, voltage=230.0 + second)
        await stage.settled(30)
        assert await into_columnstore(stage) > 0
        await feeder.values(T0 + 1000, voltage=231.0)  # between two rows
        await feeder.values(T0, current=1500)  # another slot of a row
        await feeder.values(T0 + 2000, voltage=232.0)  # known already
        await feeder.values(T0 + 4000, voltage=1.0)  # a conflict
        await feeder.send(
            {"time": T0 + 6000, "values": {"voltage": 229.0}, "revises": True}
        )
        ledger = await stage.settled(35)
    total = ledger.total
    assert (total.stored, total.merged, total.duplicate, total.rejected) == (
        31,
        2,
        1,
        1,
    )
    rows = await stage.rows("feeder-1")
    assert len(rows) == 31
    assert [rows[after][:2] for after in (0, 1000, 4000, 6000)] == [
        [230.0, 1.5],
        [231.0, None],
        [234.0, None],
        [229.0, None],
    ]


async def test_newer_items_go_on_being_copied_beside_it(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230.0)
        await stage.settled(1)
        assert await into_columnstore(stage) > 0
        await feeder.values(T0 + 1000, voltage=231.0)
        await stage.settled(2)
        await into_columnstore(stage)
    assert list(await stage.rows("feeder-1")) == [0, 1000]
