"""PURE: which messages came in which boot epoch, folded from batches; what one publisher costs is bounded.

Of a publisher the epochs that it used last are kept one by one. The others are former: summed up, what they missed
given up as lost. A former epoch of which something comes begins anew.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.core.storage.log_batch import ObservationBatch
from services.history.epochs import Epoch, EpochSum

EpochKey = tuple[int, int]  # publisher id, boot epoch

KEPT: Final = 32  # epochs of a publisher, those last used
_AT_HAND: Final = 2  # of those, in memory though nothing in them waits
_MOST_LOSSES: Final = 4_096  # of an epoch, kept one by one
MOST_NUMBERS: Final = 1 << 53  # that former epochs add up to; as many as one may have


@dataclass(slots=True)
class FormerEpochs:
    """What to add to a publisher's former epochs: numbers = messages + lost. Losses beyond MOST_NUMBERS do not count."""

    numbers: int = 0
    messages: int = 0
    lost: int = 0

    def add(self, held: EpochSum) -> None:
        numbers = held.highest - held.lowest + 1
        beyond = max(0, self.numbers + numbers - MOST_NUMBERS)
        self.numbers += numbers - beyond
        self.messages += held.messages
        self.lost += held.missing + held.lost - beyond


@dataclass(frozen=True, slots=True)
class EpochChanges:
    """epochs: to be saved. former: by publisher, of each that may now have more epochs than are kept."""

    epochs: Mapping[EpochKey, Epoch]
    former: Mapping[int, FormerEpochs]


class EpochBook:
    """Epochs at hand, and the changes since the last flush. Others are loaded when something comes of them."""

    def __init__(self) -> None:
        # By publisher, the one last used comes last.
        self._at_hand: dict[int, dict[int, Epoch]] = {}
        self._crowded: set[int] = set()  # publishers with more than _AT_HAND
        self._begun: set[EpochKey] = set()  # in no table yet
        self._changed: set[EpochKey] = set()
        self._waiting: set[EpochKey] = set()
        self._former: dict[int, FormerEpochs] = {}
        self._now: dt.datetime | None = None

    def __len__(self) -> int:
        return sum(map(len, self._at_hand.values()))

    def unknown(self, batch: ObservationBatch) -> set[EpochKey]:
        """Epochs that must be remembered or begun before the batch is folded."""
        met = {(publisher, epoch) for publisher, epoch, *_ in batch.numbered.runs()}
        met |= {key for key, _ in _beginnings(batch)}
        at_hand = self._at_hand
        return {key for key in met if key[1] not in at_hand.get(key[0], ())}

    def remember(self, stored: Mapping[EpochKey, Epoch]) -> None:
        """Take over what is stored."""
        for key, epoch in stored.items():
            self._put(key, epoch)
        self._waiting |= stored.keys()

    def begin(self, keys: Iterable[EpochKey]) -> None:
        """Epochs of which nothing is stored."""
        for key in keys:
            self._put(key, Epoch())
            self._begun.add(key)

    def fold(self, batch: ObservationBatch, logged_at: dt.datetime) -> None:
        self._now = logged_at
        for publisher_id, number, first, last in batch.numbered.runs():
            if self._use(publisher_id, number).add_run(first, last, logged_at):
                self._changed.add((publisher_id, number))
        for key, oldest_seq in _beginnings(batch):
            epoch = self._use(*key)
            epoch.begin_at(oldest_seq, logged_at)
            self._changed.add(key)
            if epoch.losses > _MOST_LOSSES:
                self._former_of(key[0]).add(epoch.let_go_of_lost())
        for publisher_id in self._crowded:
            self._sum_up(publisher_id)

    def take(self) -> EpochChanges:
        """What changed since, gaps by the log's own time."""
        changed, self._changed = self._changed, set()
        former, self._former = self._former, {}
        if self._now is not None:
            for key in changed | self._waiting:
                self._review(key, self._now, changed)
        for publisher_id, _ in self._begun:
            former.setdefault(publisher_id, FormerEpochs())
        self._begun.clear()
        epochs = {key: self._at_hand[key[0]][key[1]] for key in sorted(changed)}
        return EpochChanges(epochs, former)

    def put_away(self, former: Iterable[EpochKey]) -> None:
        """Let go of what is stored and waits for nothing, and of what was stored and is former now."""
        for key in former:
            if key[1] in self._at_hand.get(key[0], ()):
                self._drop(key)
        for publisher_id in self._crowded:
            for epoch in list(self._at_hand[publisher_id])[:-_AT_HAND]:
                if (publisher_id, epoch) not in self._waiting:
                    self._drop((publisher_id, epoch))
        self._crowded = {
            publisher_id
            for publisher_id in self._crowded
            if len(self._at_hand[publisher_id]) > _AT_HAND
        }

    def _use(self, publisher_id: int, number: int) -> Epoch:
        at_hand = self._at_hand[publisher_id]
        if next(reversed(at_hand)) != number:  # mostly it is the one last used
            at_hand[number] = at_hand.pop(number)
        return at_hand[number]

    def _put(self, key: EpochKey, epoch: Epoch) -> None:
        publisher_id, number = key
        at_hand = self._at_hand.setdefault(publisher_id, {})
        at_hand[number] = epoch
        if len(at_hand) > _AT_HAND:
            self._crowded.add(publisher_id)

    def _drop(self, key: EpochKey) -> Epoch:
        self._waiting.discard(key)
        self._changed.discard(key)
        self._begun.discard(key)
        publisher_id, number = key
        return self._at_hand[publisher_id].pop(number)

    def _former_of(self, publisher_id: int) -> FormerEpochs:
        return self._former.setdefault(publisher_id, FormerEpochs())

    def _sum_up(self, publisher_id: int) -> None:
        """Epochs that would be former before they were ever stored; those that are stored are summed up there."""
        for epoch in list(self._at_hand[publisher_id])[:-KEPT]:
            key = (publisher_id, epoch)
            if key in self._begun and (held := self._drop(key).sum) is not None:
                self._former_of(publisher_id).add(held)

    def _review(self, key: EpochKey, now: dt.datetime, changed: set[EpochKey]) -> None:
        epoch = self._at_hand[key[0]][key[1]]
        epoch.review(now)
        if epoch.rows_changed:
            changed.add(key)
        if epoch.is_waiting:
            self._waiting.add(key)
        else:
            self._waiting.discard(key)


def _beginnings(batch: ObservationBatch) -> Iterator[tuple[EpochKey, int]]:
    """The epochs whose beginning a birth tells, and where they begin."""
    for notice in batch.notices:
        if (
            notice.kind == "birth"
            and notice.epoch is not None
            and notice.oldest_seq is not None
        ):
            yield (notice.publisher_id, notice.epoch), notice.oldest_seq
