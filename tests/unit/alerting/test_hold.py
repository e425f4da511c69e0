"""Levels turn when, and only when, the condition held long enough on unbroken evidence."""

from hypothesis import given
from hypothesis import strategies as st

from services.core.alerting.alert import AlertState, MoveReason, Severity
from services.core.alerting.hold import (
    OFF,
    Hold,
    HoldPolicy,
    LastReading,
    LevelHold,
    after_reading,
    after_time,
    next_change_ms,
    severity_of,
    turns_between,
)
from services.core.alerting.rule import InCodes, Level, Operator, Threshold

HOLD, CLEAR, VALID = 10_000, 6_000, 25_000
LOW = Level(Severity.MEDIUM, Threshold(Operator.BELOW, 2, 2.5), HOLD)
LOWEST = Level(Severity.CRITICAL, Threshold(Operator.BELOW, 1, 1.5), HOLD)
ONE = HoldPolicy((LOW,), CLEAR, VALID)
TWO = HoldPolicy((LOW, LOWEST), CLEAR, VALID)

# Values on both sides of, and between, the threshold and where it clears.
values = st.sampled_from([0.5, 1.2, 1.9, 2.0, 2.3, 2.5, 3.0])
readings = st.lists(st.tuples(st.integers(1, 30_000), values), max_size=40)


def tell(
    policy: HoldPolicy, gaps: list[tuple[int, float]], start_ms: int = 0
) -> list[tuple[int, float, Hold]]:
    """(time, value, hold after it) of readings that come so many milliseconds after each other."""
    told: list[tuple[int, float, Hold]] = []
    hold, time_ms, previous = policy.at_rest, start_ms, None
    for gap, value in gaps:
        time_ms += gap
        hold = after_reading(policy, hold, value, time_ms, previous)
        previous = time_ms
        told.append((time_ms, value, hold))
    return told


def proven_since(
    told: list[tuple[int, float, Hold]], last: int, *, low: bool
) -> int | None:
    """From when up to a reading all were below 2 (low), or none below 2.5, with no gap too long."""
    since = None
    for place in range(last, -1, -1):
        time_ms, value, _ = told[place]
        if (value < 2) != low if low else value < 2.5:
            break
        if since is not None and since - time_ms > VALID:
            break
        since = time_ms
    return since


@given(readings)
def test_a_level_turns_exactly_when_it_is_proven(
    gaps: list[tuple[int, float]],
) -> None:
    told = tell(ONE, gaps)
    on = False
    for place, (time_ms, _, hold) in enumerate(told):
        since = proven_since(told, place, low=not on)
        needed = CLEAR if on else HOLD
        if since is not None and time_ms - since >= needed:
            on = not on
        assert hold[0].on == on


@given(readings, st.integers(-(10**12), 10**12))
def test_a_wrong_clock_changes_nothing_but_the_times(
    gaps: list[tuple[int, float]], skew_ms: int
) -> None:
    def plain(hold: Hold, shift: int) -> list[tuple[bool, int | None]]:
        return [
            (level.on, None if level.since is None else level.since - shift)
            for level in hold
        ]

    right = [plain(hold, 0) for _, _, hold in tell(TWO, gaps)]
    wrong = [plain(hold, skew_ms) for _, _, hold in tell(TWO, gaps, skew_ms)]
    assert right == wrong


@given(readings)
def test_every_turn_is_one_that_an_alert_can_follow(
    gaps: list[tuple[int, float]],
) -> None:
    """The told states form the alert's life: inactive → pending → firing → resolved, never a step left out."""
    state, before = AlertState.INACTIVE, TWO.at_rest
    following = {
        AlertState.INACTIVE: {AlertState.PENDING, AlertState.FIRING},
        AlertState.PENDING: {AlertState.FIRING, AlertState.INACTIVE},
        AlertState.FIRING: {AlertState.FIRING, AlertState.RESOLVED},
        AlertState.RESOLVED: {AlertState.PENDING, AlertState.FIRING},
    }
    for time_ms, _, after in tell(TWO, gaps):
        for turn in turns_between(TWO.levels, before, after, time_ms, lost=False):
            assert turn.to in following[state]
            assert turn.since_ms <= time_ms
            state = turn.to
        firing = severity_of(TWO.levels, after) is not None
        assert firing == (state is AlertState.FIRING)
        before = after


@given(st.integers(0, 40_000), st.integers(-3_600_000, 3_600_000))
def test_rule_time_completes_a_hold_only_while_its_reading_is_valid(
    later_ms: int, skew_ms: int
) -> None:
    """Heard at rule time 0 with a clock that is off by skew: only time since the arrival counts."""
    hold = after_reading(ONE, ONE.at_rest, 1.0, skew_ms, None)
    last = LastReading(time_ms=skew_ms, heard_ms=0)
    after = after_time(ONE, hold, last, later_ms)
    if later_ms >= VALID:
        assert after == ONE.at_rest
    else:
        assert after[0].on == (later_ms >= HOLD)
    due = next_change_ms(ONE, hold, last)
    assert due == HOLD
    assert after_time(ONE, hold, last, HOLD - 1) == hold


def test_a_reading_whose_predecessor_is_not_known_proves_nothing_of_the_time_before() -> (
    None
):
    waiting = (LevelHold(since=0),)
    assert after_reading(ONE, waiting, 1.0, HOLD, None) == (LevelHold(since=HOLD),)


def test_worse_levels_rise_and_fall_on_their_own() -> None:
    told = tell(
        TWO,
        [
            (0, 1.9), (5_000, 0.5), (5_000, 0.5), (5_000, 0.5),  # both rise, 5 s apart
            (5_000, 1.6), (6_000, 1.6),  # the worse one clears
            (1_000, 3.0), (6_000, 3.0),
        ],
    )  # fmt: skip
    severities = [severity_of(TWO.levels, hold) for _, _, hold in told]
    assert severities == [
        None, None, Severity.MEDIUM, Severity.CRITICAL,
        Severity.CRITICAL, Severity.MEDIUM,
        Severity.MEDIUM, None,
    ]  # fmt: skip


def test_a_state_that_goes_from_one_wrong_code_to_another_ends_and_begins() -> None:
    stuck = Level(Severity.MEDIUM, InCodes(frozenset({1})), 0)
    dark = Level(Severity.HIGH, InCodes(frozenset({2})), HOLD)
    policy = HoldPolicy((stuck, dark), 0, VALID)
    first = after_reading(policy, policy.at_rest, 1.0, 0, None)
    second = after_reading(policy, first, 2.0, 1_000, 0)
    turns = turns_between(policy.levels, first, second, 1_000, lost=False)
    assert [turn.to for turn in turns] == [AlertState.RESOLVED, AlertState.PENDING]


def test_lost_evidence_is_told_as_such() -> None:
    waiting: Hold = (LevelHold(since=0),)
    (turn,) = turns_between(ONE.levels, waiting, (OFF,), VALID, lost=True)
    assert (turn.to, turn.reason) == (AlertState.INACTIVE, MoveReason.EVIDENCE_LOST)
