"""PURE: totals per publisher, folded from batches."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from services.core.storage.log_batch import ObservationBatch


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


class AccountBook:
    """What to add to publisher_totals since the last flush."""

    def __init__(self) -> None:
        self._totals: dict[int, Totals] = {}

    def fold(self, batch: ObservationBatch, logged_at: dt.datetime) -> None:
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
            self._totals.setdefault(publisher_id, Totals()).add(counts, logged_at)

    def take(self) -> dict[int, Totals]:
        """By publisher."""
        taken, self._totals = self._totals, {}
        return taken
