"""The only SQL that writes alerts and their journal: states for the rules service, acknowledgement for the API."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.core.alerting import alert as lifecycle
from services.core.alerting.alert import (
    Alert,
    AlertClass,
    AlertState,
    JournalEntry,
    Move,
    Severity,
    Subject,
    SubjectMove,
)
from services.core.errors import PlatformError
from services.core.storage.alert_rows import (
    acknowledgement_columns,
    alert_of,
    columns_of,
)
from services.core.storage.alert_stream import AlertChange, change_of, encode_changes
from services.core.storage.event_log import NewEntry, append, wake_consumers
from services.core.storage.pool import Connection

_SELECT: Final = """
SELECT a.*, d.key AS district FROM alerts a LEFT JOIN districts d USING (district_id)
"""
_LIST: Final = (
    _SELECT
    + """
WHERE ($1::bigint IS NULL OR a.alert_id < $1)
  AND ($2::text[] IS NULL OR a.state = ANY($2))
  AND ($3::text[] IS NULL OR a.severity = ANY($3))
  AND ($4::text[] IS NULL OR a.class = ANY($4))
  AND ($5::text[] IS NULL OR a.domain = ANY($5))
  AND ($6::text[] IS NULL OR d.key = ANY($6))
  AND ($7::integer IS NULL OR a.thing_id = $7)
  AND ($8::text IS NULL OR a.rule_key = $8)
  AND (NOT $9::boolean OR a.state = 'firing' OR (a.state = 'resolved' AND a.acknowledged_at IS NULL))
  AND ($11::boolean OR NOT EXISTS (
        SELECT FROM datastreams s JOIN observed_properties p USING (observed_property_id)
        WHERE s.datastream_id = a.datastream_id AND p.privacy = 'household'))
ORDER BY a.alert_id DESC LIMIT $10
"""
)
_INSERT: Final = """
INSERT INTO alerts (fingerprint, rule_key, labels, annotations, severity, class, state, domain, district_id, thing_id,
                    datastream_id, value, starts_at, detected_at, ends_at, version, updated_at)
SELECT fingerprint, rule_key, labels, annotations, severity, class, state, domain, district_id, thing_id,
       datastream_id, value, starts_at, detected_at, ends_at, version, updated_at
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::integer[], $10::integer[], $11::integer[], $12::float8[], $13::timestamptz[], $14::timestamptz[],
            $15::timestamptz[], $16::integer[], $17::timestamptz[])
     WITH ORDINALITY AS new (fingerprint, rule_key, labels, annotations, severity, class, state, domain, district_id,
            thing_id, datastream_id, value, starts_at, detected_at, ends_at, version, updated_at, place)
ORDER BY place
RETURNING alert_id
"""
_UPDATE: Final = """
UPDATE alerts SET state = $2, severity = $3, value = $4, starts_at = $5, detected_at = $6, ends_at = $7, version = $8,
    updated_at = $9, acknowledged_at = $10, acknowledged_by = $11, acknowledged_version = $12, acknowledged_note = $13
WHERE alert_id = $1
"""
_ACKNOWLEDGE: Final = """
UPDATE alerts SET version = $2, updated_at = $3, acknowledged_at = $4, acknowledged_by = $5,
    acknowledged_version = $6, acknowledged_note = $7
WHERE alert_id = $1
"""
_JOURNAL: Final = """
INSERT INTO journal (at, alert_id, version, action, actor, reason, value, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class AlertNotFoundError(PlatformError):
    """There is no such alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """None: all. domains and districts (keys) narrow to what an actor may see. inbox: only what wants an operator.

    household: also what is about a datastream of a single household.
    """

    states: Sequence[AlertState] | None = None
    severities: Sequence[Severity] | None = None
    classes: Sequence[AlertClass] | None = None
    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    thing_id: int | None = None
    rule_key: str | None = None
    inbox: bool = False
    household: bool = True


async def list_alerts(
    connection: Connection,
    chosen: AlertFilter,
    before: int | None = None,
    limit: int = 100,
) -> list[Alert]:
    """Newest first. before: the last alert_id of the page before; a page shorter than limit is the last."""
    rows = await connection.fetch(
        _LIST,
        before,
        chosen.states,
        chosen.severities,
        chosen.classes,
        chosen.domains,
        chosen.districts,
        chosen.thing_id,
        chosen.rule_key,
        chosen.inbox,
        limit,
        chosen.household,
    )
    return [alert_of(row) for row in rows]


async def get_alert(connection: Connection, alert_id: int) -> Alert:
    """The alert.

    Raises:
        AlertNotFoundError: there is none of this id.
    """
    row = await connection.fetchrow(_SELECT + "WHERE a.alert_id = $1", alert_id)
    if row is None:
        raise AlertNotFoundError
    return alert_of(row)


async def open_alerts(connection: Connection) -> dict[str, Alert]:
    """What is pending or firing, by fingerprint."""
    rows = await connection.fetch(
        _SELECT + "WHERE a.state IN ('pending', 'firing') ORDER BY a.alert_id"
    )
    return {row["fingerprint"]: alert_of(row) for row in rows}


async def journal_of(connection: Connection, alert_id: int) -> list[JournalEntry]:
    """What happened to an alert, in order."""
    rows = await connection.fetch(
        "SELECT at, action, actor, version, reason, value, note FROM journal WHERE alert_id = $1 ORDER BY journal_id",
        alert_id,
    )
    return [JournalEntry(**dict(row)) for row in rows]


async def acknowledge(
    connection: Connection,
    alert_id: int,
    version: int,
    who: str,
    note: str | None,
    now: dt.datetime,
) -> Alert:
    """Acknowledge an alert as of the version its operator saw, in a transaction of its own, and wake consumers.

    The same operator saying it again of the same version changes nothing and gets the alert.

    Raises:
        AlertNotFoundError: there is none of this id.
        core.alerting.alert.OutdatedVersionError: it has changed since; .current is the alert now.
        core.alerting.alert.AlreadyAcknowledgedError: somebody has; .current tells who.
        core.alerting.alert.NothingToAcknowledgeError: it has not fired.
    """
    async with connection.transaction():
        row = await connection.fetchrow(
            _SELECT + "WHERE a.alert_id = $1 FOR UPDATE OF a", alert_id
        )
        if row is None:
            raise AlertNotFoundError
        alert, entries = lifecycle.acknowledge(alert_of(row), version, who, now, note)
        if not entries:
            return alert
        await connection.execute(
            _ACKNOWLEDGE,
            alert_id,
            alert.version,
            alert.updated_at,
            *acknowledgement_columns(alert),
        )
        await _record(connection, [_Step(alert, entry) for entry in entries], now)
    await wake_consumers(connection, "alerts")
    return alert


@dataclass(slots=True)
class _Draft:
    """An alert as this transaction will leave it."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class _Step:
    alert: Alert
    entry: JournalEntry
    draft: _Draft | None = None

    @property
    def alert_id(self) -> int:
        alert_id = (self.draft or self).alert.alert_id
        if alert_id is None:
            raise ValueError("a step of an alert that is not stored")
        return alert_id

    @property
    def change(self) -> AlertChange:
        return change_of(self.alert_id, self.alert, self.entry)


@dataclass(slots=True)
class _Drafts:
    """Moves folded onto what is stored, by fingerprint; an episode that ends is put aside for a next one."""

    current: dict[str, _Draft]
    touched: dict[int, _Draft] = field(default_factory=dict)  # by id()
    steps: list[_Step] = field(default_factory=list)

    def follow(self, subject: Subject, move: Move) -> None:
        held = self.current.get(subject.fingerprint)
        alert, entries = lifecycle.follow(held.alert if held else None, subject, move)
        if held is None or held.alert.state is AlertState.RESOLVED:
            held = self.current[subject.fingerprint] = _Draft(alert)
        held.alert = alert
        self.touched[id(held)] = held
        self.steps += [_Step(alert, entry, held) for entry in entries]


async def apply_moves(
    connection: Connection, moves: Sequence[SubjectMove], now: dt.datetime
) -> list[AlertChange]:
    """Bring alerts, journal and the alerts stream to what the rules concluded, inside the caller's transaction.

    Moves are in order; the caller wakes consumers of `alerts` after its commit. now: rule time.
    """
    if not moves:
        return []
    drafts = _Drafts(await _lock_current(connection, moves))
    for entry in moves:
        drafts.follow(entry.subject, entry.move)
    touched = drafts.touched.values()
    # What ends first makes room for a next episode of the same identity.
    await _update(
        connection, [draft.alert for draft in touched if draft.alert.alert_id]
    )
    await _insert(connection, [draft for draft in touched if not draft.alert.alert_id])
    return await _record(connection, drafts.steps, now)


async def _lock_current(
    connection: Connection, moves: Sequence[SubjectMove]
) -> dict[str, _Draft]:
    rows = await connection.fetch(
        _SELECT
        + "WHERE a.fingerprint = ANY($1) AND a.state <> 'resolved' ORDER BY a.alert_id FOR UPDATE OF a",
        list({entry.subject.fingerprint for entry in moves}),
    )
    return {row["fingerprint"]: _Draft(alert_of(row)) for row in rows}


async def _update(connection: Connection, alerts: Sequence[Alert]) -> None:
    await connection.executemany(
        _UPDATE,
        [
            (
                alert.alert_id,
                alert.state,
                alert.severity,
                alert.value,
                alert.starts_at,
                alert.detected_at,
                alert.ends_at,
                alert.version,
                alert.updated_at,
                *acknowledgement_columns(alert),
            )
            for alert in alerts
        ],
    )


async def _insert(connection: Connection, drafts: Sequence[_Draft]) -> None:
    """Inserts in order and gives each draft its alert_id."""
    if not drafts:
        return
    columns = zip(*(columns_of(draft.alert) for draft in drafts), strict=True)
    rows = await connection.fetch(_INSERT, *(list(column) for column in columns))
    for draft, row in zip(drafts, rows, strict=True):
        draft.alert = replace(draft.alert, alert_id=row["alert_id"])


async def _record(
    connection: Connection, steps: Sequence[_Step], now: dt.datetime
) -> list[AlertChange]:
    """Journal and stream. The stream's row stays locked until the commit, so it comes last."""
    await connection.executemany(
        _JOURNAL,
        [
            (
                step.entry.at,
                step.alert_id,
                step.entry.version,
                step.entry.action,
                step.entry.actor,
                step.entry.reason,
                step.entry.value,
                step.entry.note,
            )
            for step in steps
        ],
    )
    changes = [step.change for step in steps]
    await append(connection, "alerts", NewEntry(encode_changes(changes), now))
    return changes
