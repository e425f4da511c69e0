"""An epoch's books against a model that keeps every number: whatever comes, in whatever order, they add up."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from services.history.epochs import GAP_AFTER, Epoch, GapRow

START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("message"), st.integers(0, 30)),
        st.tuples(st.just("begins"), st.integers(0, 30)),
        st.tuples(st.just("seconds"), st.integers(1, 15)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("lets go"), st.just(0)),
    ),
    max_size=60,
)


class Stored:
    """The gaps table of one epoch, and a service that may be killed between its transactions."""

    def __init__(self) -> None:
        self.epoch = Epoch()
        self.rows: dict[int, GapRow] = {}
        self.at = START

    def flush(self) -> None:
        self.epoch.review(self.at)
        if self.epoch.rows_changed:
            kept = {n: row for n, row in self.rows.items() if row.closed_at}
            self.rows = kept | {row.first: row for row in self.epoch.take_rows()}

    def restart(self) -> None:
        held = self.epoch.sum
        still = [row for row in self.rows.values() if row.closed_at is None]
        messages = held.messages if held else 0
        self.epoch = Epoch(self.epoch.sequences, messages, still)

    def numbers(self, *, lost: bool = False, closed: bool = False) -> set[int]:
        return {
            number
            for row in self.rows.values()
            if (row.lost, row.closed_at is not None) == (lost, closed)
            for number in range(row.first, row.last + 1)
        }


def without_lost(epoch: Epoch, came: set[int], lost: set[int]) -> set[int]:
    """What came that is still of the epoch once it has let go of what was lost."""
    span, through = epoch.sequences.span, max(lost)
    gone = epoch.let_go_of_lost()
    assert span is not None
    assert (gone.lowest, gone.highest) == (span[0], through)
    assert gone.messages == len(came & set(range(through + 1)))
    assert gone.lost == len(lost)
    numbers = gone.highest - gone.lowest + 1
    assert numbers == gone.messages + gone.missing + gone.lost
    return {number for number in came if number > through}


@given(STEPS)
def test_whatever_comes_the_books_add_up(steps: list[tuple[str, int]]) -> None:
    stored, came, lost, ever = Stored(), set[int](), set[int](), set[int]()
    for kind, number in steps:
        before = stored.epoch.sequences.span
        if kind == "message":
            stored.epoch.add(number, stored.at)
            came.add(number)
            lost.discard(number)
        elif kind == "begins":
            stored.epoch.begin_at(number, stored.at)
            span = stored.epoch.sequences.span or before
            lowest = span[0] if span else number
            lost |= set(range(lowest, number)) - came
        elif kind == "seconds":
            stored.at += dt.timedelta(seconds=number)
        elif kind == "lets go" and lost:
            came = without_lost(stored.epoch, came, lost)
            lost = set()
        stored.flush()
        if kind == "restart":
            stored.restart()
        held = stored.epoch.sum
        if held is None:
            continue
        missing = set(range(held.lowest, held.highest + 1)) - came - lost
        assert (held.messages, held.lost) == (len(came), len(lost))
        assert held.missing == len(missing)
        assert held.highest - held.lowest + 1 == len(came) + len(lost) + len(missing)
        assert stored.numbers(lost=True) == lost
        assert stored.numbers() <= missing
        ever |= came
        assert stored.numbers(closed=True) <= ever
    stored.flush()
    stored.at += GAP_AFTER
    stored.flush()
    held = stored.epoch.sum
    assert len(stored.numbers()) == (held.missing if held else 0)


def test_what_is_only_out_of_order_is_no_gap() -> None:
    stored = Stored()
    for number in (1, 3, 2, 5):
        stored.epoch.add(number, stored.at)
        stored.flush()
    stored.at += GAP_AFTER
    stored.epoch.add(4, stored.at)
    stored.flush()
    assert stored.rows == {}


def test_numbers_that_are_given_up_one_by_one_are_one_row() -> None:
    """A full outbox says so at every message that it drops."""
    stored = Stored()
    stored.epoch.begin_at(1, stored.at)
    for oldest in range(2, 2_000):
        stored.epoch.begin_at(oldest, stored.at)
        stored.flush()
    assert list(stored.rows.values()) == [GapRow(1, 1_998, START, lost=True)]
    stored.epoch.add(1_000, stored.at)
    assert stored.epoch.sum is not None
    assert stored.epoch.sum.lost == 1_997
