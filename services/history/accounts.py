"""PURE: totals and sequence numbers per publisher, folded from batches."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.core.storage.log_batch import ObservationBatch
from services.history.epochs import Epoch

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

    def columns(self) -> tuple[object, ...]:
        """In the order of the table."""
        return (
            self.received,
            self.stored,
            self.merged,
            self.duplicate,
            self.rejected,
            self.rejected_values,
            self.last_seen,
        )


@dataclass(slots=True)
class AccountChanges:
    """What to add to publisher_totals, and the epochs whose sequences changed."""

    totals: dict[int, Totals] = field(default_factory=dict)
    epochs: set[EpochKey] = field(default_factory=set)


class AccountBook:
    """All epochs met so far, and the changes since the last flush."""

    def __init__(self) -> None:
        self.epochs: dict[EpochKey, Epoch] = {}
        self._changes = AccountChanges()
        self._waiting: set[EpochKey] = set()
        self._now: dt.datetime | None = None

    def remember(self, epochs: Mapping[EpochKey, Epoch]) -> None:
        """Take over what is stored."""
        self.epochs |= epochs
        self._waiting |= epochs.keys()

    def unknown(self, batch: ObservationBatch) -> set[EpochKey]:
        """Epochs that must be remembered before the batch is folded."""
        numbered = batch.numbered
        met = {(publisher_id, epoch) for publisher_id, epoch, *_ in numbered.runs()}
        met |= {
            (notice.publisher_id, notice.epoch)
            for notice in batch.notices
            if notice.epoch is not None
        }
        return met - self.epochs.keys()

    def fold(self, batch: ObservationBatch, logged_at: dt.datetime) -> None:
        self._now = logged_at
        self._fold_totals(batch, logged_at)
        numbered = batch.numbered
        for publisher_id, epoch, first, last in numbered.runs():
            key = (publisher_id, epoch)
            if self.epochs[key].add_run(first, last, logged_at):
                self._changes.epochs.add(key)
        for notice in batch.notices:
            if (
                notice.kind == "birth"
                and notice.epoch is not None
                and notice.oldest_seq is not None
            ):
                key = (notice.publisher_id, notice.epoch)
                self.epochs[key].begin_at(notice.oldest_seq, logged_at)
                self._changes.epochs.add(key)

    def take(self) -> AccountChanges:
        """What changed since, gaps by the log's own time."""
        taken, self._changes = self._changes, AccountChanges()
        if self._now is not None:
            for key in taken.epochs | self._waiting:
                self._review(key, self._now, taken)
        return taken

    def _review(self, key: EpochKey, now: dt.datetime, taken: AccountChanges) -> None:
        epoch = self.epochs[key]
        epoch.review(now)
        if epoch.rows_changed:
            taken.epochs.add(key)
        if epoch.is_waiting:
            self._waiting.add(key)
        else:
            self._waiting.discard(key)

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
