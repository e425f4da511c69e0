"""PURE: what publishers that number their messages are told, once it is committed."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import msgspec

from services.core.broker.messages import Receipt, Refusal
from services.core.broker.sequences import PublisherSequences, Range
from services.core.broker.topics import down_topic
from services.core.storage.log_batch import Notice, NumberedMessages, ObservationBatch
from services.core.storage.texts import storable_name
from services.ingest.messages import Message
from services.ingest.resolve import Refused

EpochKey = tuple[int, int]  # publisher id, boot epoch

_MOST_RANGES: Final = 200  # in one receipt: 7 KB
_MOST_REFUSED_BYTES: Final = 8_000  # in one receipt, which is thus never above 16 KB
_LONGEST_NAME: Final = 128  # characters of a refused device or channel
_MOST_EPOCHS: Final = 8  # kept of a publisher, the last used; the numbers of others begin anew, which promises less
_SHORT: Final = b'{"epoch":%d,"stored_through":%d}'  # nearly every receipt
_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class _Due:
    """What happened in an epoch since its last receipt."""

    runs: list[Range] = field(default_factory=list)  # as they were committed
    refusals: list[Refusal] = field(default_factory=list)


class Receipts:
    def __init__(self) -> None:
        self._sequences: dict[int, dict[int, PublisherSequences]] = {}
        self._due: dict[EpochKey, _Due] = {}

    def remember(self, key: EpochKey, sequences: PublisherSequences) -> None:
        """Take over what is stored; of a publisher's epochs the one last used comes last."""
        publisher_id, epoch = key
        epochs = self._sequences.setdefault(publisher_id, {})
        epochs.pop(epoch, None)
        epochs[epoch] = sequences
        if len(epochs) > _MOST_EPOCHS:
            del epochs[next(iter(epochs))]

    def fold(self, committed: ObservationBatch) -> None:
        """Settle the numbers of a committed batch: first its messages, then its births, as history does."""
        self._fold_numbers(committed.numbered)
        for notice in committed.notices:
            if notice.kind == "birth" and notice.epoch is not None:
                self._fold_birth(notice, notice.epoch)

    def refuse(
        self, refused: Iterable[Refused], publisher_of: Callable[[str], int | None]
    ) -> None:
        """Name what was refused in the next receipt of its publisher."""
        for refusal in refused:
            message = refusal.received.content
            if not isinstance(message, Message) or message.seq is None:
                continue
            publisher_id = publisher_of(refusal.received.publisher)
            due = self._due.get((publisher_id or 0, message.epoch or 0))
            if due is not None:
                due.refusals.append(
                    Refusal(
                        seq=message.seq,
                        index=refusal.index or 0,
                        device=_name(refusal.device),
                        channel=_name(refusal.channel),
                        reason=refusal.reason,
                    )
                )

    def take_due(self, key_of: Callable[[int], str | None]) -> list[tuple[str, bytes]]:
        """Topics and payloads of the receipts that are due."""
        due, self._due = self._due, {}
        messages = []
        for (publisher_id, epoch), happened in due.items():
            publisher = key_of(publisher_id)
            sequences = self._sequences.get(publisher_id, {}).get(epoch)
            if publisher is None or sequences is None:
                continue
            topic = down_topic(publisher, "receipt")
            if sequences.is_whole and not happened.refusals:
                messages.append((topic, _SHORT % (epoch, sequences.stored_through)))
                continue
            messages += [
                (topic, _encoder.encode(receipt))
                for receipt in _receipts(epoch, sequences, happened)
            ]
        return messages

    def _of(self, key: EpochKey) -> PublisherSequences:
        publisher_id, epoch = key
        epochs = self._sequences.get(publisher_id)
        if epochs and next(reversed(epochs)) == epoch:  # as nearly always
            return epochs[epoch]
        known = (epochs or {}).get(epoch) or PublisherSequences()
        self.remember(key, known)
        return known

    def _fold_numbers(self, numbered: NumberedMessages) -> None:
        for publisher_id, epoch, first, last in numbered.runs():
            key = (publisher_id, epoch)
            self._of(key).add_run(first, last)
            due = self._due.get(key)
            if due is None:
                due = self._due[key] = _Due()
            due.runs.append((first, last))

    def _fold_birth(self, notice: Notice, epoch: int) -> None:
        key = (notice.publisher_id, epoch)
        if notice.oldest_seq is not None:
            self._of(key).begin_at(notice.oldest_seq)
        if epoch in self._sequences.get(notice.publisher_id, {}):
            self._due.setdefault(key, _Due())


def _receipts(
    epoch: int, sequences: PublisherSequences, happened: _Due
) -> Iterable[Receipt]:
    """One; more when there is too much to say for one: a broker ends a connection with too large a packet."""
    also = _also(sequences, happened.runs)
    ranges = (
        also[start : start + _MOST_RANGES]
        for start in range(0, max(1, len(also)), _MOST_RANGES)
    )
    for some, refusals in zip_longest(ranges, _pages(happened.refusals), fillvalue=()):
        yield Receipt(
            epoch=epoch,
            stored_through=sequences.stored_through,
            also=tuple(some),
            rejected=tuple(refusals),
        )


def _pages(refusals: Iterable[Refusal]) -> Iterator[Sequence[Refusal]]:
    page: list[Refusal] = []
    room = _MOST_REFUSED_BYTES
    for refusal in refusals:
        length = len(_encoder.encode(refusal)) + 1
        if page and length > room:
            yield page
            page, room = [], _MOST_REFUSED_BYTES
        page.append(refusal)
        room -= length
    if page:
        yield page


def _also(sequences: PublisherSequences, runs: Iterable[Range]) -> Sequence[Range]:
    """All ranges above the first gap; when they are too many, those that just grew.

    What was committed is said also where the sequences had no room to keep it.
    """
    ranges = sequences.also
    if len(ranges) <= _MOST_RANGES:
        return ranges
    starts = [first for first, _ in ranges]
    grown: list[Range] = []
    for run in sorted(runs):
        place = bisect_right(starts, run[0]) - 1
        kept = place >= 0 and run[1] <= ranges[place][1]
        first, last = ranges[place] if kept else run
        if grown and first <= grown[-1][1] + 1:
            grown[-1] = (grown[-1][0], max(last, grown[-1][1]))
        elif first > sequences.stored_through:
            grown.append((first, last))
    return grown


def _name(name: str | None) -> str | None:
    return None if name is None else storable_name(name[:_LONGEST_NAME])
