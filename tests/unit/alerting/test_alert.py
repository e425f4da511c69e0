"""The life of an alert, as properties of every sequence of moves."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.alerting.alert import (
    Alert,
    AlertClass,
    AlertState,
    AlreadyAcknowledgedError,
    Annotations,
    IllegalMoveError,
    Move,
    MoveReason,
    NothingToAcknowledgeError,
    OutdatedVersionError,
    Severity,
    Subject,
    acknowledge,
    fingerprint_of,
    follow,
)
from services.core.city.language import Text

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
TEXT = Text("к", "р", "e")
SUBJECT = Subject(
    labels={"rule": "low", "datastream": "tank.level"},
    rule_key="low",
    annotations=Annotations(TEXT, TEXT, TEXT, dt.timedelta(minutes=15)),
    alert_class=AlertClass.PROCESS,
    domain="water",
)
LEGAL = {
    AlertState.INACTIVE: {AlertState.PENDING, AlertState.FIRING},
    AlertState.RESOLVED: {AlertState.PENDING, AlertState.FIRING},
    AlertState.PENDING: {AlertState.FIRING, AlertState.INACTIVE},
    AlertState.FIRING: {AlertState.FIRING, AlertState.RESOLVED},
}


def at(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


def move(to: AlertState, second: int = 0, severity: Severity = Severity.MEDIUM) -> Move:
    return Move(
        to=to,
        at=at(second),
        since=at(second - 5),
        severity=severity,
        value=float(second),
        reason=MoveReason.HELD,
    )


def firing(severity: Severity = Severity.MEDIUM) -> Alert:
    alert, _ = follow(None, SUBJECT, move(AlertState.FIRING, severity=severity))
    return alert


moves = st.lists(
    st.tuples(st.sampled_from(AlertState), st.sampled_from(Severity), st.booleans()),
    max_size=20,
)


@given(moves)
def test_every_sequence_of_moves_keeps_the_rules_of_a_life(
    steps: list[tuple[AlertState, Severity, bool]],
) -> None:
    """Only legal moves happen; versions rise by one; what is over stays over; an acknowledgement falls with a rise."""
    current: Alert | None = None
    for second, (to, severity, wants_acknowledgement) in enumerate(steps):
        state = current.state if current else AlertState.RESOLVED
        same = state is AlertState.FIRING is to and current and current.severity is severity  # fmt: skip
        if to not in LEGAL[state] or same:
            with pytest.raises(IllegalMoveError):
                follow(current, SUBJECT, move(to, second, severity))
            continue
        before = current
        current, entries = follow(before, SUBJECT, move(to, second, severity))
        assert current.state is to
        assert entries[0].action == to
        assert {entry.version for entry in entries} == {current.version}
        if before is None or before.state is AlertState.RESOLVED:
            assert (current.version, current.alert_id) == (1, None)
        else:
            assert current.version == before.version + 1
        check_acknowledgement(before, current, [entry.action for entry in entries])
        if wants_acknowledgement and to in (AlertState.FIRING, AlertState.RESOLVED):
            if current.acknowledgement is None:
                current, _ = acknowledge(current, current.version, "ann", at(second))
            assert current.in_inbox == (to is AlertState.FIRING)


def check_acknowledgement(
    before: Alert | None, after: Alert, actions: list[str]
) -> None:
    had = before is not None and before.acknowledgement is not None
    new_episode = before is not None and before.state is AlertState.RESOLVED
    rose = before is not None and after.severity.rank > before.severity.rank
    falls = had and rose and after.state is AlertState.FIRING and not new_episode
    assert ("acknowledgement_void" in actions) == falls
    if had and not new_episode:
        assert (after.acknowledgement is None) == falls


def test_a_pending_that_passes_is_taken_up_by_the_next() -> None:
    pending, _ = follow(None, SUBJECT, move(AlertState.PENDING, 0))
    stored = follow(pending, SUBJECT, move(AlertState.INACTIVE, 5))[0]
    again, _ = follow(stored, SUBJECT, move(AlertState.PENDING, 60))
    assert again.version == 3
    assert again.starts_at == at(55)
    assert not stored.in_inbox


def test_times_say_when_it_began_when_it_was_noticed_and_when_it_ended() -> None:
    pending, _ = follow(None, SUBJECT, move(AlertState.PENDING, 10))
    fired, _ = follow(pending, SUBJECT, move(AlertState.FIRING, 20))
    over, _ = follow(fired, SUBJECT, move(AlertState.RESOLVED, 90))
    assert (over.starts_at, over.detected_at, over.ends_at) == (at(15), at(20), at(85))


def test_an_end_before_the_beginning_is_the_beginning() -> None:
    """A correction can clear a condition at the very time it began, or before."""
    over, _ = follow(firing(), SUBJECT, move(AlertState.RESOLVED, -60))
    assert over.ends_at == over.starts_at


def test_a_resolved_alert_keeps_its_severity_and_stays_in_the_inbox() -> None:
    over, _ = follow(
        firing(Severity.HIGH), SUBJECT, move(AlertState.RESOLVED, 9, Severity.LOW)
    )
    assert over.severity is Severity.HIGH
    assert over.in_inbox
    seen, entries = acknowledge(over, over.version, "ann", at(10), "pipe mended")
    assert not seen.in_inbox
    assert (entries[0].action, entries[0].note) == ("acknowledged", "pipe mended")


class TestAcknowledge:
    def test_the_same_word_said_twice_changes_nothing(self) -> None:
        once, _ = acknowledge(firing(), 1, "ann", at(1))
        twice, entries = acknowledge(once, 1, "ann", at(2))
        assert twice == once
        assert entries == ()

    def test_a_colleague_is_told_who_was_first(self) -> None:
        once, _ = acknowledge(firing(), 1, "ann", at(1))
        with pytest.raises(AlreadyAcknowledgedError) as refused:
            acknowledge(once, 2, "bob", at(2))
        held = refused.value.current.acknowledgement
        assert held is not None
        assert held.by == "ann"

    def test_an_outdated_version_is_refused_with_the_alert_as_it_is(self) -> None:
        worse, _ = follow(
            firing(), SUBJECT, move(AlertState.FIRING, 1, Severity.CRITICAL)
        )
        with pytest.raises(OutdatedVersionError) as refused:
            acknowledge(worse, 1, "ann", at(2))
        assert refused.value.current == worse

    def test_what_has_not_fired_cannot_be_acknowledged(self) -> None:
        pending, _ = follow(None, SUBJECT, move(AlertState.PENDING))
        with pytest.raises(NothingToAcknowledgeError):
            acknowledge(pending, 1, "ann", at(1))


def test_impossible_alerts_cannot_be_built() -> None:
    for wrong in (
        {"state": AlertState.FIRING},
        {"state": AlertState.PENDING, "ends_at": NOW},
        {"state": AlertState.PENDING, "starts_at": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
    ):
        facts = {"starts_at": NOW, "updated_at": NOW, **wrong}
        with pytest.raises(ValueError, match=r"alert's time|does not fit"):
            Alert(subject=SUBJECT, severity=Severity.LOW, value=None, **facts)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4))
def test_a_fingerprint_is_of_the_labels_in_any_order(labels: dict[str, str]) -> None:
    turned = dict(reversed(labels.items()))
    assert fingerprint_of(turned) == fingerprint_of(labels)
    assert fingerprint_of({**labels, "one more": "x"}) != fingerprint_of(labels)
