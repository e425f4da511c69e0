"""PURE: totals and sequence numbers per publisher, folded from batches."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.core.broker.sequences import PublisherSequences, Range
from services.core.storage.log_batch import ObservationBatch

EpochKey = tuple[int, int]  # publisher id, boot epoch


@dataclass(slots=True)
class Totals:
    """Items of one publisher since the last flush, by fate."""

    received: int = 0
    stored: int = 0
    merged: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejected_values: int = 0
    last_seen: dt.datetime | None = None

    def add(self, counts: Iterable[int], at: dt.datetime) -> None:
        received, stored, merged, duplicate, rejected, rejected_values = counts
        self.received += received
        self.stored += stored
        self.merged += merged
        self.duplicate += duplicate
        self.rejected += rejected
        self.rejected_values += rejected_values
        self.last_seen = at


@dataclass(slots=True)
class AccountChanges:
    """What to add to publisher_totals, and the epochs whose sequences changed."""

    totals: dict[int, Totals] = field(default_factory=dict)
    epochs: set[EpochKey] = field(default_factory=set)
    lost: list[tuple[EpochKey, Range]] = field(default_factory=list)


class AccountBook:
    """Sequences of all epochs met so far, and the changes since the last flush."""

    def __init__(self) -> None:
        self.sequences: dict[EpochKey, PublisherSequences] = {}
        self._changes = AccountChanges()

    def unknown(self, batch: ObservationBatch) -> set[EpochKey]:
        """Epochs whose stored sequences must be put into self.sequences before the batch is folded."""
        numbered = batch.numbered
        met = set(
            zip(numbered.publisher_ids.tolist(), numbered.epochs.tolist(), strict=True)
        )
        met |= {
            (notice.publisher_id, notice.epoch)
            for notice in batch.notices
            if notice.epoch is not None
        }
        return met - self.sequences.keys()

    def fold(self, batch: ObservationBatch, logged_at: dt.datetime) -> None:
        self._fold_totals(batch, logged_at)
        numbered = batch.numbered
        for publisher_id, epoch, seq in zip(
            numbered.publisher_ids.tolist(),
            numbered.epochs.tolist(),
            numbered.seqs.tolist(),
            strict=True,
        ):
            key = (publisher_id, epoch)
            if self.sequences[key].add(seq):
                self._changes.epochs.add(key)
        for notice in batch.notices:
            if (
                notice.kind == "birth"
                and notice.epoch is not None
                and notice.oldest_seq is not None
            ):
                key = (notice.publisher_id, notice.epoch)
                lost = self.sequences[key].begin_at(notice.oldest_seq)
                self._changes.lost.extend((key, gap) for gap in lost)
                self._changes.epochs.add(key)

    def take(self) -> AccountChanges:
        taken, self._changes = self._changes, AccountChanges()
        return taken

    def _fold_totals(self, batch: ObservationBatch, logged_at: dt.datetime) -> None:
        accounts = batch.accounts
        for publisher_id, *counts in zip(
            accounts.publisher_ids.tolist(),
            accounts.received.tolist(),
            accounts.stored.tolist(),
            accounts.merged.tolist(),
            accounts.duplicate.tolist(),
            accounts.rejected.tolist(),
            accounts.rejected_values.tolist(),
            strict=True,
        ):
            self._changes.totals.setdefault(publisher_id, Totals()).add(
                counts, logged_at
            )
