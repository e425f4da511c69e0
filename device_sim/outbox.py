"""PURE: one publisher's outbox: numbers messages, keeps each until a receipt covers it, knows what is due.

A message goes: numbered, written to disk (outbox_file), sent, receipted. It is sent only once it is on disk
and forgotten only once a receipt covers it, so a crash at any point loses nothing and no number is used twice.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.messages import Receipt

FIRST_SEQ: Final = 1
MOST_MESSAGES: Final = 20_000  # that an outbox keeps, unless said otherwise
_FIRST_WAIT: Final = 10.0  # seconds without a receipt before a message is sent again
_LONGEST_WAIT: Final = 60.0


@dataclass(slots=True, eq=False)
class Entry:
    """items: how many the message carries. sent_at: on a monotonic clock, on this connection."""

    seq: int
    payload: bytes
    items: int
    sent_at: float | None = None
    attempts: int = 0
    gone: bool = False

    def overdue(self, now: float) -> bool:
        wait = min(_FIRST_WAIT * 2 ** (self.attempts - 1), _LONGEST_WAIT)
        return self.sent_at is not None and now - self.sent_at >= wait


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

        Beyond the bound the oldest message is dropped; the next birth then says so by its oldest_seq.
        """
        while len(self._entries) >= self._bound:
            self._forget(self.oldest_seq)
            self.dropped += 1
            self.birth_due = True
        self.last_seq += 1
        self._items += items
        entry = Entry(self.last_seq, build(self.epoch, self.last_seq), items)
        self._entries[entry.seq] = entry
        self._added.append(entry)

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
        """The next message to send; None: nothing, or the window of unreceipted ones is full."""
        for entry in self._sent.values():
            if entry.overdue(now):
                return entry
        while self._ready and len(self._sent) < self._window:
            entry = self._ready.popleft()
            if not entry.gone:
                return entry
        return None

    def sent(self, entry: Entry, now: float) -> None:
        entry.sent_at = now
        entry.attempts += 1
        if not entry.gone:
            self._sent.pop(entry.seq, None)
            self._sent[entry.seq] = entry

    def delivered(self, entry: Entry) -> None:
        """The broker has it; that is no reason to forget it."""

    def disconnected(self) -> None:
        """Nobody knows what of the unreceipted has arrived: all of it is due again, oldest first."""
        again = sorted(self._sent.values(), key=lambda entry: entry.seq)
        for entry in again:
            entry.sent_at, entry.attempts = None, 0
        self._sent.clear()
        self._ready.extendleft(reversed(again))
        self.birth_due = True

    def again(self, first: int, last: int) -> int:
        """What is still here of these numbers is due at once; returns how many messages that are."""
        kept = [seq for seq in self._entries if first <= seq <= last]
        unreceipted = [self._sent.pop(seq) for seq in kept if seq in self._sent]
        for entry in unreceipted:
            entry.sent_at, entry.attempts = None, 0
        self._ready.extendleft(reversed(unreceipted))
        return len(kept)

    def settle(self, receipt: Receipt) -> int:
        """Forget what the receipt covers; returns how many messages that were."""
        if receipt.epoch != self.epoch:
            return 0
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

    def settle(self, _receipt: Receipt) -> int:
        return 0
