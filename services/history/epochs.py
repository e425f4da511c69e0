"""PURE: one publisher's boot epoch: how many messages came, which never did, since when, and what became of those.

A hole is a number or more that did not come in turn. One that stays open is recorded as a gap; a gap ends when
its messages come after all (closed), or when the publisher says that it has them no longer (lost).
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Final, TypeVar

from services.core.broker.sequences import PublisherSequences, Range

# Of the log's time: what is only out of order is no gap.
GAP_AFTER: Final = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Hole:
    """Missing numbers, both ends included. recorded_at: None while it may be mere disorder."""

    first: int
    last: int
    noticed_at: dt.datetime
    recorded_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class GapRow:
    """A row of gaps: open, lost, or closed at closed_at."""

    first: int
    last: int
    recorded_at: dt.datetime
    _: KW_ONLY
    lost: bool = False
    closed_at: dt.datetime | None = None

    def __len__(self) -> int:
        return self.last - self.first + 1


Spanning = TypeVar("Spanning", bound=Hole | GapRow)


@dataclass(frozen=True, slots=True)
class EpochSum:
    """highest − lowest + 1 = messages + missing + lost: the check that is independent of what became of items."""

    lowest: int
    highest: int
    messages: int
    missing: int
    lost: int


class Epoch:
    def __init__(
        self,
        sequences: PublisherSequences | None = None,
        messages: int = 0,
        gaps: Iterable[GapRow] = (),
    ) -> None:
        """As stored. gaps: the open and the lost ones."""
        self.sequences = sequences or PublisherSequences()
        self.rows_changed = False
        self._messages = messages
        rows = sorted(gaps, key=_first)
        self._lost = [row for row in rows if row.lost]
        self._closed: list[GapRow] = []
        self._holes: list[Hole] = []
        for row in rows:
            if not row.lost:
                held = Hole(row.first, row.last, row.recorded_at, row.recorded_at)
                self._holes.append(held)

    def add(self, seq: int, at: dt.datetime) -> bool:
        """A message came; whether that is news. One that was given up as lost ends that loss."""
        sequences = self.sequences
        before = sequences.forgotten
        if sequences.add(seq):
            self._messages += 1 - (sequences.forgotten - before)
            return True
        return bool(self._lost) and self._find_again(seq, at)

    def add_run(self, first: int, last: int, at: dt.datetime) -> bool:
        """Messages with all numbers from first to last came; whether any is news."""
        if self.sequences.follows(first):
            self.sequences.add_run(first, last)
            self._messages += last - first + 1
            return True
        news = [self.add(seq, at) for seq in range(first, last + 1)]
        return any(news)

    def begin_at(self, oldest_seq: int, at: dt.datetime) -> None:
        """The publisher has nothing below oldest_seq any more."""
        for first, last in self.sequences.begin_at(oldest_seq):
            since = self._recorded_at(first) or at
            self._lose(GapRow(first, last, since, lost=True))
            self.rows_changed = True

    @property
    def losses(self) -> int:
        """Ranges that are kept as lost."""
        return len(self._lost)

    def let_go_of_lost(self) -> EpochSum:
        """All numbers through the last one that was lost are no longer of this epoch; what they add up to."""
        last, lost = self._lost[-1].last, sum(map(len, self._lost))
        holes = self.sequences.open_gaps()
        missing = sum(
            min(end, last) - begin + 1 for begin, end in holes if begin <= last
        )
        lowest = self.sequences.begin_after(last)
        came = last - lowest + 1 - missing - lost
        self._messages -= came
        self._lost = []
        self._holes = [
            replace(hole, first=max(hole.first, last + 1))
            for hole in self._holes
            if hole.last > last
        ]
        self.rows_changed = True
        return EpochSum(lowest, last, came, missing, lost)

    def review(self, at: dt.datetime) -> None:
        """Look at the holes of now: new ones are noticed, old ones recorded, ended ones closed."""
        former, self._holes = self._holes, []
        ends = [hole.last for hole in former]
        for first, last in self.sequences.open_gaps():
            of = _touching(former, ends, first, last)
            self._holes.append(_hole(first, last, of, at))
        left: list[Hole | GapRow] = sorted([*self._holes, *self._lost], key=_first)
        ends = [one.last for one in left]
        for hole in former:
            if hole.recorded_at is not None:
                still = _touching(left, ends, hole.first, hole.last)
                self._close(hole, still, at)
        if _recorded(former) != _recorded(self._holes):
            self.rows_changed = True

    @property
    def is_waiting(self) -> bool:
        """Whether a hole is still to be recorded."""
        return any(hole.recorded_at is None for hole in self._holes)

    @property
    def sum(self) -> EpochSum | None:
        """None: nothing was seen yet."""
        span = self.sequences.span
        if span is None:
            return None
        missing = sum(last - first + 1 for first, last in self.sequences.open_gaps())
        return EpochSum(*span, self._messages, missing, sum(map(len, self._lost)))

    def take_rows(self) -> list[GapRow]:
        """All open and lost gaps, and those that closed since; what else is stored open or lost is so no longer."""
        closed, self._closed, self.rows_changed = self._closed, [], False
        held = [
            GapRow(hole.first, hole.last, hole.recorded_at)
            for hole in self._holes
            if hole.recorded_at is not None
        ]
        return [*held, *self._lost, *closed]

    def _find_again(self, seq: int, at: dt.datetime) -> bool:
        place = bisect_right(self._lost, seq, key=_first) - 1
        row = self._lost[max(place, 0)]
        if not row.first <= seq <= row.last:
            return False
        parts = _without(row.first, row.last, [(seq, seq)])
        self._lost[place : place + 1] = [
            replace(row, first=first, last=last) for first, last in parts
        ]
        self._closed.append(GapRow(seq, seq, row.recorded_at, closed_at=at))
        self._messages += 1
        self.rows_changed = True
        return True

    def _lose(self, row: GapRow) -> None:
        """A publisher that gives up one number after the other makes one row of them."""
        place = bisect_right(self._lost, row.first, key=_first)
        if place and self._lost[place - 1].last + 1 == row.first:
            before = self._lost[place - 1]
            self._lost[place - 1] = replace(before, last=row.last)
        else:
            self._lost.insert(place, row)

    def _close(
        self, hole: Hole, still: Sequence[Hole | GapRow], at: dt.datetime
    ) -> None:
        """What of a recorded gap is neither open nor lost now has come."""
        left = [(one.first, one.last) for one in still]
        for first, last in _without(hole.first, hole.last, left):
            recorded_at = hole.recorded_at or at
            self._closed.append(GapRow(first, last, recorded_at, closed_at=at))
            self.rows_changed = True

    def _recorded_at(self, seq: int) -> dt.datetime | None:
        for hole in self._holes:
            if hole.first <= seq <= hole.last:
                return hole.recorded_at
        return None


def _first(one: Hole | GapRow) -> int:
    return one.first


def _touching(
    rising: Sequence[Spanning], ends: Sequence[int], first: int, last: int
) -> Sequence[Spanning]:
    """Those that have a number from first to last. ends: the last number of each; they do not overlap."""
    start = bisect_left(ends, first)
    return rising[start : bisect_right(rising, last, start, key=_first)]


def _hole(first: int, last: int, of: Sequence[Hole], at: dt.datetime) -> Hole:
    """What was noticed stays noticed, also when a part of it came. of: the holes before that it is made of."""
    noticed_at = min((hole.noticed_at for hole in of), default=at)
    recorded = [hole.recorded_at for hole in of if hole.recorded_at is not None]
    recorded_at = min(recorded, default=None)
    if recorded_at is None and at - noticed_at >= GAP_AFTER:
        recorded_at = at
    return Hole(first, last, noticed_at, recorded_at)


def _recorded(holes: Iterable[Hole]) -> list[tuple[int, int]]:
    return [(hole.first, hole.last) for hole in holes if hole.recorded_at is not None]


def _without(first: int, last: int, taken: Iterable[Range]) -> list[Range]:
    """What is left of a range."""
    left = []
    for start, end in sorted(taken):
        if end < first or start > last:
            continue
        if start > first:
            left.append((first, start - 1))
        first = max(first, end + 1)
    if first <= last:
        left.append((first, last))
    return left
