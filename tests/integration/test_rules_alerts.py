"""Alerts in the database: who may write what, acknowledgement against the rules service, and the alerts stream."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.core.alerting.alert import (
    AlertClass,
    AlertState,
    AlreadyAcknowledgedError,
    Annotations,
    Move,
    MoveReason,
    NothingToAcknowledgeError,
    OutdatedVersionError,
    Severity,
    Subject,
    SubjectMove,
)
from services.core.city.language import Text
from services.core.storage import alerts, event_log
from services.core.storage.alert_stream import AlertChange, decode_changes
from services.core.storage.alerts import AlertFilter, AlertNotFoundError
from services.core.storage.event_log import Cursor
from services.core.storage.pool import Connection, connect

pytestmark = pytest.mark.integration

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TEXT = Text("Себеп", "Причина", "Cause")


def subject(name: str = "tank.level", domain: str = "water") -> Subject:
    return Subject(
        labels={"rule": "low", "datastream": name},
        rule_key="low",
        annotations=Annotations(TEXT, TEXT, TEXT, dt.timedelta(minutes=15)),
        alert_class=AlertClass.PROCESS,
        domain=domain,
    )


def moved(
    to: AlertState,
    second: int = 0,
    severity: Severity = Severity.MEDIUM,
    about: Subject | None = None,
) -> SubjectMove:
    at = NOW + dt.timedelta(seconds=second)
    move = Move(to=to, at=at, since=at, severity=severity, value=1.5, reason=MoveReason.HELD)  # fmt: skip
    return SubjectMove(about or subject(), move)


PENDING, FIRING, RESOLVED = AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED


@pytest.fixture
async def rules(database_url: str) -> AsyncIterator[Connection]:
    """A connection with the rules service's rights."""
    opened = await connect(database_url, "test")
    await opened.execute("SET ROLE alatau_rules")
    yield opened
    await opened.close()


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    await opened.execute("SET ROLE alatau_api")
    yield opened
    await opened.close()


async def apply(connection: Connection, *moves: SubjectMove) -> list[AlertChange]:
    async with connection.transaction():
        return await alerts.apply_moves(connection, moves, NOW)


async def test_an_alert_comes_back_as_it_was_written(
    rules: Connection, api: Connection
) -> None:
    await apply(rules, moved(PENDING), moved(FIRING, 10))
    alert = await alerts.get_alert(api, 1)
    assert alert.subject == subject()
    assert (alert.state, alert.version, alert.value) == (FIRING, 2, 1.5)
    assert (alert.starts_at, alert.detected_at) == (NOW + dt.timedelta(seconds=10),) * 2
    assert [entry.action for entry in await alerts.journal_of(api, 1)] == [
        "pending",
        "firing",
    ]


async def test_many_moves_of_many_alerts_in_one_transaction_keep_their_order(
    rules: Connection,
) -> None:
    other = subject("main.flow")
    changes = await apply(
        rules,
        moved(FIRING, 1),
        moved(FIRING, 1, about=other),
        moved(RESOLVED, 2),
        moved(PENDING, 3),
        moved(RESOLVED, 3, about=other),
        moved(FIRING, 4),
    )
    told = [(change.labels["datastream"], change.action, change.version) for change in changes]  # fmt: skip
    assert told == [
        ("tank.level", "firing", 1),
        ("main.flow", "firing", 1),
        ("tank.level", "resolved", 2),
        ("tank.level", "pending", 1),
        ("main.flow", "resolved", 2),
        ("tank.level", "firing", 2),
    ]
    assert [change.alert_id for change in changes] == [1, 2, 1, 3, 2, 3]


async def test_the_stream_tells_every_change_in_the_order_of_the_commits(
    rules: Connection, api: Connection
) -> None:
    first = await apply(rules, moved(FIRING))
    await alerts.acknowledge(api, 1, 1, "ann", "on my way", NOW)
    worse = await apply(rules, moved(FIRING, 5, Severity.CRITICAL))
    entries = await event_log.read(api, "alerts", Cursor())
    told = [change for entry in entries for change in decode_changes(entry.body)]
    assert told[0] == first[0]
    assert [(change.action, change.version, change.actor) for change in told] == [
        ("firing", 1, "rule:low"),
        ("acknowledged", 2, "ann"),
        ("firing", 3, "rule:low"),
        ("acknowledgement_void", 3, "rule:low"),
    ]
    assert told[1].acknowledged_by == "ann"
    assert worse[0].acknowledged_by is None


async def test_what_was_rolled_back_was_never_told(rules: Connection) -> None:
    transaction = rules.transaction()
    await transaction.start()
    await alerts.apply_moves(rules, [moved(FIRING)], NOW)
    await transaction.rollback()
    assert await event_log.read(rules, "alerts", Cursor()) == []
    assert await alerts.list_alerts(rules, AlertFilter()) == []


async def test_consumers_are_woken_by_an_acknowledgement(
    rules: Connection, api: Connection
) -> None:
    await apply(rules, moved(FIRING))
    woken: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def on_notice(*notice: object) -> None:
        woken.set_result(notice[3])

    await rules.add_listener(event_log.WAKE_CHANNEL, on_notice)
    await alerts.acknowledge(api, 1, 1, "ann", None, NOW)
    assert await asyncio.wait_for(woken, 5) == "alerts"


class TestAcknowledge:
    async def test_refusals_leave_everything_as_it_was(
        self, rules: Connection, api: Connection
    ) -> None:
        await apply(rules, moved(FIRING), moved(PENDING, about=subject("other")))
        with pytest.raises(AlertNotFoundError):
            await alerts.acknowledge(api, 99, 1, "ann", None, NOW)
        with pytest.raises(OutdatedVersionError):
            await alerts.acknowledge(api, 1, 7, "ann", None, NOW)
        with pytest.raises(NothingToAcknowledgeError):
            await alerts.acknowledge(api, 2, 1, "ann", None, NOW)
        await alerts.acknowledge(api, 1, 1, "ann", None, NOW)
        with pytest.raises(AlreadyAcknowledgedError):
            await alerts.acknowledge(api, 1, 2, "bob", None, NOW)
        assert len(await alerts.journal_of(api, 1)) == 2

    async def test_the_same_operators_second_click_is_no_second_event(
        self, rules: Connection, api: Connection
    ) -> None:
        await apply(rules, moved(FIRING))
        once = await alerts.acknowledge(api, 1, 1, "ann", None, NOW)
        assert await alerts.acknowledge(api, 1, 1, "ann", None, NOW) == once
        assert len(await event_log.read(api, "alerts", Cursor())) == 2

    async def test_a_rise_that_is_being_committed_is_waited_for(
        self, rules: Connection, api: Connection
    ) -> None:
        """The operator's word came a moment too late: it is refused, never put on what they have not seen."""
        await apply(rules, moved(FIRING))
        async with rules.transaction():
            await alerts.apply_moves(rules, [moved(FIRING, 1, Severity.HIGH)], NOW)
            word = asyncio.create_task(alerts.acknowledge(api, 1, 1, "ann", None, NOW))
            await asyncio.wait([word], timeout=0.1)
            assert not word.done()
        with pytest.raises(OutdatedVersionError):
            await word

    async def test_the_api_may_not_change_what_the_rules_found(
        self, rules: Connection, api: Connection
    ) -> None:
        await apply(rules, moved(FIRING))
        import asyncpg  # noqa: PLC0415 # its error alone

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.execute("UPDATE alerts SET state = 'resolved'")


class TestLists:
    async def test_filters_narrow_and_pages_follow(
        self, rules: Connection, api: Connection
    ) -> None:
        for number in range(5):
            about = subject(f"s{number}", "water" if number % 2 else "gas")
            await apply(rules, moved(FIRING, about=about))
        await apply(rules, moved(RESOLVED, 9, about=subject("s1")))
        await alerts.acknowledge(api, 2, 2, "ann", None, NOW)

        async def ids(before: int | None = None, limit: int = 9, **chosen: Any) -> Any:
            found = await alerts.list_alerts(api, AlertFilter(**chosen), before, limit)
            return [alert.alert_id for alert in found]

        assert await ids() == [5, 4, 3, 2, 1]
        assert await ids(limit=2) == [5, 4]
        assert await ids(before=4, limit=2) == [3, 2]
        assert await ids(domains=["gas"]) == [5, 3, 1]
        assert await ids(domains=[]) == []
        assert await ids(states=[RESOLVED]) == [2]
        assert await ids(inbox=True) == [5, 4, 3, 1]
        assert await ids(severities=[Severity.LOW]) == []
