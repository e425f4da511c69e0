"""What was refused is mended and read again: stored once, however often it is replayed."""

import datetime as dt
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read, tail
from services.core.storage.log_batch import ObservationBatch
from services.core.storage.rejections import (
    Choice,
    NothingChosenError,
    Replay,
    ask_replay,
    count_rejections,
    find_payload,
    find_rejection,
    read_replay,
)
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import CLOCK, T0, Stage, ingest_stage, until
from tests.integration.test_ingest_killed import child
from tests.stack_fixtures import Broker

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

DAY = dt.timedelta(days=1)


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database)
        yield stage


def choice(**wanted: Any) -> Choice:
    now = CLOCK.now()
    return Choice(start=now - DAY, end=now + DAY, **wanted)


async def replay(stage: Stage, **wanted: Any) -> Replay:
    """The replay once it is done."""
    asked = await ask_replay(
        stage.database, choice(**wanted), by="tester", now=CLOCK.now()
    )

    async def done() -> bool:
        found = await read_replay(stage.database, asked.replay_id)
        return found.finished_at is not None

    await until(done)
    return await read_replay(stage.database, asked.replay_id)


async def inbox(stage: Stage) -> list[tuple[Any, ...]]:
    """(scope, reason, state, attempts), in the order of their ids."""
    rows = await stage.database.fetch(
        "SELECT scope, reason, state, attempts FROM rejected_messages ORDER BY rejected_id"
    )
    return [tuple(row) for row in rows]


async def set_voltage_range(stage: Stage, hard_max: float) -> None:
    await stage.database.execute(
        "UPDATE observed_properties SET hard_max = $1 WHERE key = 'voltage'", hard_max
    )
    await stage.database.execute("UPDATE registry_state SET revision = revision + 1")


async def test_what_is_mended_is_stored_and_a_second_replay_changes_nothing(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=1200, current=5000)
        await feeder.values(T0 + 1000, voltage=1300)
        await stage.settled(2)
        await set_voltage_range(stage, 2000)
        done = await replay(stage, reasons=["range"])
        assert (done.messages, done.mended, done.refused, done.lost) == (2, 2, 0, 0)
        ledger = await stage.settled(4)
        assert await inbox(stage) == [
            ("value", "range", "replayed", 0),
            ("item", "range", "replayed", 0),
        ]
        rows = await stage.rows("feeder-1")
        assert rows[0][:2] == [1200, 5]
        assert rows[1000][0] == 1300
        total = ledger.total
        assert (total.stored, total.merged, total.rejected) == (2, 1, 1)

        with pytest.raises(NothingChosenError):
            await replay(stage, reasons=["range"])
        await stage.database.execute(
            "UPDATE rejected_messages SET state = 'open', replay_id = NULL"
        )
        await replay(stage)
        again = (await stage.settled(6)).total
        assert again.duplicate == 2
        assert await stage.rows("feeder-1") == rows


async def test_a_replay_is_no_sign_of_life_of_its_publisher(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=1200, current=5000)
        await stage.settled(1)
        before = await tail(stage.database, "observations")
        await set_voltage_range(stage, 2000)
        await replay(stage, reasons=["range"])
        await stage.settled(2)
    batches = await batches_after(stage, before)
    told = [batch for batch in batches if len(batch.accounts.publisher_ids)]
    assert [batch.heard.tolist() for batch in told] == [[]]
    assert [batch.first_hand.tolist() for batch in told] == [[False]]


async def batches_after(stage: Stage, cursor: Cursor) -> list[ObservationBatch]:
    entries = await read(stage.database, "observations", cursor)
    return [log_batch.decode(entry.body) for entry in entries]


async def test_what_is_refused_again_stays_one_entry_and_says_why_now(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("gw-1") as gateway:
        await gateway.send(
            {
                "items": [
                    {"time": T0, "device": "meter-2", "values": {"voltage": 9999}},
                    {"time": T0, "device": "nobody", "values": {"voltage": 230}},
                    {
                        "time": T0,
                        "device": "meter-2",
                        "values": {"voltage": 230, "x": 1},
                    },
                ]
            }
        )
        await stage.settled(3)
        assert [row[1] for row in await inbox(stage)] == [
            "not_hosted",
            "unknown_device",
            "not_hosted",
        ]
        await stage.database.execute(
            """
            INSERT INTO device_hosts (gateway_id, device_id, revision)
            SELECT g.device_id, d.device_id, (SELECT revision + 1 FROM registry_state) FROM devices g, devices d
            WHERE g.key = 'gw-1' AND d.key = 'meter-2'
            """
        )
        await stage.database.execute(
            "UPDATE registry_state SET revision = revision + 1"
        )
        done = await replay(stage, devices=["meter-2"])
        assert (done.messages, done.mended, done.refused) == (1, 1, 3)
        await stage.settled(6)
    assert await inbox(stage) == [
        ("item", "range", "open", 1),
        ("item", "unknown_device", "open", 1),
        ("item", "not_hosted", "replayed", 0),
        ("value", "unknown_channel", "open", 0),
    ]
    newest = await stage.database.fetchval(
        "SELECT max(rejected_id) FROM rejected_messages"
    )
    entry = await find_rejection(stage.database, newest)
    assert entry is not None
    payload = await find_payload(stage.database, entry)
    assert payload is not None
    assert b'"nobody"' in payload
    groups, floods = await count_rejections(stage.database, choice(states=["open"]))
    assert {(row["reason"], row["device"], row["open"]) for row in groups} == {
        ("range", "meter-2", 1),
        ("unknown_device", "nobody", 1),
        ("unknown_channel", "meter-2", 1),
    }
    assert floods == []


async def test_old_messages_are_judged_as_of_when_they_came(stage: Stage) -> None:
    """Else what waited for its mending would be too old; a time of ours is given once, too."""
    async with stage.ingest(), stage.device("clockless-1") as device:
        await device.send({"values": {"voltage": 1200}})
        await stage.settled(1)
        await set_voltage_range(stage, 2000)
        await stage.database.execute(
            "UPDATE device_types SET max_age_ms = 1; "
            "UPDATE rejected_messages SET received_at = date_trunc('second', received_at)"
        )
        await replay(stage)
        first = await stage.rows("clockless-1")
        await stage.database.execute(
            "UPDATE rejected_messages SET state = 'open', replay_id = NULL"
        )
        await replay(stage)
        ledger = await stage.settled(3)
    assert await stage.rows("clockless-1") == first
    assert (ledger.total.stored, ledger.total.duplicate) == (1, 1)


async def add_external_id(stage: Stage, device: str, value: str) -> None:
    await stage.database.execute(
        """
        UPDATE devices SET external_ids = jsonb_build_array(jsonb_build_object('scheme', 'serial', 'value', $2::text)),
                           revision = (SELECT revision + 1 FROM registry_state)
        WHERE key = $1
        """,
        device,
        value,
    )
    await stage.database.execute("UPDATE registry_state SET revision = revision + 1")


async def test_items_without_times_are_stored_once_and_keep_the_times_they_were_given(
    stage: Stage,
) -> None:
    """The first message has an item that is stored; the second has two that are mended one after the other."""
    named, own = {"device": "serial:7", "values": {"voltage": 231}}, {"voltage": 1200}
    async with stage.ingest(), stage.device("clockless-1") as device:
        await device.send({"items": [{"values": {"voltage": 230}}, named]})
        await device.send({"items": [named, {"values": own}]})
        await stage.settled(4)
        await set_voltage_range(stage, 2000)
        done = await replay(stage)
        assert (done.messages, done.mended, done.refused, done.lost) == (2, 1, 1, 1)
        await add_external_id(stage, "clockless-1", "7")
        done = await replay(stage)
        assert (done.messages, done.mended, done.refused, done.lost) == (2, 1, 0, 1)
    rows = await stage.rows("clockless-1")
    assert [row[0] for row in rows.values()] == [230, 231, 1200]


async def test_a_message_that_is_no_longer_kept_is_said_to_be_lost(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send(b"{}")
        await feeder.send({"time": T0}, "birth")
        await feeder.send(b"[", "birth")
        await stage.settled(2)
        await stage.database.execute(
            "UPDATE rejected_messages SET payload = NULL WHERE payload = '{}'"
        )
        done = await replay(stage)
    assert (done.messages, done.mended, done.refused, done.lost) == (2, 0, 1, 1)
    assert [row[2:] for row in await inbox(stage)] == [("open", 1), ("open", 1)]


async def test_a_replay_that_is_killed_goes_on_and_counts_exactly(
    stage: Stage,
) -> None:
    messages = 450
    async with stage.device("feeder-1") as feeder:
        async with child(stage, "nowhere", 1):
            for number in range(messages):
                await feeder.values(T0 + number, voltage=1200, current=1000)
            await stage.settled(messages)
        await set_voltage_range(stage, 2000)
        asked = await ask_replay(stage.database, choice(), by="tester", now=CLOCK.now())
        for point in ("before-commit", "after-commit"):
            async with child(stage, point, 2) as killed:
                assert await killed.wait() == -signal.SIGKILL
        async with child(stage, "nowhere", 1):
            ledger = await stage.settled(2 * messages)
    done = await read_replay(stage.database, asked.replay_id)
    assert (done.messages, done.mended, done.refused) == (messages, messages, 0)
    total = ledger.total
    assert (total.received, total.stored, total.merged) == (
        2 * messages,
        messages,
        messages,
    )
    rows = await stage.rows("feeder-1")
    assert [row[:2] for row in rows.values()] == [[1200, 1]] * messages
