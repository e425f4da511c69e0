"""PURE: where one target of a rule stands, level by level: on or off, and since when it is on its way to turn.

A level turns on when its condition was true for hold_for, and off when it was cleared for clear_for, both counted
in the readings' own time, plus rule time since the last reading arrived. So a device's wrong clock shifts nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.core.alerting.alert import AlertState, MoveReason, Severity
from services.core.alerting.rule import Level, SilentFor


@dataclass(frozen=True, slots=True)
class LevelHold:
    """since: Unix milliseconds from which on what turns this level has been so; None: nothing does."""

    on: bool = False
    since: int | None = None


OFF: Final = LevelHold()
Hold = tuple[LevelHold, ...]  # by the rule's levels


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """A rule as it applies to a target. valid_for_ms: how long a reading speaks for the present."""

    levels: tuple[Level, ...]
    clear_for_ms: int
    valid_for_ms: int

    @property
    def at_rest(self) -> Hold:
        return (OFF,) * len(self.levels)

    def needed_ms(self, index: int, held: LevelHold) -> int:
        return self.clear_for_ms if held.on else self.levels[index].hold_for_ms


@dataclass(frozen=True, slots=True)
class LastReading:
    """time_ms: its own time. heard_ms: rule time of its arrival."""

    time_ms: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of state. since_ms: when in the world it became so."""

    to: AlertState
    since_ms: int
    severity: Severity
    reason: MoveReason


def after_reading(
    policy: HoldPolicy, hold: Hold, value: float, time_ms: int, previous_ms: int | None
) -> Hold:
    """The hold after a reading. previous_ms: time of the reading before, if it is known.

    Readings too far apart prove nothing of the time between: what was waiting begins anew.
    """
    broken = previous_ms is None or time_ms - previous_ms > policy.valid_for_ms
    after = []
    for index, held in enumerate(hold):
        condition = policy.levels[index].condition
        if isinstance(condition, SilentFor):
            raise TypeError("a dead-man rule has no readings to judge")
        turning = condition.is_cleared(value) if held.on else condition.is_raised(value)
        if not turning:
            after.append(replace(held, since=None))
            continue
        since = time_ms if held.since is None or broken else held.since
        done = time_ms - since >= policy.needed_ms(index, held)
        after.append(LevelHold(not held.on) if done else LevelHold(held.on, since))
    return tuple(after)


def after_time(policy: HoldPolicy, hold: Hold, last: LastReading, now_ms: int) -> Hold:
    """The hold at rule time now with no reading since the last: turned, still waiting, or without evidence."""
    if now_ms - last.heard_ms >= policy.valid_for_ms:
        return tuple(replace(held, since=None) for held in hold)
    return tuple(
        LevelHold(not held.on)
        if held.since is not None and now_ms >= _due_ms(policy, index, held, last)
        else held
        for index, held in enumerate(hold)
    )


def next_change_ms(policy: HoldPolicy, hold: Hold, last: LastReading) -> int | None:
    """Rule time at which after_time() would first give another hold; None: never."""
    due = [
        _due_ms(policy, index, held, last)
        for index, held in enumerate(hold)
        if held.since is not None
    ]
    return min(*due, last.heard_ms + policy.valid_for_ms) if due else None


def _due_ms(policy: HoldPolicy, index: int, held: LevelHold, last: LastReading) -> int:
    proven = last.time_ms - (last.time_ms if held.since is None else held.since)
    return last.heard_ms + policy.needed_ms(index, held) - proven


def turns_between(
    levels: Sequence[Level], before: Hold, after: Hold, at_ms: int, *, lost: bool
) -> tuple[Turn, ...]:
    """What an operator would call the difference: none, one change of state, or an end and a new beginning.

    at_ms: the world's time of what turned a level that had not been waiting. lost: evidence ran out.
    """
    was, now = severity_of(levels, before), severity_of(levels, after)
    waiting = rising(levels, after)
    since_ms = _turned_since(before, after, at_ms)
    if was and now:
        return _between_severities(was, now, since_ms)
    if now:
        held = rising(levels, before) is not None
        reason = MoveReason.HELD if held else MoveReason.CONDITION_TRUE
        return (Turn(AlertState.FIRING, since_ms, now, reason),)
    turns = []
    if was:
        turns.append(Turn(AlertState.RESOLVED, since_ms, was, MoveReason.CLEARED))
    waited = rising(levels, before) if not was else None
    if waiting and not waited:
        severity, since = waiting
        turns.append(
            Turn(AlertState.PENDING, since, severity, MoveReason.CONDITION_TRUE)
        )
    if waited and not waiting:
        reason = MoveReason.EVIDENCE_LOST if lost else MoveReason.NOT_HELD
        turns.append(Turn(AlertState.INACTIVE, at_ms, waited[0], reason))
    return tuple(turns)


def severity_of(levels: Sequence[Level], hold: Hold) -> Severity | None:
    """Of the worst level that is on."""
    on = [level.severity for level, held in zip(levels, hold, strict=True) if held.on]
    return on[-1] if on else None


def _between_severities(
    was: Severity, now: Severity, since_ms: int
) -> tuple[Turn, ...]:
    if was is now:
        return ()
    rose = now.rank > was.rank
    reason = MoveReason.SEVERITY_ROSE if rose else MoveReason.SEVERITY_FELL
    return (Turn(AlertState.FIRING, since_ms, now, reason),)


def rising(levels: Sequence[Level], hold: Hold) -> tuple[Severity, int] | None:
    """The worst severity that is on its way up, and since when any is."""
    rising = [
        (level.severity, held.since)
        for level, held in zip(levels, hold, strict=True)
        if not held.on and held.since is not None
    ]
    if not rising:
        return None
    return rising[-1][0], min(since for _, since in rising)


def _turned_since(before: Hold, after: Hold, at_ms: int) -> int:
    """When what turned levels began: the first of those that rose, the last of those that fell."""
    turned = [
        (held.on, at_ms if held.since is None else held.since)
        for held, then in zip(before, after, strict=True)
        if held.on != then.on
    ]
    rose = [since for was_on, since in turned if not was_on]
    return min(rose) if rose else max((since for _, since in turned), default=at_ms)
