"""When a connection counts as dead."""

from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.pulse import Pulse

QUIET_BEATS = 6


@given(st.lists(st.sampled_from(["heard", "unread", "quiet"]), max_size=40))
def test_it_is_dead_after_six_beats_without_a_sign(signs: list[str]) -> None:
    """The beat after the connection is made counts as heard: the broker has just accepted it."""
    pulse, quiet = Pulse(), -1
    for sign in signs:
        if sign == "heard":
            pulse.hear()
        quiet = quiet + 1 if sign == "quiet" else 0
        assert pulse.beat(unread=sign == "unread") is (quiet < QUIET_BEATS)


def test_answers_belong_to_questions_in_order() -> None:
    pulse = Pulse()
    asked = [pulse.ask() for _ in range(3)]
    assert [pulse.answer() for _ in range(3)] == asked
    assert len(set(asked)) == len(asked)
    assert all(number < 0 for number in asked)
