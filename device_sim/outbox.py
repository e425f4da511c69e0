"""PURE: one publisher's outbox: numbers messages, keeps each until a receipt covers it, knows what is due.

A message goes: numbered, written to disk (outbox_file), sent, receipted. It is sent only once it is on disk
and forgotten only once a receipt covers it, so a crash at any point loses nothing and no number is used twice.

While nobody answers, one message asks whether somebody is there: copies of the others would only fill the broker.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.messages import Receipt

FIRST_SEQ: Final = 1
MOST_MESSAGES: Final = 20_000  # that an outbox keeps, unless said otherwise
_FIRST_WAIT: Final = 10.0  # seconds without a receipt before a message is sent again
_LONGEST_WAIT: Final = 60.0
_DOUBLINGS: Final = 3  # 2.0 ** 1024, after a day of silence, would be no number
_QUIET: Final = 2.0  # seconds after a receipt in which the next one may be on its way
_BIRTHS_APART: Final = 10.0  # seconds, of births that tell of dropped messages
_EARLIER: Final = -math.inf  # sent on a connection before this one


def _pause(repeats: int) -> float:
    return min(_FIRST_WAIT * 2.0 ** min(repeats, _DOUBLINGS), _LONGEST_WAIT)


@dataclass(slots=True, eq=False)
class Entry:
    """items: how many the message carries. sent_at: on a monotonic clock; inf: not at all."""

    seq: int
    payload: bytes
    items: int
    sent_at: float = math.inf
    attempts: int = 0
    gone: bool = False

    def overdue(self, now: float) -> bool:
        return now - self.sent_at >= _pause(self.attempts - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a publisher must remember for ever; items and dropped count since its epoch began."""

    epoch: int
    last_seq: int = FIRST_SEQ - 1
    items: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What the disk does not have yet."""

    publisher: str
    standing: Standing
    added: list[Entry] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


class Outbox:
    def __init__(
        self,
        publisher: str,
        standing: Standing,
        kept: Iterable[Entry] = (),
        *,
        bound: int = MOST_MESSAGES,
        window: int = 200,
    ) -> None:
        self.publisher = publisher
        self.epoch = standing.epoch
        self.last_seq = standing.last_seq
        self.dropped = standing.dropped
        self.birth_due = True
        self._untold = False  # something was dropped since the last birth
        self._announced_at = -math.inf
        self._heard_at = _EARLIER  # the newest receipt's time, on this connection
        self._covered_to = FIRST_SEQ - 1  # the highest number that any receipt covers
        self._asks = 0  # repeats since the last receipt
        self._asked_at = -math.inf
        self._items = standing.items
        self._bound = bound
        self._window = window
        self._entries = {entry.seq: entry for entry in kept}
        self._ready = deque(self._entries.values())
        self._sent: dict[int, Entry] = {}
        self._added: list[Entry] = []
        self._removed: list[int] = []

    @property
    def pending(self) -> int:
        return len(self._entries)

    @property
    def oldest_seq(self) -> int:
        """Nothing below it is here any more: receipted, or dropped."""
        return next(iter(self._entries), self.last_seq + 1)

    def number(self, build: Callable[[int, int], bytes], items: int = 1) -> None:
        """Take the next number for the message that build(epoch, seq) makes.

        Beyond the bound the oldest message is dropped; a birth then says so by its oldest_seq.
        """
        while len(self._entries) >= self._bound:
            self._forget(self.oldest_seq)
            self.dropped += 1
            self._untold = True
        self.last_seq += 1
        self._items += items
        entry = Entry(self.last_seq, build(self.epoch, self.last_seq), items)
        self._entries[entry.seq] = entry
        self._added.append(entry)

    def wants_birth(self, now: float) -> bool:
        """Of what was dropped one birth tells for ten seconds: the platform keeps a row for each."""
        told_long_ago = now - self._announced_at >= _BIRTHS_APART
        return self.birth_due or (self._untold and told_long_ago)

    def announced(self, now: float) -> None:
        """A birth says where the numbering stands."""
        self.birth_due = self._untold = False
        self._announced_at = now

    def take_changes(self) -> Changes | None:
        """What to write next; None: nothing new."""
        if not self._added and not self._removed:
            return None
        standing = Standing(self.epoch, self.last_seq, self._items, self.dropped)
        changes = Changes(self.publisher, standing, self._added, self._removed)
        self._added, self._removed = [], []
        return changes

    def on_disk(self, changes: Changes) -> None:
        self._ready.extend(entry for entry in changes.added if not entry.gone)

    def due(self, now: float) -> Entry | None:
        """The next message to send; None: nothing, or it has to wait for receipts."""
        for seq in sorted(self._sent):
            entry = self._sent[seq]
            if entry.overdue(now) and self._goes_again(entry, now):
                return entry
            if entry.sent_at == _EARLIER:
                return None
        while self._ready and len(self._sent) < self._window:
            entry = self._ready.popleft()
            if not entry.gone:
                return entry
        return None

    def _goes_again(self, entry: Entry, now: float) -> bool:
        """Without an answer the oldest alone; else what was left out, or did not come while others might have.

        Messages are settled in their order, so one below a settled number is lost. One above it may stand in a long
        line at the broker, whose receipts come one after the other.
        """
        if self._heard_at <= entry.sent_at:
            rested = now - self._asked_at >= _pause(self._asks)
            return entry.seq == self.oldest_seq and rested
        return entry.seq < self._covered_to or now - self._heard_at >= _QUIET

    def sent(self, entry: Entry, now: float) -> None:
        if entry.seq in self._sent and self._heard_at <= entry.sent_at:
            self._asks += 1
            self._asked_at = now
        entry.sent_at = now
        entry.attempts += 1
        if not entry.gone:
            self._sent[entry.seq] = entry

    def delivered(self, entry: Entry) -> None:
        """The broker has it; that is no reason to forget it."""

    def disconnected(self) -> None:
        """Nobody knows what of the unreceipted has arrived: all of it is due again, oldest first.

        All, PUBACK or not, and before anything new: a broker that was killed has lost what it had, and rules pass over
        a reading that is older than the one they have. Where nobody answered before, the oldest goes alone until
        somebody does, and what is new waits behind.
        """
        again = sorted(self._sent.values(), key=lambda entry: entry.seq)
        for entry in again:
            entry.sent_at, entry.attempts = _EARLIER, 0
        if not self._asks:
            self._sent.clear()
            self._ready.extendleft(reversed(again))
        self._heard_at = self._asked_at = _EARLIER
        self._asks = min(self._asks, 1)
        self.birth_due = True

    def again(self, first: int, last: int) -> int:
        """What is still here of these numbers is due at once; returns how many messages that are."""
        kept = [seq for seq in self._entries if first <= seq <= last]
        unreceipted = [self._sent.pop(seq) for seq in kept if seq in self._sent]
        for entry in unreceipted:
            entry.attempts = 0
        self._ready.extendleft(reversed(unreceipted))
        return len(kept)

    def settle(self, receipt: Receipt, now: float) -> int:
        """Forget what the receipt covers; returns how many messages that were."""
        if receipt.epoch != self.epoch:
            return 0
        if self._asks and (asked := self._sent.get(self.oldest_seq)):
            asked.attempts = 1  # its many repeats were questions
        self._heard_at, self._asks = now, 0
        highest = max((last for _, last in receipt.also), default=0)
        self._covered_to = max(self._covered_to, receipt.stored_through, highest)
        covered = [seq for seq in self._entries if receipt.covers(seq)]
        for seq in covered:
            self._forget(seq)
        return len(covered)

    def _forget(self, seq: int) -> None:
        entry = self._entries.pop(seq)
        entry.gone = True
        self._sent.pop(seq, None)
        self._removed.append(seq)


class Unnumbered:
    """The memory of a publisher that does not number: a message waits for PUBACK and is then at the broker's mercy."""

    epoch = None
    oldest_seq = None

    def __init__(self, *, bound: int = 1_000) -> None:
        self.birth_due = True
        self._ready: deque[Entry] = deque(maxlen=bound)

    @property
    def pending(self) -> int:
        return len(self._ready)

    def number(self, build: Callable[[None, None], bytes], items: int = 1) -> None:
        self._ready.append(Entry(0, build(None, None), items))

    def wants_birth(self, _now: float) -> bool:
        return self.birth_due

    def announced(self, _now: float) -> None:
        self.birth_due = False

    def take_changes(self) -> None:
        return None

    def due(self, _now: float) -> Entry | None:
        return self._ready[0] if self._ready else None

    def sent(self, entry: Entry, now: float) -> None:
        entry.sent_at = now

    def delivered(self, entry: Entry) -> None:
        if self._ready and self._ready[0] is entry:
            self._ready.popleft()

    def disconnected(self) -> None:
        self.birth_due = True

    def settle(self, _receipt: Receipt, _now: float) -> int:
        return 0
