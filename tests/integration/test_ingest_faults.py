"""Trouble: lost COMMITs, a second writer, refused data, a broker or database that goes."""

import asyncio
import datetime as dt
import json
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from services.core.broker.topics import up_topic
from services.core.errors import WriterFencedError
from services.core.settings import Settings
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read, tail, take_over
from services.core.storage.pool import connect
from services.ingest.service import run_ingest
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import CLOCK, T0, Stage, ingest_stage, until
from tests.integration.treacherous_proxy import Cut, treacherous_proxy
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database)
        yield stage


async def new_items_of_log(stage: Stage) -> list[tuple[int, int]]:
    """(frame, time) of every item that the log calls new."""
    found: list[tuple[int, int]] = []
    cursor = Cursor()
    while entries := await read(stage.database, "observations", cursor, 500):
        for entry in entries:
            batch = log_batch.decode(entry.body)
            new = (batch.flags & log_batch.ItemFlag.NEW) > 0
            pairs: Iterable[tuple[int, int]] = zip(
                batch.frame_ids[new].tolist(), batch.times_ms[new].tolist(), strict=True
            )
            found += pairs
        cursor = entries[-1].cursor
    return found


async def assert_stored_once(stage: Stage, device: str, count: int) -> None:
    assert list(await stage.rows(device)) == list(range(count))
    new = await new_items_of_log(stage)
    assert len(new) == len(set(new)) == count
    ledger = await stage.ledger()
    assert ledger.balanced
    assert ledger.total.stored == count


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_whose_reply_is_lost_is_not_repeated_and_a_lost_one_is(
    stage: Stage, cut: Cut
) -> None:
    async with treacherous_proxy(str(stage.settings.database_url)) as (proxy, dsn):
        stage = replace(stage, settings=settings_for(stage, dsn))
        async with stage.ingest(), stage.device("feeder-1") as feeder:
            await feeder.values(T0, voltage=230)
            await stage.settled(1)
            proxy.cut = cut
            await feeder.values(T0 + 1, voltage=230)
            await stage.settled(2)
            await feeder.values(T0 + 2, voltage=230)
            await stage.settled(3)
        assert proxy.cuts == 1
    await assert_stored_once(stage, "feeder-1", 3)
    assert (await stage.ledger()).total.received == 3


def settings_for(stage: Stage, dsn: str) -> Settings:
    return Settings.model_validate(
        {"database_url": dsn, "broker_url": stage.broker.service_url}
    )


async def test_a_writer_that_was_replaced_stores_nothing_more(stage: Stage) -> None:
    async with stage.device("feeder-1") as feeder:
        running = asyncio.create_task(
            run_ingest(stage.settings, CLOCK, random.Random(1), asyncio.Event())
        )
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        await take_over(stage.database, "observations")
        await feeder.values(T0 + 1, voltage=230)
        with pytest.raises(ExceptionGroup) as ended:
            async with asyncio.timeout(10):
                await running
    assert ended.group_contains(WriterFencedError)
    assert list(await stage.rows("feeder-1")) == [0]


async def test_a_second_ingest_waits_and_leaves_the_first_its_session(
    stage: Stage,
) -> None:
    async def someone_waits() -> bool:
        return bool(
            await stage.database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
            )
        )

    async with stage.device("feeder-1") as feeder, stage.ingest(), stage.ingest():
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        await until(someone_waits)
        await feeder.values(T0 + 1, voltage=230)
        await stage.settled(2)
    await assert_stored_once(stage, "feeder-1", 2)


async def test_ingest_takes_over_when_the_first_one_ends(stage: Stage) -> None:
    async with stage.device("feeder-1") as feeder:
        async with stage.ingest():
            await feeder.values(T0, voltage=230)
            await stage.settled(1)
        await feeder.values(T0 + 1, voltage=230)
        async with stage.ingest():
            await stage.settled(2)
    await assert_stored_once(stage, "feeder-1", 2)


async def test_an_item_that_the_database_refuses_costs_no_other(stage: Stage) -> None:
    """Nothing we know of passes our checks and not the table's, so the table gets one of its own."""
    await stage.database.execute(
        "ALTER TABLE observations ADD CHECK (results[1] IS DISTINCT FROM 13)"
    )
    items = [
        {"time": T0 + place, "values": {"voltage": 13 if place == 5 else 230}}
        for place in range(9)
    ]
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send({"seq": 1, "epoch": 1, "items": items})
        ledger = await stage.settled(9)
        receipt = await feeder.receipt()
    assert list(await stage.rows("feeder-1")) == [0, 1, 2, 3, 4, 6, 7, 8]
    assert await stage.rejected() == [("item", "malformed", None, 5)]
    assert (ledger.total.stored, ledger.total.rejected) == (8, 1)
    assert receipt["stored_through"] == 1
    assert receipt["rejected"] == [{"seq": 1, "index": 5, "reason": "malformed"}]


async def test_rows_that_ingest_did_not_know_of_are_merged_with(stage: Stage) -> None:
    """An import by another hand: the fast lane's copy fails, the late lane looks."""
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        await stage.database.execute(
            """
            INSERT INTO observations SELECT frame_id, phenomenon_time + interval '5 ms', results, quality, ingested_at
            FROM observations
            """
        )
        for place in range(1, 8):
            await feeder.values(T0 + place, current=1000)
        ledger = await stage.settled(8)
    rows = await stage.rows("feeder-1")
    assert rows[5] == [230, 1, None, None, None]
    assert (ledger.total.stored, ledger.total.merged) == (7, 1)


async def test_a_frame_that_is_heard_of_first_may_have_a_row(stage: Stage) -> None:
    """Neither the latest values nor the log told of it, so its first item is copied without a look."""
    await stage.database.execute(
        """
        INSERT INTO observations
        SELECT frame_id, to_timestamp($1::bigint / 1000.0), '{230,NULL,NULL,NULL,NULL}', NULL, now()
        FROM frames JOIN devices USING (device_id) WHERE key = 'feeder-1'
        """,
        T0,
    )
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, current=1000)
        await feeder.values(T0 + 1, current=1000)
        ledger = await stage.settled(2)
    rows = await stage.rows("feeder-1")
    assert rows == {0: [230, 1, None, None, None], 1: [None, 1, None, None, None]}
    assert (ledger.total.stored, ledger.total.merged) == (1, 1)


async def test_broken_database_sessions_are_made_anew(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for place in range(100):
            await feeder.values(T0 + place, voltage=230)
            if place % 25 == 10:
                await stage.database.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """
                )
        await stage.settled(100)
    await assert_stored_once(stage, "feeder-1", 100)


async def test_a_broker_that_restarts_costs_nothing_that_it_kept(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for place in range(30):
            await feeder.values(T0 + place, voltage=230)
            if place % 10 == 5:
                stage.broker.stop()
                await feeder.client.wait_lost()
                stage.broker.start()
                await feeder.client.wait_connected()
        await stage.settled(30)
    rows = await stage.rows("feeder-1")
    assert list(rows) == list(range(30))
    total = (await stage.ledger()).total
    assert total.stored == 30
    assert total.received == 30 + total.duplicate


async def test_what_is_said_at_qos_0_waits_for_ingest(stage: Stage) -> None:
    async with stage.device("feeder-1") as feeder:
        for place in range(3):
            said = {"time": T0 + place, "values": {"voltage": 230}}
            topic, payload = up_topic("feeder-1", "data"), json.dumps(said).encode()
            await feeder.client.publish(topic, payload, qos=0)
        await feeder.values(T0 + 3, voltage=230)
        stage.broker.stop()
        await feeder.client.wait_lost()
        stage.broker.start()
    async with stage.ingest():
        await stage.settled(4)
    assert list(await stage.rows("feeder-1")) == list(range(4))


async def test_memory_stays_flat_while_the_database_is_away(stage: Stage) -> None:
    """What cannot be stored stays with the broker, and comes when the database is back."""
    blocker = await connect(str(stage.settings.database_url), "blocker")
    count = 3000
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        async with blocker.transaction():
            await blocker.execute("LOCK log_streams IN EXCLUSIVE MODE")
            async with asyncio.TaskGroup() as group:
                for place in range(1, count):
                    group.create_task(feeder.values(T0 + place, voltage=230))
        await stage.settled(count)
    await blocker.close()
    assert np.array_equal(list(await stage.rows("feeder-1")), np.arange(count))


async def test_the_services_own_role_may_do_all_that_it_needs(stage: Stage) -> None:
    own = str(stage.settings.database_url).replace("postgres@", "alatau_ingest@", 1)
    stage = replace(stage, settings=settings_for(stage, own))
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        await stage.database.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'alatau_ingest'
            """
        )
        await feeder.values(T0, voltage=231, current=1)
        await feeder.send({"time": T0, "values": {"current": 2}, "revises": True})
        await feeder.send(b"?")
        ledger = await stage.settled(4)
    assert (ledger.total.stored, ledger.total.merged, ledger.total.rejected) == (
        1,
        2,
        1,
    )


async def test_log_time_goes_on_where_the_log_is_ahead_of_the_clock(
    stage: Stage,
) -> None:
    """The machine began an hour ahead, logged, and was set right: rules wait for log time."""
    await stage.database.execute(
        "UPDATE log_streams SET logged_at = now() + interval '1 hour' WHERE stream = 'observations'"
    )
    begun = await tail(stage.database, "observations")
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        moments = [begun.logged_at]
        for number in range(3):
            await feeder.values(T0 + number, voltage=230)
            await stage.settled(number + 1)
            moments.append((await tail(stage.database, "observations")).logged_at)
    assert all(a < b for a, b in pairwise(moments))
    assert moments[-1] - moments[0] < dt.timedelta(minutes=1)
