"""What ingest has to know before it begins: newest times and settled numbers, as of the newest batch."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import numpy as np

from services.core.broker.sequences import PublisherSequences
from services.core.errors import CursorTooOldError
from services.core.storage import log_batch
from services.core.storage.event_log import (
    Cursor,
    begin_counting,
    load_cursor,
    read,
)
from services.core.storage.ledger import read_balance
from services.core.storage.pool import Connection
from services.ingest.lanes import NewestTimes
from services.ingest.receipts import Receipts

_PAGE: Final = 500
_ROWS: Final = 50_000
_NEWEST: Final = """
SELECT frame_id, (extract(epoch FROM (SELECT max(time) FROM unnest(times) AS time)) * 1000)::bigint AS newest_ms
FROM latest_observations
"""
_SEQUENCES: Final = """
SELECT publisher_id, epoch, first_seq, settled FROM (
    SELECT *, row_number() OVER (PARTITION BY publisher_id ORDER BY updated_at DESC, epoch DESC) AS place
    FROM publisher_sequences WHERE epoch >= 0
) AS ranked
WHERE place <= 8 ORDER BY publisher_id, place DESC
"""


async def recall_formats(connection: Connection) -> dict[str, dict[str, bytes]]:
    """What wire formats have learned, by format and key."""
    memories: dict[str, dict[str, bytes]] = {}
    rows = await connection.fetch("SELECT format, key, body FROM format_memory")
    for name, key, body in rows:
        memories.setdefault(name, {})[key] = body
    return memories


async def recall(
    connection: Connection, newest: NewestTimes, receipts: Receipts
) -> None:
    """What history has folded, and the batches behind its cursor, in one snapshot.

    When the log no longer reaches back to the cursor, all frames begin in the late lane, which looks at the table.
    Else a frame that neither knows of has no row; should it have one by another way, the table's key says so.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for rows in _pages(connection, _NEWEST):
            known = [(frame, time) for frame, time in rows if time is not None]
            newest.advance(
                np.array([frame for frame, _ in known], np.int32),
                np.array([time for _, time in known], np.int64),
            )
        async for rows in _pages(connection, _SEQUENCES):
            for publisher_id, epoch, first, settled in rows:
                sequences = PublisherSequences([(a, b) for a, b in settled], first)
                receipts.remember((publisher_id, epoch), sequences)
        cursor = await load_cursor(connection, "history", "observations") or Cursor()
        try:
            await _replay(connection, cursor, newest, receipts)
        except CursorTooOldError:
            newest.forget_all()
        else:
            newest.all_told()


async def count_from_now(connection: Connection) -> None:
    """Where the stream's items were not counted yet: begin with the sum of those that there are.

    A log that no longer reaches back to history's cursor does not say it: then nothing is counted.
    """
    counted = "SELECT received FROM log_streams WHERE stream = 'observations'"
    if await connection.fetchval(counted) is not None:
        return
    with contextlib.suppress(CursorTooOldError):
        total = (await read_balance(connection)).total
        received = total.received - total.waiting
        await begin_counting(connection, "observations", received)


async def _replay(
    connection: Connection, cursor: Cursor, newest: NewestTimes, receipts: Receipts
) -> None:
    while entries := await read(connection, "observations", cursor, _PAGE):
        for entry in entries:
            batch = log_batch.decode(entry.body)
            newest.advance(batch.frame_ids, batch.times_ms)
            receipts.fold(batch)
        cursor = entries[-1].cursor


async def _pages(
    connection: Connection, query: str
) -> AsyncIterator[list[tuple[Any, ...]]]:
    cursor = await connection.cursor(query)
    while rows := await cursor.fetch(_ROWS):
        yield rows
