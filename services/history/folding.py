"""THE MAP of history: follow the log ▸ decode ▸ fold ▸ flush everything with the cursor in one transaction."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import structlog

from services.core.clock import Clock
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, LogEntry, load_cursor
from services.core.storage.log_batch import ObservationBatch
from services.core.storage.pool import Connection
from services.core.unhurried import Unhurried
from services.history import frames_store, store
from services.history.accounts import AccountBook
from services.history.epoch_book import EpochBook
from services.history.latest import LatestValues
from services.history.presence import FrameDevices, PresenceChanges

log = structlog.get_logger()

# Of the log's time: gaps and totals say when to about this.
_TOGETHER: Final = dt.timedelta(seconds=1)
KEEP_LOG: Final = dt.timedelta(hours=24)


_Decoded = tuple[LogEntry, ObservationBatch]


class Folding:
    """Folds batches into tables. After any error it is thrown away and begun again from the stored cursor."""

    def __init__(self, connection: Connection, clock: Clock, cursor: Cursor) -> None:
        self._connection = connection
        self._clock = clock
        self._cursor = self._flushed = cursor
        self._latest = LatestValues()
        self._presence = PresenceChanges()
        self._accounts = AccountBook()
        self._epochs = EpochBook()
        self._owners = FrameDevices()

    @classmethod
    async def begin(cls, connection: Connection, clock: Clock) -> "Folding":
        cursor = await load_cursor(connection, store.CONSUMER, "observations")
        folding = cls(connection, clock, cursor or Cursor())
        await frames_store.prepare_stages(connection)
        await store.sum_up_all(connection, clock.now())
        waiting = await store.epochs_with_unrecorded_gaps(connection)
        folding._epochs.remember(await store.load_epochs(connection, waiting))
        return folding

    @property
    def cursor(self) -> Cursor:
        return self._cursor

    async def fold(self, entries: Sequence[LogEntry]) -> None:
        for together in _groups(entries):
            batch = log_batch.join([each for _, each in together])
            await self._meet(batch)
            for entry, each in together:
                self._presence.fold(each, self._owners, entry.logged_at)
            last, _ = together[-1]
            self._latest.fold(batch)
            self._accounts.fold(batch, last.logged_at)
            self._epochs.fold(batch, last.logged_at)
            self._cursor = last.cursor

    async def flush(self) -> float:
        """One transaction: all that changed, and the cursor. kill -9 leaves the former state whole.

        Returns the seconds of it that were left to others.
        """
        if self._cursor == self._flushed:
            return 0.0
        now, pace = self._clock.now(), Unhurried(self._clock)
        totals, epochs = self._accounts.take(), self._epochs.take()
        async with self._connection.transaction():
            dirty, seen = self._latest.take_dirty(), self._presence.take()
            await frames_store.save_latest(self._connection, dirty, now, pace)
            await frames_store.save_presence(self._connection, seen, pace)
            await store.save_totals(self._connection, totals, pace)
            former = await store.save_epochs(self._connection, epochs, now, pace)
            await store.save_place(self._connection, self._cursor)
        self._epochs.put_away(former)
        self._flushed = self._cursor
        return pace.rested

    async def _meet(self, batch: ObservationBatch) -> None:
        """Load what is stored of the frames and epochs that this process has not met yet."""
        if unknown_frames := self._latest.unknown(batch.frame_ids):
            self._latest.remember(
                await frames_store.load_latest(self._connection, unknown_frames)
            )
        if not self._owners.knows(batch.frame_ids):
            await frames_store.load_owners(self._connection, self._owners)
        if unknown_epochs := self._epochs.unknown(batch):
            stored = await store.load_epochs(self._connection, unknown_epochs)
            self._epochs.remember(stored)
            self._epochs.begin(unknown_epochs - stored.keys())


def _groups(entries: Sequence[LogEntry]) -> Iterator[list[_Decoded]]:
    """Batches that are folded as one: most of the cost is a publisher's and a batch's, not a message's.

    A birth counts in its place among its publisher's messages, so a batch with notices ends its group.
    """
    group: list[_Decoded] = []
    for entry in entries:
        batch = log_batch.decode(entry.body)
        apart = group and entry.logged_at - group[0][0].logged_at > _TOGETHER
        if apart or (group and group[-1][1].notices):
            yield group
            group = []
        group.append((entry, batch))
    if group:
        yield group
