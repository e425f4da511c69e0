"""From a device's message to the database: what is stored, merged, refused, and how it is accounted for."""

from collections.abc import AsyncIterator

import pytest

from services.core.city.entities import Device
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import CLOCK, T0, Stage, ingest_stage, until
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database)
        yield stage


async def test_a_message_is_stored_in_canonical_units_by_slot(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230.5, current=1500, breaker="closed", alarms=5)
        ledger = await stage.settled(1)
    assert await stage.rows("feeder-1") == {0: [230.5, 1.5, None, 1, 5]}
    assert await stage.quality("feeder-1") == {0: None}
    assert (ledger.total.stored, ledger.devices["feeder-1"].stored) == (1, 1)


async def test_what_the_device_and_our_checks_say_of_quality_is_kept_apart(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send(
            {
                "time": T0,
                "values": {"voltage": 170.0, "current": 1, "alarms": 9},
                "quality": {"current": "estimated"},
            }
        )
        await feeder.send(
            {"time": T0 + 1, "values": {"voltage": 230}, "time_quality": "unsynced"}
        )
        await stage.settled(2)
    good, missing = 1 + 16, 9 + 16 * 9
    suspect_by_check, suspect_by_source = 1 + 16 * 3, 3 + 16
    assert await stage.quality("feeder-1") == {
        0: [suspect_by_check, suspect_by_source, missing, missing, suspect_by_check],
        1: [suspect_by_source, missing, missing, missing, missing],
    }
    assert good not in (suspect_by_check, suspect_by_source)


async def test_items_of_a_gateway_are_stored_for_the_meters_it_hosts(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("gw-1") as gateway:
        await gateway.send(
            {
                "items": [
                    {"device": "meter-1", "time": T0, "values": {"energy": 5}},
                    {"device": "meter-2", "time": T0, "values": {"energy": 6}},
                    {"device": "nobody", "time": T0, "values": {"energy": 7}},
                    {"time": T0, "values": {"energy": 8}},
                    {"device": "meter-1", "time": T0 + 1, "values": {"energy": 9}},
                ]
            }
        )
        ledger = await stage.settled(5)
    assert await stage.rows("meter-1") == {
        0: [None, None, 5, None, None],
        1: [None, None, 9, None, None],
    }
    assert await stage.rejected() == [
        ("item", "not_hosted", None, 1),
        ("item", "unknown_device", None, 2),
        ("item", "no_channels", None, 3),
    ]
    account = ledger.devices["gw-1"]
    assert (account.received, account.stored, account.rejected) == (5, 2, 3)


async def test_a_refused_value_costs_neither_its_item_nor_its_message(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(
            T0,
            voltage=1001,
            current=True,
            breaker="ajar",
            energy=-1,
            nonsense=1,
            alarms=1,
        )
        await feeder.values(T0 + 1, voltage=2000)
        await feeder.values(T0 + 2, voltage=None)
        await feeder.send(
            b'{"time": %d, "values": {"voltage": 1e999, "current": 3}}' % T0
        )
        ledger = await stage.settled(4)
    assert await stage.rows("feeder-1") == {0: [None, 0.003, None, None, 1]}
    assert sorted(await stage.rejected(), key=str) == [
        ("item", "empty", None, 0),
        ("item", "range", "voltage", 0),
        ("value", "not_finite", "voltage", 0),
        ("value", "range", "energy", 0),
        ("value", "range", "voltage", 0),
        ("value", "unknown_channel", "nonsense", 0),
        ("value", "unknown_code", "breaker", 0),
        ("value", "wrong_type", "current", 0),
    ]
    total = ledger.total
    assert (total.stored, total.merged, total.rejected) == (1, 1, 2)
    assert total.rejected_values == 6


async def test_unusable_messages_are_kept_with_their_bytes(stage: Stage) -> None:
    messages = [
        b"",
        b"\xff",
        b"[]",
        b'{"values": 1}',
        b'{"seq": 1, "values": {}}',
        b"x" * 65_537,
    ]
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for message in messages[:-1]:
            await feeder.send(message)
        await feeder.send(messages[2], "birth")
        event = "application/feeder-1/device/0101010101010101/event/nope"
        await feeder.client.publish(event, b"anything")
        ledger = await stage.settled(7)
    kept = await stage.database.fetch(
        "SELECT reason, payload FROM rejected_messages ORDER BY rejected_id"
    )
    assert [tuple(row) for row in kept] == [
        ("malformed", b""),
        ("malformed", b"\xff"),
        ("malformed", b"[]"),
        ("malformed", b'{"values": 1}'),
        ("bad_sequence", b'{"seq": 1, "values": {}}'),
        ("malformed", b"[]"),
        ("unknown_topic", b"anything"),
    ]
    assert ledger.total.rejected == ledger.total.received == 7


async def test_text_that_the_database_cannot_hold_costs_nothing(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send(
            b'{"time": %d, "values": {"voltage": 1, "a\\u0000b": 1, "\\ud800": 2, "breaker": "\\u0000"}}'
            % T0
        )
        await feeder.send(
            b'{"device": "\\u0000", "time": %d, "values": {"voltage": 1}}' % T0
        )
        await stage.settled(2)
    assert await stage.rows("feeder-1") == {0: [1, None, None, None, None]}
    assert [row[2] for row in await stage.rejected()] == [
        "a\\0b",
        "\\ud800",
        "breaker",
        None,
    ]


async def test_times_outside_the_window_are_refused(stage: Stage) -> None:
    day = 86_400_000
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for time in (
            T0 - 36 * day,
            T0 + day,
            10**30,
            -(10**30),
            -(10**14),
            "0001-01-01T00:00:00+05:00",
            "2026-11-22T04:00:00",
            1.5,
            None,
        ):
            await feeder.send({"time": time, "values": {"voltage": 1}})
        await feeder.send({"time": T0 - 34 * day, "values": {"voltage": 1}})
        await stage.settled(10)
    assert [reason for _, reason, _, _ in await stage.rejected()] == [
        "too_old",
        "in_future",
        "in_future",
        "too_old",
        "too_old",
        "too_old",
        "bad_time",
        "bad_time",
        "time_missing",
    ]
    assert await stage.rows("feeder-1") == {-34 * day: [1, None, None, None, None]}


async def test_a_type_without_a_clock_gets_our_time_flagged(stage: Stage) -> None:
    before = CLOCK.now_ms()
    async with stage.ingest(), stage.device("clockless-1") as device:
        for value in (1, 2, 3):
            await device.send({"values": {"voltage": value}})
        await stage.settled(3)
    rows = await stage.rows("clockless-1")
    assert list(rows.values()) == [[1], [2], [3]]
    assert all(before <= T0 + time <= CLOCK.now_ms() + 3 for time in rows)
    unchecked_and_implausible = 1 + 16 * 3
    flagged = (await stage.quality("clockless-1")).values()
    assert list(flagged) == [[unchecked_and_implausible]] * 3


async def test_items_of_one_time_are_merged_slot_by_slot(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=230)
        await stage.settled(1)
        await feeder.values(T0, current=1000)
        await feeder.values(T0, voltage=230, current=1000)
        await feeder.values(T0, voltage=231, energy=7)
        await feeder.values(T0, voltage=232)
        ledger = await stage.settled(5)
    assert await stage.rows("feeder-1") == {0: [230, 1, 7, None, None]}
    assert await stage.rejected() == [
        ("value", "conflict", "voltage", 0),
        ("item", "conflict", "voltage", 0),
    ]
    total = ledger.total
    assert (total.stored, total.merged, total.duplicate, total.rejected) == (1, 2, 1, 1)
    changes = await stage.database.fetch(
        "SELECT slot, old, new, who, why FROM observation_changes ORDER BY change_id"
    )
    assert [tuple(change) for change in changes] == [
        (1, None, 1, "feeder-1", "merged"),
        (2, None, 7, "feeder-1", "merged"),
    ]


async def test_a_correction_replaces_and_its_past_is_kept(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send(
            {"time": T0, "values": {"energy": 7}, "quality": {"energy": "estimated"}}
        )
        await stage.settled(1)
        await feeder.send({"time": T0, "values": {"energy": 8}, "revises": True})
        ledger = await stage.settled(2)
    assert await stage.rows("feeder-1") == {0: [None, None, 8, None, None]}
    assert await stage.quality("feeder-1") == {0: None}
    (change,) = await stage.database.fetch(
        "SELECT slot, old, old_quality, new, new_quality, why FROM observation_changes"
    )
    assert tuple(change) == (2, 7, 3 + 16, 8, 1 + 16, "corrected")
    assert (ledger.total.stored, ledger.total.merged) == (1, 1)


async def test_transitions_of_one_millisecond_are_all_kept(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for code in ("closed", "intermediate", "open"):
            await feeder.values(T0, breaker=code, voltage=230)
        for code in ("closed", "intermediate", "open"):
            await feeder.values(T0, breaker=code, voltage=230)
        ledger = await stage.settled(6)
    rows = await stage.rows("feeder-1")
    assert {time: row[3] for time, row in rows.items()} == {0: 1, 1: 2, 2: 0}
    assert (ledger.total.stored, ledger.total.duplicate) == (3, 3)


async def test_late_items_find_their_place_and_are_flagged(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        for time_ms in (T0, T0 - 5_000, T0 + 5_000, T0 - 10_000):
            await feeder.values(time_ms, voltage=230)
            await stage.settled(1)
        await stage.settled(4)
    assert list(await stage.rows("feeder-1")) == [-10_000, -5_000, 0, 5_000]
    entries = await read(stage.database, "observations", Cursor(), 1000)
    batches = [log_batch.decode(entry.body) for entry in entries]
    new, late = log_batch.ItemFlag.NEW, log_batch.ItemFlag.LATE
    flags = {
        int(time_ms) - T0: int(flag)
        for batch in batches
        for time_ms, flag in zip(batch.times_ms, batch.flags, strict=True)
    }
    assert flags[-10_000] == new | late
    assert flags[5_000] == new


async def test_many_items_of_mixed_completeness_survive_the_copy(stage: Stage) -> None:
    """NULLs, flags and both lanes in one batch: what is read is what was sent."""
    items = [
        {
            "time": T0 + place,
            "values": {
                name: float(place + slot)
                for slot, name in enumerate(("voltage", "current", "energy"))
                if (place >> slot) % 2
            },
            "quality": {"voltage": "suspect"} if place % 5 == 0 else {},
        }
        for place in range(1, 200)
    ]
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send({"items": items[:150]})
        await feeder.send({"items": [*items[150:], *items[100:150]]})
        ledger = await stage.settled(249)
    empty = sum(1 for place in range(1, 200) if place % 8 == 0)
    repeated_empty = sum(1 for place in range(101, 151) if place % 8 == 0)
    assert ledger.total.stored == 199 - empty
    assert ledger.total.duplicate == 50 - repeated_empty
    divisors = (1, 1000, 1)
    assert await stage.rows("feeder-1") == {
        place: [
            *(
                (place + slot) / divisors[slot] if (place >> slot) % 2 else None
                for slot in range(3)
            ),
            None,
            None,
        ]
        for place in range(1, 200)
        if place % 8
    }
    quality = await stage.quality("feeder-1")
    assert quality[5] is not None
    assert quality[5][0] == 3 + 16 * 3
    assert quality[185] is not None
    assert quality[185][0] == 3 + 16


async def test_a_device_added_a_moment_ago_is_not_refused(stage: Stage) -> None:
    new = Device("late-comer", "probe", "post-1", publishes=True)
    async with stage.ingest(), stage.device("late-comer") as device:
        await device.values(T0, voltage=1)
        await stage.settled(1)
        await apply_ingest_city(stage.database, 1, new)
        await device.values(T0, voltage=230, current=2)
        ledger = await stage.settled(2)
    assert await stage.rows("late-comer") == {0: [230, 2]}
    assert (ledger.total.rejected, ledger.total.stored) == (1, 1)
    assert ledger.devices[None].rejected == 1


async def test_births_and_deaths_are_told_in_the_log(stage: Stage) -> None:
    async with stage.ingest(), stage.device("gw-1") as gateway:
        await gateway.send({"time": T0, "epoch": 3, "firmware": "1.2"}, "birth")
        await gateway.send({"time": T0, "device": "meter-1"}, "birth")
        await gateway.send({"device": "meter-1"}, "death")
        await gateway.send({"time": T0, "device": "meter-2"}, "birth")
        await gateway.send(b"", "death")
        ledger = await stage.settled(1)
        await until(lambda: _has_notices(stage, 4))
    notices = await _notices(stage)
    meter = await stage.database.fetchval(
        "SELECT device_id FROM devices WHERE key = 'meter-1'"
    )
    gateway_id = notices[0].publisher_id
    assert [(n.kind, n.device_id, n.epoch, n.firmware) for n in notices] == [
        ("birth", gateway_id, 3, "1.2"),
        ("birth", meter, None, None),
        ("death", meter, None, None),
        ("death", gateway_id, None, None),
    ]
    assert (ledger.total.received, ledger.total.rejected) == (1, 1)
    assert await stage.rejected() == [("message", "not_hosted", None, None)]


async def _has_notices(stage: Stage, count: int) -> bool:
    return len(await _notices(stage)) >= count


async def _notices(stage: Stage) -> list[log_batch.Notice]:
    entries = await read(stage.database, "observations", Cursor(), 1000)
    return [
        notice for entry in entries for notice in log_batch.decode(entry.body).notices
    ]


async def test_the_log_advances_in_silence_and_says_that_it_is_caught_up(
    stage: Stage,
) -> None:
    async def advanced() -> bool:
        return bool(
            await stage.database.fetchval(
                "SELECT count(*) > 1 FROM event_log WHERE caught_up AND waiting = 0"
            )
        )

    async with stage.ingest():
        await until(advanced)
    entries = await read(stage.database, "observations", Cursor(), 1000)
    assert [entry.batch for entry in entries] == list(range(1, len(entries) + 1))
