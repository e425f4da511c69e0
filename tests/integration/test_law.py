"""What is missing is recorded, asked for and closed; what does not add up is seen."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from device_sim.faults import FaultPlan
from device_sim.outbox import Outbox, Standing
from device_sim.publisher import Identity, Publisher, Surroundings
from services.core.storage.ledger_check import count_stored
from services.core.storage.pool import Connection, connect
from services.history import epochs, law, service
from services.history.service import run_history
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import CLOCK, T0, Stage, ingest_stage, until
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 2)
        yield stage


def payload(epoch: int, seq: int) -> bytes:
    time = T0 + 1000 * seq
    return b'{"seq": %d, "epoch": %d, "time": %d, "values": {"voltage": 230}}' % (
        seq,
        epoch,
        time,
    )


class Probe:
    """A publisher of the simulator; some of its messages get lost where it cannot know it."""

    def __init__(self, stage: Stage) -> None:
        broker = stage.broker
        secret = broker.add_device("probe-1")
        self.outbox = Outbox("probe-1", Standing(7))
        around = Surroundings(
            broker.device_url, CLOCK, FaultPlan(), lambda: 0.0, lambda *_, **__: None
        )
        self.publisher = Publisher(
            Identity("probe-1", secret, None), self.outbox, around
        )

    def send(self, count: int) -> None:
        self._number(count)
        self.publisher.wake()

    def lose(self, count: int) -> None:
        self._number(count)
        while entry := self.outbox.due(CLOCK.monotonic()):
            self.outbox.sent(entry, CLOCK.monotonic())

    def _number(self, count: int) -> None:
        for _ in range(count):
            self.outbox.number(payload)
        if changes := self.outbox.take_changes():
            self.outbox.on_disk(changes)


async def test_a_gap_is_recorded_asked_for_and_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher itself would send again after ten seconds."""
    monkeypatch.setattr(epochs, "GAP_AFTER", dt.timedelta(seconds=0.5))
    monkeypatch.setattr(law, "_WAIT", dt.timedelta(seconds=0.5))
    monkeypatch.setattr(service, "_LAW_SECONDS", 0.2)
    stop, probe = asyncio.Event(), Probe(stage)
    async with stage.ingest(), asyncio.TaskGroup() as group:
        dsn = stage.settings.dsn
        history = group.create_task(run_history(dsn, CLOCK, stop))
        speaking = group.create_task(probe.publisher.run())
        probe.send(2)
        await stage.settled(2)
        probe.lose(2)
        probe.send(2)
        await stage.settled(6)
        await until(lambda: closed(stage))
        probe.publisher.leave()
        await speaking
        stop.set()
        await history
    row = await stage.database.fetchrow("SELECT * FROM gaps")
    assert (row["from_seq"], row["to_seq"], row["lost"]) == (3, 4, False)
    command = await stage.database.fetchrow("SELECT * FROM commands")
    assert command["args"] == {"epoch": 7, "from": 3, "to": 4}
    assert (command["ok"], command["asked_by"]) == (True, "history")
    assert command["detail"] == "2 of 2 messages are sent again"
    ledger = await stage.ledger()
    assert ledger.balanced
    assert ledger.devices["probe-1"].stored == 6
    assert ledger.numberings["probe-1"].as_dict() == {
        "numbers": 6, "messages": 6, "missing": 0, "lost": 0,
    }  # fmt: skip


async def closed(stage: Stage) -> bool:
    return bool(
        await stage.database.fetchval(
            "SELECT bool_and(closed_at IS NOT NULL) FROM gaps"
        )
    )


@pytest.fixture
async def missing(database_url: str) -> AsyncIterator[Connection]:
    """probe-1 is online and misses 5 … 9 and 20 … 21; probe-2 says nothing of itself and misses 1."""
    connection = await connect(database_url, "test")
    await apply_ingest_city(connection, 2)
    await connection.execute(
        """
        INSERT INTO gaps
        SELECT device_id, 7, first, last, false, $1 FROM devices,
        (VALUES ('probe-1', 5, 9), ('probe-1', 20, 21), ('probe-2', 1, 1)) AS g (name, first, last) WHERE key = name
        """,
        NOW,
    )
    await connection.execute(
        "INSERT INTO device_status (device_id, online, online_since) "
        "SELECT device_id, true, $1 FROM devices WHERE key = 'probe-1'",
        NOW,
    )
    yield connection
    await connection.close()


async def asked(connection: Connection) -> list[dict[str, Any]]:
    rows = await connection.fetch("SELECT args FROM commands ORDER BY command_id")
    return [row["args"] for row in rows]


async def answer(connection: Connection, at: dt.datetime) -> None:
    await connection.execute("UPDATE commands SET answered_at = $1, ok = true", at)


async def test_who_is_online_is_asked_for_all_that_is_missing_ever_more_seldom(
    missing: Connection,
) -> None:
    soon = NOW + dt.timedelta(seconds=29)
    assert await law.ask_for_missing(missing, soon) == 0
    at = NOW + dt.timedelta(seconds=30)
    assert await law.ask_for_missing(missing, at) == 1
    assert await asked(missing) == [{"epoch": 7, "from": 5, "to": 21}]
    assert await law.ask_for_missing(missing, at + MINUTE) == 0  # not answered yet
    await answer(missing, at)
    assert await law.ask_for_missing(missing, at + 0.9 * MINUTE) == 0
    for times in range(1, 5):
        at += MINUTE * 2 ** (times - 1)
        assert await law.ask_for_missing(missing, at) == 1
        await answer(missing, at)
    day = dt.timedelta(days=1)
    assert await law.ask_for_missing(missing, at + day / 2) == 0  # in vain, five times


async def test_who_came_back_is_asked_again_and_who_is_away_is_not(
    missing: Connection,
) -> None:
    at = NOW + MINUTE
    for times in range(5):
        at += MINUTE * 2**times
        assert await law.ask_for_missing(missing, at) == 1
        await answer(missing, at)
    later = at + dt.timedelta(hours=1)
    assert await law.ask_for_missing(missing, later) == 0
    await missing.execute("UPDATE device_status SET online_since = $1", later)
    assert await law.ask_for_missing(missing, later) == 1
    await answer(missing, later)
    await missing.execute("UPDATE device_status SET online = false")
    assert await law.ask_for_missing(missing, later + dt.timedelta(hours=1)) == 0


async def test_each_way_to_be_wrong_is_seen(stage: Stage) -> None:
    async def violations() -> set[tuple[str | None, str, int]]:
        found = (await stage.ledger()).violations
        return {(v.device, v.what, v.difference) for v in found}

    database, stop = stage.database, asyncio.Event()
    async with stage.ingest(), asyncio.TaskGroup() as group:
        history = group.create_task(run_history(stage.settings.dsn, CLOCK, stop))
        async with stage.device("probe-1") as probe:
            for seq in (1, 2, 3):
                await probe.send(payload(7, seq))
            await stage.settled(3)
        await until(lambda: folded(stage))
        stop.set()
        await history
    assert await violations() == set()
    *_, counted = [step async for step in count_stored(database)]
    assert (counted.finished, counted.rows, counted.difference) == (True, 3, 0)
    await database.execute("DELETE FROM observations WHERE phenomenon_time < now()")
    *_, counted = [step async for step in count_stored(database)]
    assert counted.difference == 3
    await database.execute("UPDATE publisher_sequences SET messages = 2, lost = 1")
    assert await violations() == {("probe-1", "gaps", 1)}
    await database.execute("UPDATE publisher_sequences SET lost = 0")
    assert await violations() == {("probe-1", "messages", 1)}
    await database.execute("UPDATE publisher_totals SET duplicate = 1")
    assert {("probe-1", "fates", -1), ("probe-1", "messages", 1)} == await violations()
    await database.execute("UPDATE publisher_totals SET received = 4")
    assert {(None, "log", -1), ("probe-1", "messages", 1)} == await violations()


async def folded(stage: Stage) -> bool:
    return bool(
        await stage.database.fetchval(
            "SELECT c.batch = s.last_batch FROM log_cursors c JOIN log_streams s USING (stream)"
            " WHERE consumer = 'history' AND EXISTS (SELECT FROM publisher_sequences WHERE messages = 3)"
        )
    )
