"""Who is over: far beyond what it declares, and beyond what the others send."""

from collections.abc import Mapping

from services.ingest.fairness import Fairness


def play(
    fairness: Fairness, rates: Mapping[str, float], seconds: float, begin: float = 0.0
) -> float:
    """Each publisher sends so many messages a second, evenly; returns the time afterwards."""
    steps = round(seconds * 10)
    sent = dict.fromkeys(rates, 0)
    for step in range(1, steps + 1):
        now = begin + step / 10
        came = {
            name: round(rate * step / 10) - sent[name] for name, rate in rates.items()
        }
        for name, count in came.items():
            sent[name] += count
        fairness.note([name for name, count in came.items() for _ in range(count)], now)
    return begin + seconds


def undeclared(_publisher: str) -> float:
    return 0.0


CALM = {f"calm-{n}": 1.0 for n in range(20)}


def test_one_that_floods_is_over_within_three_seconds() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, CALM, 20)
    assert not fairness.over
    play(fairness, {**CALM, "flood": 1000}, 3, now)
    assert fairness.over == {"flood"}


def test_it_is_no_longer_over_some_seconds_after_it_has_calmed_down() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, {**CALM, "flood": 1000}, 10)
    assert fairness.over == {"flood"}
    now = play(fairness, {**CALM, "flood": 1}, 4, now)
    assert fairness.over == {"flood"}
    play(fairness, {**CALM, "flood": 1}, 6, now)
    assert not fairness.over


def test_it_calms_down_by_falling_silent_too() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, {**CALM, "flood": 1000}, 10)
    play(fairness, CALM, 12, now)
    assert not fairness.over


def test_a_short_burst_is_nobodys_business() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, CALM, 10)
    play(fairness, {**CALM, "bursts": 300}, 0.3, now)
    assert not fairness.over


def test_what_devices_declare_may_be_sent_ten_times_over() -> None:
    fairness = Fairness(lambda publisher: 100.0 if publisher == "busy" else 0.0)
    now = play(fairness, {**CALM, "busy": 900}, 20)
    assert not fairness.over
    play(fairness, {**CALM, "busy": 2000}, 10, now)
    assert fairness.over == {"busy"}


def test_where_all_send_alike_nobody_is_over() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, {f"p-{n}": 200.0 for n in range(10)}, 30)
    assert not fairness.over
    play(fairness, {"alone": 5000.0}, 30, now + 3600)
    assert not fairness.over


def test_the_silent_are_forgotten() -> None:
    fairness = Fairness(undeclared)
    now = play(fairness, {f"p-{n}": 1.0 for n in range(100)}, 5)
    play(fairness, {"one": 1.0}, 120, now)
    assert len(fairness._accounts) == 1
