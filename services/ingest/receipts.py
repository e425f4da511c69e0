"""PURE: what publishers that number their messages are told, once it is committed."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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

_MOST_RANGES: Final = 200  # in one receipt
_MOST_REFUSALS: Final = 500
_MOST_EPOCHS: Final = (
    8  # kept of a publisher; the numbers of older ones begin anew, which promises less
)
_SHORT: Final = b'{"epoch":%d,"stored_through":%d}'  # nearly every receipt
_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class _Due:
    """What happened in an epoch since its last receipt."""

    firsts: list[int] = field(default_factory=list)  # of runs of numbers
    refusals: list[Refusal] = field(default_factory=list)


class Receipts:
    def __init__(self) -> None:
        self._sequences: dict[int, dict[int, PublisherSequences]] = {}
        self._due: dict[EpochKey, _Due] = {}

    def remember(self, key: EpochKey, sequences: PublisherSequences) -> None:
        """Take over what is stored."""
        publisher_id, epoch = key
        epochs = self._sequences.setdefault(publisher_id, {})
        epochs[epoch] = sequences
        if len(epochs) > _MOST_EPOCHS:
            del epochs[min(epochs)]

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
                        device=storable_name(refusal.device),
                        channel=storable_name(refusal.channel),
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
        known = self._sequences.get(publisher_id, {}).get(epoch)
        if known is None:
            known = PublisherSequences()
            self.remember(key, known)
        return known

    def _fold_numbers(self, numbered: NumberedMessages) -> None:
        for publisher_id, epoch, first, last in numbered.runs():
            key = (publisher_id, epoch)
            self._of(key).add_run(first, last)
            due = self._due.get(key)
            if due is None:
                due = self._due[key] = _Due()
            due.firsts.append(first)

    def _fold_birth(self, notice: Notice, epoch: int) -> None:
        key = (notice.publisher_id, epoch)
        if notice.oldest_seq is not None:
            self._of(key).begin_at(notice.oldest_seq)
        if epoch in self._sequences.get(notice.publisher_id, {}):
            self._due.setdefault(key, _Due())


def _receipts(
    epoch: int, sequences: PublisherSequences, happened: _Due
) -> Iterable[Receipt]:
    """One; more when there is too much to refuse for one."""
    also = _also(sequences.also, happened.firsts)
    for start in range(0, max(1, len(happened.refusals)), _MOST_REFUSALS):
        yield Receipt(
            epoch=epoch,
            stored_through=sequences.stored_through,
            also=also,
            rejected=tuple(happened.refusals[start : start + _MOST_REFUSALS]),
        )


def _also(ranges: tuple[Range, ...], seqs: Iterable[int]) -> tuple[Range, ...]:
    """All ranges above the first gap; when they are too many, those that just grew."""
    if len(ranges) <= _MOST_RANGES:
        return ranges
    starts = [first for first, _ in ranges]
    places = sorted({bisect_right(starts, seq) - 1 for seq in seqs})
    return tuple(ranges[place] for place in places if place >= 0)[:_MOST_RANGES]
