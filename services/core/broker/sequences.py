"""PURE: which numbered messages of a publisher are settled, and what a receipt may therefore say."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

Range = tuple[int, int]  # both ends included

MOST_RANGES: Final = 4_096


class PublisherSequences:
    """The settled sequence numbers of one publisher in one boot epoch.

    Settled: stored, refused with a reason, or given up as lost. An epoch begins where its birth says
    (oldest_seq); without a birth at 0 if 0 was seen, else at 1, so that a receipt never covers a number
    which may still be in the publisher's outbox.
    """

    __slots__ = ("_ranges", "first", "forgotten")

    def __init__(self, settled: Iterable[Range] = (), first: int | None = None) -> None:
        self._ranges = list(settled)
        self.first = first
        self.forgotten = 0  # numbers that were settled and are not any more

    def add(self, seq: int) -> bool:
        """Settle one number; False: it was settled before.

        Beyond MOST_RANGES separate ranges the highest is forgotten: it gets no receipt and is sent again.
        """
        ranges = self._ranges
        if ranges and ranges[-1][1] + 1 == seq:  # in order, as nearly always
            ranges[-1] = (ranges[-1][0], seq)
            return True
        place = bisect_right(ranges, seq, key=lambda settled: settled[0])
        if place and seq <= ranges[place - 1][1]:
            return False
        self._join(place, seq, seq)
        if len(ranges) > MOST_RANGES:
            first, last = ranges.pop()
            self.forgotten += last - first + 1
        return True

    def follows(self, seq: int) -> bool:
        """Whether it comes right after the highest number that is settled."""
        return bool(self._ranges) and self._ranges[-1][1] + 1 == seq

    def add_run(self, first: int, last: int) -> None:
        """Settle the numbers from first to last; the same as one after the other."""
        if self.follows(first):
            self._ranges[-1] = (self._ranges[-1][0], last)
            return
        for seq in range(first, last + 1):
            self.add(seq)

    def _join(self, place: int, first: int, last: int) -> None:
        """Insert a range at its place, as one with neighbours that it touches."""
        ranges = self._ranges
        if place < len(ranges) and ranges[place][0] == last + 1:
            last = ranges.pop(place)[1]
        if place and ranges[place - 1][1] + 1 == first:
            place -= 1
            first = ranges.pop(place)[0]
        ranges.insert(place, (first, last))

    def begin_at(self, oldest_seq: int) -> tuple[Range, ...]:
        """The publisher has nothing below oldest_seq any more: what is missing there is lost and settled.

        Returns:
            The ranges newly given up. A first word about an epoch gives up nothing: that is where it begins.
        """
        lowest = min(
            [
                oldest_seq,
                *([self.first] if self.first is not None else []),
                *(r[0] for r in self._ranges[:1]),
            ]
        )
        self.first = lowest
        lost = tuple(_holes(self._ranges, lowest, oldest_seq - 1))
        above = [settled for settled in self._ranges if settled[1] >= oldest_seq]
        if lowest < oldest_seq:
            below = (lowest, oldest_seq - 1)
            if above and above[0][0] <= oldest_seq:
                below = (lowest, above.pop(0)[1])
            above.insert(0, below)
        self._ranges = above
        return lost

    def begin_after(self, last: int) -> int:
        """The epoch, of which something is settled, begins behind last; where it began until now."""
        former = self._ranges[0][0]
        if self.first is not None:
            former = min(former, self.first)
        self.first = last + 1
        self._ranges = [
            (max(begin, self.first), end) for begin, end in self._ranges if end > last
        ]
        return former

    @property
    def settled(self) -> tuple[Range, ...]:
        return tuple(self._ranges)

    @property
    def stored_through(self) -> int:
        """All numbers of the epoch through this one are settled; one below its beginning when none is."""
        begin = self._begin()
        place = bisect_right(self._ranges, begin, key=lambda settled: settled[0])
        return (
            self._ranges[place - 1][1]
            if place and self._ranges[place - 1][1] >= begin
            else begin - 1
        )

    @property
    def is_whole(self) -> bool:
        """Nothing is settled above the first open gap."""
        return not self._ranges or self.stored_through >= self._ranges[-1][1]

    @property
    def also(self) -> tuple[Range, ...]:
        """Settled ranges above the first open gap."""
        through = self.stored_through
        return tuple(settled for settled in self._ranges if settled[0] > through)

    def open_gaps(self) -> tuple[Range, ...]:
        """What is missing between the lowest and the highest number known."""
        span = self.span
        return () if span is None else tuple(_holes(self._ranges, *span))

    @property
    def span(self) -> Range | None:
        """The lowest number that the epoch has, said or seen, and the highest seen; None: nothing was seen yet."""
        if not self._ranges:
            return None
        lowest = self._ranges[0][0]
        if self.first is not None:
            lowest = min(lowest, self.first)
        return lowest, self._ranges[-1][1]

    def _begin(self) -> int:
        if self.first is not None:
            return self.first
        return 0 if self._ranges and self._ranges[0][0] == 0 else 1


def _holes(ranges: Iterable[Range], lowest: int, highest: int) -> Iterable[Range]:
    """What lies between lowest and highest and in none of the ascending ranges."""
    for first, last in ranges:
        if first > lowest and lowest <= highest:
            yield lowest, min(first - 1, highest)
        lowest = max(lowest, last + 1)
    if lowest <= highest:
        yield lowest, highest
