"""When silence means something."""

from services.ingest.freshness import Freshness


def test_fresh_as_of_a_round_trip_whose_messages_are_committed() -> None:
    freshness = Freshness()
    assert not freshness.is_fresh(0)
    freshness.receive(5)
    freshness.round_trip(10, undelivered=2)
    assert not freshness.is_fresh(10)
    freshness.commit(5)
    assert not freshness.is_fresh(10)
    freshness.receive(4)
    freshness.commit(2)
    assert freshness.is_fresh(10)
    assert freshness.is_fresh(13)
    assert not freshness.is_fresh(13.1)


def test_with_nothing_to_commit_a_round_trip_is_enough() -> None:
    freshness = Freshness()
    freshness.round_trip(10, undelivered=0)
    assert freshness.is_fresh(11)


def test_a_lost_connection_ends_it() -> None:
    freshness = Freshness()
    freshness.round_trip(10, undelivered=0)
    freshness.lose()
    assert not freshness.is_fresh(10)


def test_with_very_much_under_way_the_broker_may_hold_more_back() -> None:
    freshness = Freshness()
    freshness.receive(1000)
    freshness.round_trip(10, undelivered=1000)
    freshness.receive(1000)
    freshness.commit(2000)
    assert not freshness.is_fresh(10)
    freshness.round_trip(20, undelivered=0)
    assert freshness.is_fresh(20)


def test_a_round_trip_under_way_is_not_forgotten_for_the_next() -> None:
    freshness = Freshness()
    freshness.receive(1)
    freshness.round_trip(10, undelivered=0)
    freshness.receive(1)
    freshness.round_trip(11, undelivered=0)
    freshness.commit(1)
    assert freshness.is_fresh(13)
    assert not freshness.is_fresh(14)
