"""Alerts about ourselves: the ledger does not add up, ingest stands still, history lags behind, a publisher floods."""

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from services.core.alerting.alert import AlertState, Move, MoveReason, SubjectMove
from services.core.clock import Clock
from services.core.storage.alerts import apply_moves
from services.core.storage.event_log import wake_consumers
from services.core.storage.pool import Connection
from services.rules.platform_faults import (
    FAULTS,
    FLOOD,
    HISTORY,
    INGEST,
    LEDGER,
    Fault,
)

_LOOK: Final = """
SELECT (SELECT count(*)::float8 FROM ledger_violations) AS violations,
       (SELECT extract(epoch FROM $1::timestamptz - logged_at)::float8 FROM log_streams
        WHERE stream = 'observations' AND isfinite(logged_at)) AS silent,
       (SELECT extract(epoch FROM s.logged_at - c.logged_at)::float8 FROM log_cursors c JOIN log_streams s USING (stream)
        WHERE c.consumer = 'history' AND stream = 'observations'
          AND isfinite(s.logged_at) AND isfinite(c.logged_at)) AS behind
"""
# Of who has not been told of for a minute it has ended.
_FLOODS: Final = """
SELECT publisher, extract(epoch FROM told_at - since)::float8 AS seconds FROM floods
WHERE told_at > $1::timestamptz - interval '1 minute'
"""
_FIRING: Final = """
SELECT rule_key, labels, updated_at FROM alerts WHERE rule_key = ANY($1) AND state = 'firing'
"""


class Case(NamedTuple):
    """What may be wrong: a fault's key, and whose it is where it is one publisher's."""

    key: str
    publisher: str | None = None

    @property
    def fault(self) -> Fault:
        return FAULTS[self.key]


class PlatformWatch:
    """Looks at ourselves in wall time: what is wrong with us may be that the log's own time stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong_since: dict[Case, dt.datetime] = {}

    async def look(self, connection: Connection) -> int:
        """Raise and end alerts; how many moves that were."""
        now = self._clock.now()
        measures = await _measure(connection, now)
        rows = await connection.fetch(_FIRING, list(FAULTS))
        firing = {
            Case(row["rule_key"], row["labels"].get("publisher")): row["updated_at"]
            for row in rows
        }
        moves = self._conclude(measures, firing, now)
        if moves:
            async with connection.transaction():
                await apply_moves(connection, moves, now)
            await wake_consumers(connection, "alerts")
        return len(moves)

    def _conclude(
        self,
        measures: Mapping[Case, float],
        firing: Mapping[Case, dt.datetime],
        now: dt.datetime,
    ) -> list[SubjectMove]:
        """firing: when each alert of ours that fires changed last."""
        wrong = {case for case, value in measures.items() if value > case.fault.above}
        since = self._wrong_since = {
            case: self._wrong_since.get(case, now) for case in wrong
        }
        begun = [
            _moved(case, AlertState.FIRING, measures[case], since[case], now)
            for case in sorted(wrong - firing.keys())
            if now - since[case] >= case.fault.hold
        ]
        ended = [
            _moved(
                case,
                AlertState.RESOLVED,
                measures.get(case, 0.0),
                now,
                max(now, firing[case]),
            )
            for case in sorted(firing.keys() - wrong)
        ]
        return [*begun, *ended]


def _moved(
    case: Case, to: AlertState, value: float, since: dt.datetime, at: dt.datetime
) -> SubjectMove:
    firing = to is AlertState.FIRING
    move = Move(
        to=to,
        at=at,
        since=since,
        severity=case.fault.severity,
        value=value,
        reason=MoveReason.CONDITION_TRUE if firing else MoveReason.CLEARED,
    )
    return SubjectMove(case.fault.subject(case.publisher), move)


async def _measure(connection: Connection, now: dt.datetime) -> dict[Case, float]:
    """What there is nothing to measure of is 0."""
    seen = await connection.fetchrow(_LOOK, now)
    floods = await connection.fetch(_FLOODS, now)
    return {
        Case(LEDGER.key): seen["violations"] or 0.0,
        Case(INGEST.key): seen["silent"] or 0.0,
        Case(HISTORY.key): seen["behind"] or 0.0,
        **{Case(FLOOD.key, row["publisher"]): row["seconds"] for row in floods},
    }
