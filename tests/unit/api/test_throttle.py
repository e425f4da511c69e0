"""How often somebody may ask."""

from hypothesis import given
from hypothesis import strategies as st

from services.core.addresses import client_of
from services.core.throttle import Throttle


def test_a_burst_is_allowed_and_then_refilled_evenly() -> None:
    throttle = Throttle(3, 60)
    answers = [throttle.ask("a", 0.0) for _ in range(4)]
    assert [answer.allowed for answer in answers] == [True, True, True, False]
    assert [answer.remaining for answer in answers] == [2, 1, 0, 0]
    assert answers[-1].retry_after == 20
    assert not throttle.ask("a", 19.9).allowed
    assert throttle.ask("a", 20.0).allowed
    assert not throttle.ask("a", 20.0).allowed
    assert throttle.ask("b", 0.0).allowed


def test_what_is_given_back_can_be_spent_again() -> None:
    throttle = Throttle(1, 60)
    for _ in range(5):
        assert throttle.ask("a", 0.0).allowed
        throttle.refund("a")
    throttle.refund("nobody")


@given(
    st.lists(st.floats(0, 30), min_size=1, max_size=200),
    st.integers(1, 10),
    st.floats(1, 100),
)
def test_no_window_ever_has_more_than_twice_the_burst(
    pauses: list[float], burst: int, seconds: float
) -> None:
    throttle, now, allowed = Throttle(burst, seconds), 0.0, []
    for pause in pauses:
        now += pause
        if throttle.ask("a", now).allowed:
            allowed.append(now)
    for start in allowed:
        within = [at for at in allowed if start <= at < start + seconds * 0.999]
        assert len(within) <= 2 * burst


@given(st.integers(1, 10), st.floats(1, 100))
def test_waiting_as_long_as_told_is_enough(burst: int, seconds: float) -> None:
    throttle = Throttle(burst, seconds)
    for _ in range(burst):
        assert throttle.ask("a", 5.0).allowed
    refused = throttle.ask("a", 5.0)
    assert not refused.allowed
    assert throttle.ask("a", 5.0 + refused.retry_after).allowed


def test_memory_is_bounded_and_a_crowd_shares_one_allowance() -> None:
    throttle = Throttle(2, 60, largest=10)
    for number in range(10):
        assert throttle.ask(f"client {number}", 0.0).allowed
    crowd = [throttle.ask(f"newcomer {number}", 0.0).allowed for number in range(50)]
    assert sum(crowd) == 2
    assert len(throttle) <= 11
    # Those who have been quiet long enough make room.
    assert throttle.ask("later", 61.0).allowed
    assert len(throttle) <= 11


class Peer:
    def __init__(self, host: str) -> None:
        self.host = host


def test_clients_are_told_apart_as_far_as_their_network_goes() -> None:
    assert client_of(Peer("192.0.2.7")) == "192.0.2.7"
    assert client_of(Peer("2001:db8::1")) == client_of(Peer("2001:db8::ffff:2"))
    assert client_of(Peer("2001:db8::1")) != client_of(Peer("2001:db8:0:1::1"))
    assert client_of(Peer("::ffff:192.0.2.7")) == "192.0.2.7"
    assert client_of(Peer("fe80::1%eth0")) == "fe80::/64"
    assert client_of(Peer("unix socket")) == "unix socket"
    assert client_of(None) == "unknown"
