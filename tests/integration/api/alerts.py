"""Alerts as the rules service raises them."""

import datetime as dt

from services.core.alerting.alert import (
    AlertClass,
    AlertState,
    Annotations,
    Move,
    MoveReason,
    Severity,
    Subject,
    SubjectMove,
)
from services.core.city.language import Text
from services.core.storage.alerts import apply_moves
from services.core.storage.event_log import wake_consumers
from services.core.storage.pool import Connection
from tests.integration.api.seed import NOW

TEXT = Text("қаз", "рус", "eng")


async def subject(
    connection: Connection, thing: str, datastream: str | None = None
) -> Subject:
    row = await connection.fetchrow(
        """
        SELECT thing_id, domain, district_id, di.key AS district FROM things t JOIN districts di USING (district_id)
        WHERE t.key = $1
        """,
        thing,
    )
    datastream_id = await connection.fetchval(
        "SELECT datastream_id FROM datastreams WHERE key = $1", datastream
    )
    return Subject(
        labels={"rule": "too-high", "thing": thing},
        rule_key="too-high",
        annotations=Annotations(TEXT, TEXT, TEXT, dt.timedelta(minutes=15)),
        alert_class=AlertClass.PROCESS,
        domain=row["domain"],
        district_id=row["district_id"],
        district=row["district"],
        thing_id=row["thing_id"],
        datastream_id=datastream_id,
    )


def whole_city() -> Subject:
    """About the platform itself: no thing, no district."""
    return Subject(
        labels={"rule": "disk"},
        rule_key="disk",
        annotations=Annotations(TEXT, TEXT, TEXT, dt.timedelta(hours=1)),
        alert_class=AlertClass.PLATFORM,
        domain="platform",
    )


async def move(
    connection: Connection,
    about: Subject,
    to: AlertState = AlertState.FIRING,
    *,
    severity: Severity = Severity.HIGH,
    at: dt.datetime = NOW,
) -> int:
    """The alert's id."""
    reasons = {
        AlertState.PENDING: MoveReason.CONDITION_TRUE,
        AlertState.FIRING: MoveReason.HELD,
        AlertState.RESOLVED: MoveReason.CLEARED,
    }
    concluded = Move(
        to=to, at=at, since=at, severity=severity, value=7.5, reason=reasons[to]
    )
    async with connection.transaction():
        changes = await apply_moves(connection, [SubjectMove(about, concluded)], at)
    await wake_consumers(connection, "alerts")
    return changes[-1].alert_id
