"""The outboxes of one simulator's publishers in one SQLite file; every write is on the disk when it returns."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from device_sim.outbox import (
    FIRST_SEQ,
    MOST_MESSAGES,
    Changes,
    Entry,
    Outbox,
    Standing,
)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS publishers (
    publisher TEXT PRIMARY KEY, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    items INTEGER NOT NULL, dropped INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    publisher TEXT NOT NULL, seq INTEGER NOT NULL, items INTEGER NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (publisher, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""


class OutboxFile:
    """Used by one thread at a time, not always the same."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def knows(self, publisher: str) -> bool:
        """Whether it has an epoch already."""
        found = self._database.execute(
            "SELECT 1 FROM publishers WHERE publisher = ?", (publisher,)
        )
        return found.fetchone() is not None

    def open_outboxes(
        self, publishers: Iterable[str], new_epoch: int, bound: int = MOST_MESSAGES
    ) -> dict[str, Outbox]:
        """As they were left; with new_epoch where there was none: a lost file must not use a number again."""
        keys = list(publishers)
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR IGNORE INTO publishers VALUES (?, ?, ?, 0, 0)",
                [(key, new_epoch, FIRST_SEQ - 1) for key in keys],
            )
        return {key: self._open(key, bound) for key in keys}

    def _open(self, publisher: str, bound: int) -> Outbox:
        standing = self._database.execute(
            "SELECT epoch, last_seq, items, dropped FROM publishers WHERE publisher = ?",
            (publisher,),
        ).fetchone()
        kept = self._database.execute(
            "SELECT seq, payload, items FROM messages WHERE publisher = ? ORDER BY seq",
            (publisher,),
        )
        entries = [Entry(*columns) for columns in kept]
        return Outbox(publisher, Standing(*standing), entries, bound=bound)

    def write(self, changes: Sequence[Changes], memory: Mapping[str, bytes]) -> None:
        """All of it, or nothing."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR REPLACE INTO publishers VALUES (?, ?, ?, ?, ?)",
                [_standing_row(change) for change in changes],
            )
            self._database.executemany(
                "INSERT INTO messages VALUES (?, ?, ?, ?)",
                [row for change in changes for row in _added_rows(change)],
            )
            self._database.executemany(
                "DELETE FROM messages WHERE publisher = ? AND seq = ?",
                [
                    (change.publisher, seq)
                    for change in changes
                    for seq in change.removed
                ],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO memory VALUES (?, ?)", list(memory.items())
            )

    def recall(self, key: str) -> bytes | None:
        """What write() was last given as memory under this key."""
        row = self._database.execute(
            "SELECT body FROM memory WHERE key = ?", (key,)
        ).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._database.close()


def _standing_row(change: Changes) -> tuple[str, int, int, int, int]:
    standing = change.standing
    return (
        change.publisher,
        standing.epoch,
        standing.last_seq,
        standing.items,
        standing.dropped,
    )


def _added_rows(change: Changes) -> list[tuple[str, int, int, bytes]]:
    return [
        (change.publisher, entry.seq, entry.items, entry.payload)
        for entry in change.added
        if not entry.gone
    ]
