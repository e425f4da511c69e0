"""PURE: an alert is labels and a time span; its states, and who acknowledged it, as a state machine.

inactive → pending → firing → resolved. A pending whose condition passes before it fires is inactive again,
and the next pending of the same labels takes it up; what fired and resolved is never reopened.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from services.core.city.language import Text


class AlertState(StrEnum):
    INACTIVE = "inactive"
    PENDING = "pending"  # the condition is true, and has not held long enough yet
    FIRING = "firing"
    RESOLVED = "resolved"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Rises with severity."""
        return _RANKS[self]


_RANKS: Final = {
    Severity.LOW: 1,
    Severity.MEDIUM: 2,
    Severity.HIGH: 3,
    Severity.CRITICAL: 4,
}


class AlertClass(StrEnum):
    PROCESS = "process"  # the city: a pressure, a jam
    EQUIPMENT = "equipment"  # what measures it: a silent device, an undefined breaker
    PLATFORM = "platform"  # ourselves: a full disk


class MoveReason(StrEnum):
    CONDITION_TRUE = "condition_true"
    HELD = "held"  # true for as long as the rule asks
    NOT_HELD = "not_held"  # no longer true before that
    EVIDENCE_LOST = "evidence_lost"  # readings stopped before that
    SEVERITY_ROSE = "severity_rose"
    SEVERITY_FELL = "severity_fell"
    CLEARED = "cleared"
    SILENT = "silent"
    HEARD_AGAIN = "heard_again"
    RULE_RETIRED = "rule_retired"
    RULE_CHANGED = "rule_changed"
    TARGET_RETIRED = "target_retired"


@dataclass(frozen=True, slots=True)
class Annotations:
    """What an operator reads. respond_within: how long the consequence leaves."""

    cause: Text
    consequence: Text
    action: Text
    respond_within: dt.timedelta


Labels = Mapping[str, str]


def fingerprint_of(labels: Labels) -> str:
    """Identity by labels: the same labels in any order have the same fingerprint."""
    text = json.dumps(sorted(labels.items()), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about; labels alone are its identity."""

    labels: Labels
    rule_key: str
    annotations: Annotations
    alert_class: AlertClass
    domain: str
    district_id: int | None = None
    district: str | None = None
    thing_id: int | None = None
    datastream_id: int | None = None
    fingerprint: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint_of(self.labels))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """version: of the alert as the operator saw it."""

    at: dt.datetime
    by: str
    version: int
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a rule concluded about one identity.

    at: rule time. since: when that became so in the world. severity, value: what brought it there.
    """

    to: AlertState
    at: dt.datetime
    since: dt.datetime
    severity: Severity
    value: float | None
    reason: MoveReason


@dataclass(frozen=True, slots=True)
class SubjectMove:
    subject: Subject
    move: Move


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """action: a state, acknowledged, or acknowledgement_void. version: the alert's after it."""

    at: dt.datetime
    action: str
    actor: str
    version: int
    reason: str = ""
    value: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode. alert_id: None until it is stored."""

    subject: Subject
    state: AlertState
    severity: Severity
    value: float | None
    starts_at: dt.datetime
    updated_at: dt.datetime
    detected_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    version: int = 1
    acknowledgement: Acknowledgement | None = None
    alert_id: int | None = None

    def __post_init__(self) -> None:
        for moment in (
            self.starts_at,
            self.updated_at,
            self.detected_at,
            self.ends_at,
        ):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("an alert's time without an offset")
        if (self.detected_at is not None) != (
            self.state in (AlertState.FIRING, AlertState.RESOLVED)
        ):
            raise ValueError(f"detected_at does not fit the state {self.state}")
        if (self.ends_at is not None) != (self.state is AlertState.RESOLVED):
            raise ValueError(f"ends_at does not fit the state {self.state}")

    @property
    def open(self) -> bool:
        return self.state in (AlertState.PENDING, AlertState.FIRING)

    @property
    def in_inbox(self) -> bool:
        """Wants an operator: firing, or resolved before anybody acknowledged it."""
        return self.state is AlertState.FIRING or (
            self.state is AlertState.RESOLVED and self.acknowledgement is None
        )


class OutdatedVersionError(ValueError):
    """The alert has changed since that version."""

    def __init__(self, current: Alert) -> None:
        super().__init__(f"the alert is at version {current.version} now")
        self.current = current


class AlreadyAcknowledgedError(ValueError):
    """Somebody has acknowledged the alert, and it has not become worse since."""

    def __init__(self, current: Alert) -> None:
        super().__init__("the alert is acknowledged already")
        self.current = current


class NothingToAcknowledgeError(ValueError):
    """The alert has not fired."""

    def __init__(self, current: Alert) -> None:
        super().__init__(
            f"the alert is {current.state}: there is nothing to acknowledge"
        )
        self.current = current


class IllegalMoveError(ValueError):
    """No alert moves that way."""


Step = tuple[Alert, tuple[JournalEntry, ...]]


def follow(current: Alert | None, subject: Subject, move: Move) -> Step:
    """The alert after a move, and what the journal says of it.

    current: the newest alert of the subject's labels, if any. One that resolved stays as it is:
    a new episode begins.

    Raises:
        IllegalMoveError: there is no such way from the current state.
    """
    state = current.state if current else AlertState.RESOLVED
    match (state, move.to):
        case (
            AlertState.INACTIVE | AlertState.RESOLVED,
            AlertState.PENDING | AlertState.FIRING,
        ):
            return _begin(current, subject, move)
        case (AlertState.PENDING, AlertState.FIRING | AlertState.INACTIVE):
            return _moved(_require(current), move)
        case (AlertState.FIRING, AlertState.FIRING):
            return _change_severity(_require(current), move)
        case (AlertState.FIRING, AlertState.RESOLVED):
            return _moved(_require(current), move)
        case _:
            raise IllegalMoveError(f"from {state} to {move.to}")


def acknowledge(
    alert: Alert, version: int, by: str, at: dt.datetime, note: str | None = None
) -> Step:
    """The alert, acknowledged as of the version its operator saw; the same word said twice changes nothing.

    Raises:
        NothingToAcknowledgeError: it has not fired.
        AlreadyAcknowledgedError: somebody did, or the same operator at another version.
        OutdatedVersionError: it has changed since.
    """
    held = alert.acknowledgement
    if held is not None:
        if (held.by, held.version) == (by, version):
            return alert, ()
        raise AlreadyAcknowledgedError(alert)
    if alert.state not in (AlertState.FIRING, AlertState.RESOLVED):
        raise NothingToAcknowledgeError(alert)
    if version != alert.version:
        raise OutdatedVersionError(alert)
    changed = replace(
        alert,
        version=alert.version + 1,
        acknowledgement=Acknowledgement(at, by, version, note),
        updated_at=at,
    )
    entry = JournalEntry(
        at=at, action="acknowledged", actor=by, version=changed.version, note=note
    )
    return changed, (entry,)


def _require(current: Alert | None) -> Alert:
    if current is None:
        raise IllegalMoveError("there is no alert to move")
    return current


def _begin(current: Alert | None, subject: Subject, move: Move) -> Step:
    resumed = current if current and current.state is AlertState.INACTIVE else None
    alert = Alert(
        subject=subject,
        state=move.to,
        severity=move.severity,
        value=move.value,
        starts_at=move.since,
        updated_at=move.at,
        detected_at=move.at if move.to is AlertState.FIRING else None,
        version=resumed.version + 1 if resumed else 1,
        alert_id=resumed.alert_id if resumed else None,
    )
    return alert, (_entry(alert, move),)


def _moved(alert: Alert, move: Move) -> Step:
    firing = move.to is AlertState.FIRING
    resolved = move.to is AlertState.RESOLVED
    changed = replace(
        alert,
        state=move.to,
        # A resolved alert keeps the severity it had; a pending one fires with what it has reached.
        severity=move.severity if firing else alert.severity,
        value=move.value,
        starts_at=move.since if firing else alert.starts_at,
        detected_at=move.at if firing else alert.detected_at,
        ends_at=max(move.since, alert.starts_at) if resolved else None,
        version=alert.version + 1,
        updated_at=move.at,
    )
    return changed, (_entry(changed, move),)


def _change_severity(alert: Alert, move: Move) -> Step:
    if move.severity is alert.severity:
        raise IllegalMoveError(f"it is {alert.severity} already")
    void = (
        move.severity.rank > alert.severity.rank and alert.acknowledgement is not None
    )
    changed = replace(
        alert,
        severity=move.severity,
        value=move.value,
        version=alert.version + 1,
        acknowledgement=None if void else alert.acknowledgement,
        updated_at=move.at,
    )
    entry = _entry(changed, move)
    if not void:
        return changed, (entry,)
    return changed, (entry, replace(entry, action="acknowledgement_void"))


def _entry(alert: Alert, move: Move) -> JournalEntry:
    return JournalEntry(
        at=move.at,
        action=str(move.to),
        actor=f"rule:{alert.subject.rule_key}",
        version=alert.version,
        reason=str(move.reason),
        value=move.value,
    )
