"""Alerts about ourselves: the ledger does not add up, ingest stands still, history lags behind."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from services.core.alerting.alert import AlertState, Move, MoveReason, SubjectMove
from services.core.clock import Clock
from services.core.storage.alerts import apply_moves
from services.core.storage.event_log import wake_consumers
from services.core.storage.pool import Connection
from services.rules.platform_faults import FAULTS, HISTORY, INGEST, LEDGER, Fault

_LOOK: Final = """
SELECT (SELECT count(*)::float8 FROM ledger_violations) AS violations,
       (SELECT extract(epoch FROM $1::timestamptz - logged_at)::float8 FROM log_streams
        WHERE stream = 'observations' AND isfinite(logged_at)) AS silent,
       (SELECT extract(epoch FROM s.logged_at - c.logged_at)::float8 FROM log_cursors c JOIN log_streams s USING (stream)
        WHERE c.consumer = 'history' AND stream = 'observations'
          AND isfinite(s.logged_at) AND isfinite(c.logged_at)) AS behind
"""
_FIRING: Final = """
SELECT rule_key, updated_at FROM alerts WHERE rule_key = ANY($1) AND state = 'firing'
"""


class PlatformWatch:
    """Looks at ourselves in wall time: what is wrong with us may be that the log's own time stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong_since: dict[str, dt.datetime] = {}

    async def look(self, connection: Connection) -> int:
        """Raise and end alerts; how many moves that were."""
        now = self._clock.now()
        measures = await _measure(connection, now)
        rows = await connection.fetch(_FIRING, list(FAULTS))
        firing = {row["rule_key"]: row["updated_at"] for row in rows}
        moves = self._conclude(measures, firing, now)
        if moves:
            async with connection.transaction():
                await apply_moves(connection, moves, now)
            await wake_consumers(connection, "alerts")
        return len(moves)

    def _conclude(
        self,
        measures: Mapping[str, float],
        firing: Mapping[str, dt.datetime],
        now: dt.datetime,
    ) -> list[SubjectMove]:
        """firing: when each alert of ours that fires changed last."""
        wrong = {key for key, value in measures.items() if value > FAULTS[key].above}
        since = self._wrong_since = {
            key: self._wrong_since.get(key, now) for key in wrong
        }
        begun = [
            _moved(FAULTS[key], AlertState.FIRING, measures[key], since[key], now)
            for key in sorted(wrong - firing.keys())
            if now - since[key] >= FAULTS[key].hold
        ]
        ended = [
            _moved(
                FAULTS[key],
                AlertState.RESOLVED,
                measures[key],
                now,
                max(now, firing[key]),
            )
            for key in sorted(firing.keys() - wrong)
        ]
        return [*begun, *ended]


def _moved(
    fault: Fault, to: AlertState, value: float, since: dt.datetime, at: dt.datetime
) -> SubjectMove:
    firing = to is AlertState.FIRING
    move = Move(
        to=to,
        at=at,
        since=since,
        severity=fault.severity,
        value=value,
        reason=MoveReason.CONDITION_TRUE if firing else MoveReason.CLEARED,
    )
    return SubjectMove(fault.subject, move)


async def _measure(connection: Connection, now: dt.datetime) -> dict[str, float]:
    """What there is nothing to measure of is 0."""
    seen = await connection.fetchrow(_LOOK, now)
    return {
        LEDGER.key: seen["violations"] or 0.0,
        INGEST.key: seen["silent"] or 0.0,
        HISTORY.key: seen["behind"] or 0.0,
    }
