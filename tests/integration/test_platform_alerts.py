"""What is wrong with ourselves is an alert, and ends when it is right again; a rulebook has no say in it."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from services.core.clock import ManualClock
from services.core.storage.alerts import open_alerts
from services.core.storage.pool import Connection, connect
from services.rules.engine import Engine
from services.rules.platform import PlatformWatch
from services.rules.platform_faults import FAULTS, Fault
from tests.integration.api.city_api import as_role

pytestmark = pytest.mark.integration
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    yield opened
    await opened.close()


async def firing(connection: Connection) -> set[str]:
    return {a.subject.rule_key for a in (await open_alerts(connection)).values()}


async def test_a_ledger_that_does_not_add_up_is_told_at_once(
    connection: Connection,
) -> None:
    watch = PlatformWatch(ManualClock(NOW))
    assert await watch.look(connection) == 0
    await connection.execute(
        "INSERT INTO publisher_totals VALUES (0, 5, 4, 0, 0, 0, 0, $1)", NOW
    )
    assert await watch.look(connection) == 1
    assert await watch.look(connection) == 0
    [alert] = (await open_alerts(connection)).values()
    told = (alert.severity, alert.value, alert.subject.alert_class)
    assert told == ("critical", 1.0, "platform")
    await Engine.begin(connection)  # which ends the alerts of rules that are gone
    assert await firing(connection) == {"platform.ledger"}
    await connection.execute("UPDATE publisher_totals SET rejected = 1")
    assert await watch.look(connection) == 1
    assert await firing(connection) == set()


async def test_what_stands_still_is_told_when_it_lasts(connection: Connection) -> None:
    clock = ManualClock(NOW)
    watch = PlatformWatch(clock)
    await connection.execute(
        "UPDATE log_streams SET logged_at = $1 WHERE stream = 'observations'", NOW
    )
    await connection.execute(
        "INSERT INTO log_cursors VALUES ('history', 'observations', 0, $1)",
        NOW - dt.timedelta(seconds=61),
    )
    assert await watch.look(connection) == 0
    clock.advance(60)
    assert await watch.look(connection) == 1
    assert await firing(connection) == {"platform.history"}
    clock.advance(60)
    assert await watch.look(connection) == 0
    clock.advance(30)
    assert await watch.look(connection) == 1
    assert await firing(connection) == {"platform.history", "platform.ingest"}
    await connection.execute("UPDATE log_streams SET logged_at = $1", clock.now())
    await connection.execute("UPDATE log_cursors SET logged_at = $1", clock.now())
    assert await watch.look(connection) == 2
    assert await firing(connection) == set()


async def test_each_publisher_that_floods_for_two_minutes_is_named(
    connection: Connection, database_url: str
) -> None:
    clock = ManualClock(NOW)
    rules = await connect(as_role(database_url, "alatau_rules"), "test")
    watch = PlatformWatch(clock)

    async def look_at(**seconds: int) -> set[str]:
        """Who floods since so many seconds, as ingest tells."""
        clock.advance(70)
        await connection.execute(
            "INSERT INTO floods SELECT p, $3::timestamptz - s * interval '1 s', $3 FROM unnest($1::text[], $2::int[]) n (p, s)"
            " ON CONFLICT (publisher) DO UPDATE SET since = excluded.since, told_at = excluded.told_at",
            list(seconds),
            list(seconds.values()),
            clock.now(),
        )
        await watch.look(rules)
        alerts = (await open_alerts(connection)).values()
        assert {a.subject.rule_key for a in alerts} <= {"platform.flood"}
        return {a.subject.labels["publisher"] for a in alerts}

    assert await look_at(gw=100, meter=130) == {"meter"}
    assert await look_at(gw=170, meter=200) == {"gw", "meter"}
    [told, _] = (await open_alerts(connection)).values()
    assert "meter has been sending" in told.subject.annotations.cause.en
    assert "watch meter" in told.subject.annotations.action.ru
    assert (told.value, told.severity) == (130.0, "medium")
    watch = PlatformWatch(clock)
    assert await look_at(gw=240) == {"gw"}
    assert await look_at() == set()
    await rules.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.key)
def test_every_fault_is_said_in_three_languages(fault: Fault) -> None:
    annotations = fault.annotations
    for text in (annotations.cause, annotations.consequence, annotations.action):
        assert len({text.kk, text.ru, text.en}) == 3
