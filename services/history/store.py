"""The only SQL that writes totals, sequences and gaps."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from services.core.broker.sequences import PublisherSequences
from services.core.storage.event_log import Cursor, save_cursor
from services.core.storage.pool import Connection
from services.history.accounts import AccountChanges, EpochKey
from services.history.epochs import Epoch, GapRow

CONSUMER = "history"

_SEQUENCES: Final = """
SELECT publisher_id, epoch, first_seq, settled, messages FROM publisher_sequences
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (publisher_id, epoch) USING (publisher_id, epoch)
"""
_OPEN_GAPS: Final = """
SELECT publisher_id, epoch, lost, from_seq, to_seq, recorded_at FROM gaps
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (publisher_id, epoch) USING (publisher_id, epoch)
WHERE closed_at IS NULL ORDER BY from_seq
"""
_SAVE_SEQUENCES: Final = """
INSERT INTO publisher_sequences
    (publisher_id, epoch, first_seq, settled, updated_at, lowest_seq, highest_seq, messages, missing, lost)
SELECT publisher_id, epoch, first_seq, settled::jsonb, $10, lowest_seq, highest_seq, messages, missing, lost
FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[])
  AS changed (publisher_id, epoch, first_seq, settled, lowest_seq, highest_seq, messages, missing, lost)
ON CONFLICT (publisher_id, epoch) DO UPDATE
SET first_seq = excluded.first_seq, settled = excluded.settled, updated_at = excluded.updated_at,
    lowest_seq = excluded.lowest_seq, highest_seq = excluded.highest_seq, messages = excluded.messages,
    missing = excluded.missing, lost = excluded.lost
"""
_SAVE_GAPS: Final = """
INSERT INTO gaps (publisher_id, epoch, from_seq, to_seq, lost, recorded_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (publisher_id, epoch, from_seq) DO UPDATE
SET to_seq = excluded.to_seq, lost = excluded.lost, recorded_at = excluded.recorded_at, closed_at = excluded.closed_at
"""


async def incomplete_epochs(connection: Connection) -> list[EpochKey]:
    """Epochs with missing messages: they change by the passing of time alone."""
    rows = await connection.fetch(
        "SELECT publisher_id, epoch FROM publisher_sequences WHERE missing > 0"
    )
    return [tuple(row) for row in rows]


async def load_epochs(
    connection: Connection, keys: Iterable[EpochKey]
) -> dict[EpochKey, Epoch]:
    """These epochs as they are stored; fresh ones for those never met."""
    wanted = list(keys)
    columns = [[publisher for publisher, _ in wanted], [epoch for _, epoch in wanted]]
    gaps: dict[EpochKey, list[GapRow]] = {}
    for publisher_id, epoch, lost, *row in await connection.fetch(_OPEN_GAPS, *columns):
        gaps.setdefault((publisher_id, epoch), []).append(GapRow(*row, lost=lost))
    epochs = {key: Epoch() for key in wanted}
    for publisher_id, epoch, first, settled, messages in await connection.fetch(
        _SEQUENCES, *columns
    ):
        key = (publisher_id, epoch)
        ranges = [(begin, end) for begin, end in settled]
        epochs[key] = Epoch(
            PublisherSequences(ranges, first), messages, gaps.get(key, ())
        )
    return epochs


async def save_totals(connection: Connection, changes: AccountChanges) -> None:
    ordered = sorted(changes.totals.items())
    columns = list(zip(*(totals.columns() for _, totals in ordered), strict=True))
    if not columns:
        return
    await connection.execute(
        """
        INSERT INTO publisher_totals AS held
            (publisher_id, received, stored, merged, duplicate, rejected, rejected_values, last_seen)
        SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bigint[], $8::timestamptz[])
        ON CONFLICT (publisher_id) DO UPDATE SET
            received = held.received + excluded.received, stored = held.stored + excluded.stored,
            merged = held.merged + excluded.merged, duplicate = held.duplicate + excluded.duplicate,
            rejected = held.rejected + excluded.rejected,
            rejected_values = held.rejected_values + excluded.rejected_values,
            last_seen = greatest(held.last_seen, excluded.last_seen)
        """,
        [publisher_id for publisher_id, _ in ordered],
        *columns,
    )


async def save_epochs(
    connection: Connection,
    epochs: Mapping[EpochKey, Epoch],
    changes: AccountChanges,
    now: dt.datetime,
) -> None:
    """The changed epochs' sums and settled ranges; of those with gaps, what is open, lost and newly closed."""
    changed = sorted(changes.epochs)
    rows = [_sequence_row(key, epochs[key]) for key in changed]
    if rows:
        await connection.execute(_SAVE_SEQUENCES, *zip(*rows, strict=True), now)
    with_gaps = [key for key in changed if epochs[key].rows_changed]
    await connection.executemany(
        "DELETE FROM gaps WHERE publisher_id = $1 AND epoch = $2 AND closed_at IS NULL",
        with_gaps,
    )
    await connection.executemany(
        _SAVE_GAPS,
        [
            (*key, row.first, row.last, row.lost, row.recorded_at, row.closed_at)
            for key in with_gaps
            for row in epochs[key].take_rows()
        ],
    )


def _sequence_row(key: EpochKey, epoch: Epoch) -> tuple[object, ...]:
    sequences, held = epoch.sequences, epoch.sum
    settled = msgspec.json.encode(sequences.settled).decode()
    if held is None:
        return (*key, sequences.first, settled, None, None, 0, 0, 0)
    sums = (held.lowest, held.highest, held.messages, held.missing, held.lost)
    return (*key, sequences.first, settled, *sums)


async def save_place(connection: Connection, cursor: Cursor) -> None:
    await save_cursor(connection, CONSUMER, "observations", cursor)


async def drop_passed_log(
    connection: Connection, keep: dt.timedelta, now: dt.datetime
) -> int:
    """Drop whole chunks of the event log that every consumer has passed; returns how many."""
    return len(
        await connection.fetch("SELECT event_log_drop_passed($1, $2)", keep, now)
    )
