"""PURE: how stored holds and open alerts fit the rules and targets there are now, after a start or a change of either."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.core.alerting.alert import (
    Alert,
    AlertState,
    Move,
    MoveReason,
    Severity,
    Subject,
    SubjectMove,
)
from services.core.alerting.hold import OFF, Hold, LevelHold, rising, severity_of
from services.core.alerting.rule import Level
from services.rules.stored import Levels, StoredHold
from services.rules.targets import Targets


@dataclass(slots=True)
class Settlement:
    """holds: of targets. orphans: stored holds whose target is gone. moves: what open alerts have to do about it."""

    holds: dict[int, Hold] = field(default_factory=dict)
    orphans: list[StoredHold] = field(default_factory=list)
    moves: list[SubjectMove] = field(default_factory=list)


def settle(
    targets: Targets,
    stored: Sequence[StoredHold],
    subjects: Mapping[int, Subject],
    alerts: Mapping[str, Alert],
    at: dt.datetime,
) -> Settlement:
    """subjects: of the stored holds' targets. alerts: the open ones, by fingerprint. at: rule time."""
    result = Settlement()
    kept: dict[str, tuple[int, Hold]] = {}
    fitting: set[str] = set()
    for held in stored:
        target = targets.find(held.rule_key, held.source_id)
        if target is None or subjects[target].fingerprint != held.fingerprint:
            result.orphans.append(held)
            continue
        fitting.add(held.fingerprint)
        if hold := _fitted(targets, target, held.levels):
            result.holds[target] = hold
            kept[held.fingerprint] = (target, hold)
        else:
            result.orphans.append(held)
    rules = {rule.key for rule in targets.rules}
    for fingerprint, alert in alerts.items():
        now = max(at, alert.updated_at)
        if fingerprint in kept:
            target, hold = kept[fingerprint]
            move = _corrected(alert, hold, targets.policy(target).levels, now)
        elif fingerprint in fitting:
            move = _ended(alert, now, MoveReason.RULE_CHANGED)
        elif alert.subject.rule_key in rules:
            move = _ended(alert, now, MoveReason.TARGET_RETIRED)
        else:
            move = _ended(alert, now, MoveReason.RULE_RETIRED)
        result.moves += [SubjectMove(alert.subject, move)] if move else []
    return result


def _fitted(targets: Targets, target: int, levels: Levels) -> Hold | None:
    """The hold in the levels of the rule as it is now; None: nothing of it is left."""
    hold = tuple(
        LevelHold(**levels[level.severity]) if level.severity in levels else OFF
        for level in targets.policy(target).levels
    )
    return hold if any(level != OFF for level in hold) else None


def _corrected(
    alert: Alert, hold: Hold, levels: Sequence[Level], at: dt.datetime
) -> Move | None:
    """What an alert has to do when its rule's levels were changed under it."""
    severity = severity_of(levels, hold)
    if alert.state is AlertState.PENDING:
        lost = severity is None and rising(levels, hold) is None
        return _ended(alert, at, MoveReason.RULE_CHANGED) if lost else None
    if severity is None:
        return _ended(alert, at, MoveReason.RULE_CHANGED)
    if severity is alert.severity:
        return None
    return _move(alert, AlertState.FIRING, at, severity, MoveReason.RULE_CHANGED)


def _ended(alert: Alert, at: dt.datetime, reason: MoveReason) -> Move:
    firing = alert.state is AlertState.FIRING
    to = AlertState.RESOLVED if firing else AlertState.INACTIVE
    return _move(alert, to, at, alert.severity, reason)


def _move(
    alert: Alert,
    to: AlertState,
    at: dt.datetime,
    severity: Severity,
    reason: MoveReason,
) -> Move:
    return Move(
        to=to, at=at, since=at, severity=severity, value=alert.value, reason=reason
    )


def stored_levels(levels: Sequence[Level], hold: Hold) -> dict[str, Any]:
    """A hold as rule_holds keeps it."""
    return {
        level.severity.value: {"on": held.on, "since": held.since}
        for level, held in zip(levels, hold, strict=True)
        if held != OFF
    }
