"""What the publishers know: numbered, receipted, still pending; read from the outbox file, also of a dead simulator."""

import sqlite3
from contextlib import closing
from itertools import groupby
from pathlib import Path

import msgspec

from device_sim.outbox import FIRST_SEQ

Range = tuple[int, int]  # both ends included


class PublisherReport(msgspec.Struct, frozen=True, kw_only=True):
    """last_seq: the highest number on disk, sent or about to be; below first_seq: none yet.

    receipted_through: every number up to it is receipted, or was dropped because the outbox was full.
    items and pending_items count `values` objects; pending: no receipt yet, stored or not.
    """

    publisher: str
    epoch: int
    first_seq: int
    last_seq: int
    receipted_through: int
    dropped: int
    items: int
    pending_items: int
    pending: tuple[Range, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    messages: int
    pending_messages: int
    items: int
    pending_items: int
    publishers: tuple[PublisherReport, ...]


def read_report(file: Path) -> Report:
    """One snapshot of an outbox file.

    Raises:
        FileNotFoundError: there is none.
    """
    if not file.exists():
        raise FileNotFoundError(file)
    with closing(sqlite3.connect(file)) as database:
        database.execute("BEGIN")
        waiting: dict[str, list[tuple[int, int]]] = {}
        for publisher, seq, items in database.execute(
            "SELECT publisher, seq, items FROM messages ORDER BY publisher, seq"
        ):
            waiting.setdefault(publisher, []).append((seq, items))
        publishers = tuple(
            _publisher_report(row, waiting.get(row[0], []))
            for row in database.execute(
                "SELECT publisher, epoch, last_seq, dropped, items FROM publishers ORDER BY publisher"
            )
        )
    return Report(
        messages=sum(each.last_seq - FIRST_SEQ + 1 for each in publishers),
        pending_messages=sum(map(len, waiting.values())),
        items=sum(each.items for each in publishers),
        pending_items=sum(each.pending_items for each in publishers),
        publishers=publishers,
    )


def _publisher_report(
    row: tuple[str, int, int, int, int], waiting: list[tuple[int, int]]
) -> PublisherReport:
    publisher, epoch, last_seq, dropped, items = row
    return PublisherReport(
        publisher=publisher,
        epoch=epoch,
        first_seq=FIRST_SEQ,
        last_seq=last_seq,
        receipted_through=waiting[0][0] - 1 if waiting else last_seq,
        dropped=dropped,
        items=items,
        pending_items=sum(count for _, count in waiting),
        pending=as_ranges([seq for seq, _ in waiting]),
    )


def as_ranges(numbers: list[int]) -> tuple[Range, ...]:
    """Ascending numbers as ranges."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    return tuple(
        (members[0][1], members[-1][1]) for members in (list(run) for _, run in runs)
    )
