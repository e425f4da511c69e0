"""What people correct is stored in their name, and what was known before is kept."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from services.core.clock import from_milliseconds
from services.core.storage import log_batch
from services.core.storage.corrections import (
    NewCorrection,
    NothingToCorrectError,
    correct,
    read_correction,
)
from services.core.storage.event_log import read, tail
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import CLOCK, T0, Stage, ingest_stage, until
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration
FIRST = from_milliseconds(T0)


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 1)
        yield stage


async def datastream(stage: Stage, channel: str) -> int:
    found: int = await stage.database.fetchval(
        """
        SELECT datastream_id FROM datastream_slots JOIN frames USING (frame_id) JOIN devices USING (device_id)
        JOIN datastreams USING (datastream_id) WHERE devices.key = 'feeder-1' AND channel = $1
        """,
        channel,
    )
    return found


async def asked(
    stage: Stage,
    channel: str,
    value: float | bool | str | None,
    quality: str | None = None,
    at: dt.datetime = FIRST,
) -> int:
    """A correction, of the first moment unless given."""
    new = NewCorrection(await datastream(stage, channel), at, value, quality, "seen")
    return await correct(stage.database, new, actor="dana", now=CLOCK.now())


async def corrected(
    stage: Stage,
    channel: str,
    value: float | bool | str | None,
    quality: str | None = None,
    at: dt.datetime = FIRST,
) -> Mapping[str, Any]:
    """How it went."""
    number = await asked(stage, channel, value, quality, at)

    async def done() -> bool:
        row = await read_correction(stage.database, number)
        return row is not None and row["done_at"] is not None

    await until(done)
    row = await read_correction(stage.database, number)
    assert row is not None
    return row


async def test_a_correction_is_a_revision_with_a_name_and_the_old_value_is_kept(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230.0, breaker="open")
        await stage.settled(1)
        before = await tail(stage.database, "observations")
        assert (await corrected(stage, "voltage", 231.5, None))[
            "outcome"
        ] == "corrected"
        assert (await corrected(stage, "voltage", 231.5, None))[
            "outcome"
        ] == "unchanged"
        doubted = await corrected(stage, "voltage", None, "fail")
        assert doubted["outcome"] == "corrected"
        refused = await corrected(stage, "voltage", 5000.0, None)
        assert refused["outcome"] == "refused"
        assert refused["detail"].startswith("range: ")
        ledger = await stage.settled(5)
        entries = await read(stage.database, "observations", before)
    assert ledger.balanced
    batches = [log_batch.decode(entry.body) for entry in entries]
    assert sum(len(batch.accounts.publisher_ids) for batch in batches) == 4
    assert not any(batch.heard.any() or batch.first_hand.any() for batch in batches)
    rows = await stage.rows("feeder-1")
    assert rows[0][0] == 231.5
    changes = await stage.database.fetch(
        "SELECT old, old_quality, new, new_quality, who, why FROM observation_changes ORDER BY change_id"
    )
    good, fail = 1 + 16, 4 + 16
    assert [tuple(row) for row in changes] == [
        (230.0, good, 231.5, good, "user:dana", "corrected"),
        (231.5, good, 231.5, fail, "user:dana", "corrected"),
    ]
    audited = await stage.database.fetchrow(
        "SELECT actor, old, new FROM audit WHERE entity = 'corrections' ORDER BY at LIMIT 1"
    )
    assert audited["actor"] == "dana"
    assert audited["old"]["value"] == 230.0
    assert audited["new"]["reason"] == "seen"


async def test_an_old_delivery_undoes_no_correction(stage: Stage) -> None:
    first = {"time": T0, "values": {"energy": 5, "breaker": "open"}}
    revised = {"time": T0, "values": {"energy": 6}, "revises": True}
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for message in (first, revised):
            await feeder.send(message)
        await stage.settled(2)
        await asked(stage, "energy", 7)
        assert (await corrected(stage, "breaker", "closed"))["outcome"] == "corrected"
        for message in (revised, first):
            await feeder.send(message)
        ledger = await stage.settled(6)
    assert await stage.rows("feeder-1") == {0: [None, None, 7, 1, None]}
    assert (ledger.total.duplicate, ledger.total.rejected) == (2, 0)


async def test_what_is_older_than_devices_may_send_can_be_corrected(
    stage: Stage,
) -> None:
    long_ago = FIRST - dt.timedelta(days=40)
    await stage.database.execute(
        """
        INSERT INTO observations SELECT frame_id, $1, '{230,NULL,NULL,NULL,NULL}', NULL, $1
        FROM frames JOIN devices USING (device_id) WHERE key = 'feeder-1'
        """,
        long_ago,
    )
    async with stage.ingest():
        correction = await corrected(stage, "voltage", 231.5, at=long_ago)
    assert (correction["outcome"], correction["detail"]) == ("corrected", None)
    (row,) = (await stage.rows("feeder-1")).values()
    assert row[0] == 231.5


async def test_only_what_is_stored_can_be_corrected(stage: Stage) -> None:
    nothing = NewCorrection(
        await datastream(stage, "voltage"),
        from_milliseconds(T0) + dt.timedelta(milliseconds=1),
        1.0,
        None,
        "seen",
    )
    with pytest.raises(NothingToCorrectError):
        await correct(stage.database, nothing, actor="dana", now=CLOCK.now())
