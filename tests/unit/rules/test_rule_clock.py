"""Rule time: what counts as silence, and what is only our own absence."""

from services.rules.rule_clock import RuleClock


def clock_after(*beats: tuple[int, bool]) -> RuleClock:
    """After batches of (second, caught up)."""
    clock = RuleClock()
    for second, caught_up in beats:
        clock.advance(second * 1000, caught_up=caught_up)
    return clock


def test_time_counts_between_batches_that_are_caught_up() -> None:
    assert clock_after((0, True), (1, True), (3, True)).counted_ms == 3_000


def test_nothing_counts_while_ingest_is_behind_nor_the_step_out_of_it() -> None:
    clock = clock_after((0, True), (1, True), (2, False), (3, False), (4, True), (5, True))  # fmt: skip
    assert clock.counted_ms == 2_000
    assert clock.floor_ms == 0


def test_a_pause_of_the_log_is_nobodys_silence() -> None:
    assert clock_after((0, True), (1, True), (8, True), (9, True)).counted_ms == 2_000


def test_after_a_long_interruption_counting_begins_anew() -> None:
    clock = clock_after((0, True), (5, True), (16, True), (17, True))
    assert (clock.counted_ms, clock.floor_ms) == (6_000, 5_000)


def test_many_short_interruptions_do_not_add_up_to_a_long_one() -> None:
    beats = [(second, second % 4 != 0) for second in range(60)]
    assert clock_after(*beats).floor_ms == 0


def test_a_second_is_new_once() -> None:
    clock = RuleClock()
    ticks = [
        clock.advance(ms, caught_up=True) for ms in (900, 999, 1_000, 1_500, 3_200)
    ]
    assert ticks == [False, False, True, False, True]
