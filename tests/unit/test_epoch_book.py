"""What is in memory of one publisher's epochs, also while nothing can be stored."""

import datetime as dt
from dataclasses import replace

import numpy as np

from services.core.storage.log_batch import NumberedMessages, ObservationBatch
from services.history.epoch_book import KEPT, EpochBook

START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)


def fold(book: EpochBook, epochs: range, *numbers: int) -> None:
    """A batch with these numbers of each epoch."""
    epoch = np.repeat(np.array(epochs, np.int64), len(numbers))
    seqs = np.tile(np.array(numbers, np.int64), len(epochs))
    numbered = NumberedMessages(np.ones(len(epoch), np.int32), epoch, seqs)
    batch = replace(ObservationBatch.empty(), numbered=numbered)
    book.begin(book.unknown(batch))
    book.fold(batch, START)


def test_epochs_of_which_nothing_is_stored_are_summed_up_before_a_flush() -> None:
    book = EpochBook()
    for first in range(0, 10_000, 1_000):
        fold(book, range(first, first + 1_000), 1, 3)
        assert len(book) == KEPT
    changes = book.take()
    assert len(changes.epochs) == KEPT
    former = changes.former[1]
    assert (former.numbers, former.messages, former.lost) == (
        3 * (10_000 - KEPT),
        2 * (10_000 - KEPT),
        10_000 - KEPT,
    )


def test_what_waits_for_nothing_is_put_away_once_it_is_stored() -> None:
    book = EpochBook()
    fold(book, range(5), 1, 2)
    fold(book, range(5, 8), 1, 3)
    book.take()
    book.put_away([(1, 7)])
    assert len(book) == 2  # 5 and 6: their gaps are still to be recorded
    fold(book, range(1), 9)
    assert len(book) == 3
