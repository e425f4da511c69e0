"""The only SQL that writes totals, sequences and gaps.

In both tables epoch −1 stands for a publisher's former epochs: 1 … numbers, of which 1 … lost are one gap.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from services.core.broker.sequences import PublisherSequences
from services.core.storage.event_log import Cursor, save_cursor
from services.core.storage.pool import Connection
from services.core.unhurried import Unhurried
from services.history.accounts import Totals
from services.history.epoch_book import (
    KEPT,
    MOST_NUMBERS,
    EpochChanges,
    EpochKey,
    FormerEpochs,
)
from services.history.epochs import Epoch, GapRow

T = TypeVar("T")
CONSUMER = "history"
_PIECE: Final = 1_000  # rows written at once

_SEQUENCES: Final = """
SELECT publisher_id, epoch, first_seq, settled, messages FROM publisher_sequences
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (publisher_id, epoch) USING (publisher_id, epoch)
"""
_OPEN_GAPS: Final = """
SELECT publisher_id, epoch, lost, from_seq, to_seq, recorded_at FROM gaps
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (publisher_id, epoch) USING (publisher_id, epoch)
WHERE closed_at IS NULL ORDER BY from_seq
"""
_SAVE_TOTALS: Final = """
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
_WITH_UNRECORDED: Final = """
SELECT publisher_id, epoch FROM publisher_sequences s
WHERE missing > 0 AND missing > (SELECT coalesce(sum(g.to_seq - g.from_seq + 1), 0) FROM gaps g
                                 WHERE g.publisher_id = s.publisher_id AND g.epoch = s.epoch AND g.closed_at IS NULL AND NOT g.lost)
"""
_CROWDED: Final = """
SELECT publisher_id FROM publisher_sequences WHERE epoch >= 0 GROUP BY publisher_id HAVING count(*) > $1
"""
# What is summed up was counted in two tables, and is summed from both: what did not add up does not afterwards.
_SUM_UP: Final = """
WITH told AS (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[]) AS t (publisher_id, numbers, messages, lost)
), kept AS (
    SELECT publisher_id, oldest.* FROM told
    CROSS JOIN LATERAL (SELECT updated_at, epoch FROM publisher_sequences s WHERE s.publisher_id = told.publisher_id AND epoch >= 0
                        ORDER BY updated_at DESC, epoch DESC OFFSET $5 LIMIT 1) AS oldest
), former AS (
    DELETE FROM publisher_sequences s USING kept k
    WHERE s.publisher_id = k.publisher_id AND s.epoch >= 0 AND (s.updated_at, s.epoch) < (k.updated_at, k.epoch)
    RETURNING s.publisher_id, s.epoch, coalesce(s.highest_seq - s.lowest_seq + 1, 0) AS numbers, s.messages, s.missing, s.lost
), recorded AS (
    DELETE FROM gaps g USING former f WHERE g.publisher_id = f.publisher_id AND g.epoch = f.epoch
    RETURNING g.publisher_id, CASE WHEN g.lost THEN g.to_seq - g.from_seq + 1 ELSE 0 END AS lost
), parts AS (
    SELECT publisher_id, sum(numbers) AS numbers, sum(messages) AS messages, sum(lost) AS lost, sum(gap) AS gap
    FROM (SELECT publisher_id, numbers, messages, lost, lost AS gap FROM told
          UNION ALL SELECT publisher_id, numbers, messages, missing + lost, missing FROM former
          UNION ALL SELECT publisher_id, 0, 0, 0, lost FROM recorded) AS each
    GROUP BY publisher_id
), sums AS (
    SELECT p.publisher_id, (p.numbers - beyond)::bigint AS numbers, p.messages::bigint AS messages,
           (p.lost - beyond)::bigint AS lost, (p.gap - beyond)::bigint AS gap
    FROM parts p LEFT JOIN publisher_sequences s ON s.publisher_id = p.publisher_id AND s.epoch = -1
    CROSS JOIN LATERAL (SELECT greatest(coalesce(s.highest_seq, 0) + p.numbers - $7::bigint, 0) AS beyond) AS room
), counted AS (
    INSERT INTO publisher_sequences AS held (publisher_id, epoch, settled, updated_at, lowest_seq, highest_seq, messages, lost)
    SELECT publisher_id, -1, '[]'::jsonb, $6, 1, numbers, messages, lost FROM sums WHERE (numbers, messages, lost) <> (0, 0, 0)
    ON CONFLICT (publisher_id, epoch) DO UPDATE
    SET updated_at = excluded.updated_at, highest_seq = held.highest_seq + excluded.highest_seq,
        messages = held.messages + excluded.messages, lost = held.lost + excluded.lost
), lost AS (
    INSERT INTO gaps AS held (publisher_id, epoch, from_seq, to_seq, lost, recorded_at)
    SELECT publisher_id, -1, 1, gap, true, $6 FROM sums WHERE gap <> 0
    ON CONFLICT (publisher_id, epoch, from_seq) DO UPDATE
    SET to_seq = held.to_seq + excluded.to_seq, recorded_at = excluded.recorded_at
)
SELECT publisher_id, epoch FROM former LIMIT $8
"""


async def epochs_with_unrecorded_gaps(connection: Connection) -> list[EpochKey]:
    """They change by the passing of time alone."""
    return [tuple(row) for row in await connection.fetch(_WITH_UNRECORDED)]


async def sum_up_all(connection: Connection, now: dt.datetime) -> None:
    """Of an installation that kept every epoch there ever was."""
    rows = await connection.fetch(_CROWDED, KEPT)
    former = {publisher_id: FormerEpochs() for (publisher_id,) in rows}
    await _sum_up(connection, former, now, told=0)


async def _sum_up(
    connection: Connection,
    former: Mapping[int, FormerEpochs],
    now: dt.datetime,
    told: int | None = None,
) -> list[EpochKey]:
    """Add to what former epochs sum up to, also of what is stored and no longer kept; that is told."""
    if not former:
        return []
    rows = await connection.fetch(
        _SUM_UP,
        list(former),
        [sums.numbers for sums in former.values()],
        [sums.messages for sums in former.values()],
        [sums.lost for sums in former.values()],
        KEPT - 1,
        now,
        MOST_NUMBERS,
        told,
    )
    return [tuple(row) for row in rows]


async def load_epochs(
    connection: Connection, keys: Iterable[EpochKey]
) -> dict[EpochKey, Epoch]:
    """Those of these epochs that are stored."""
    wanted = list(keys)
    columns = [[publisher for publisher, _ in wanted], [epoch for _, epoch in wanted]]
    gaps: dict[EpochKey, list[GapRow]] = {}
    for publisher_id, epoch, lost, *row in await connection.fetch(_OPEN_GAPS, *columns):
        gaps.setdefault((publisher_id, epoch), []).append(GapRow(*row, lost=lost))
    epochs = {}
    for publisher_id, epoch, first, settled, messages in await connection.fetch(
        _SEQUENCES, *columns
    ):
        key = (publisher_id, epoch)
        ranges = [(begin, end) for begin, end in settled]
        epochs[key] = Epoch(
            PublisherSequences(ranges, first), messages, gaps.get(key, ())
        )
    return epochs


async def save_totals(
    connection: Connection, totals: Mapping[int, Totals], pace: Unhurried
) -> None:
    for some in _pieces(sorted(totals.items())):
        columns = zip(*(added.columns() for _, added in some), strict=True)
        await connection.execute(
            _SAVE_TOTALS, [publisher_id for publisher_id, _ in some], *columns
        )
        await pace.rest()


async def save_epochs(
    connection: Connection, changes: EpochChanges, now: dt.datetime, pace: Unhurried
) -> list[EpochKey]:
    """The changed epochs' sums and settled ranges; of those with gaps, what is open, lost and newly closed.

    Returns those that were stored and are former now.
    """
    for some in _pieces(sorted(changes.epochs.items())):
        rows = [_sequence_row(key, epoch) for key, epoch in some]
        await connection.execute(_SAVE_SEQUENCES, *zip(*rows, strict=True), now)
        await pace.rest()
    with_gaps = [
        (key, epoch) for key, epoch in changes.epochs.items() if epoch.rows_changed
    ]
    await connection.executemany(
        "DELETE FROM gaps WHERE publisher_id = $1 AND epoch = $2 AND closed_at IS NULL",
        [key for key, _ in with_gaps],
    )
    await connection.executemany(
        _SAVE_GAPS,
        [
            (*key, row.first, row.last, row.lost, row.recorded_at, row.closed_at)
            for key, epoch in with_gaps
            for row in epoch.take_rows()
        ],
    )
    return await _sum_up(connection, changes.former, now)


def _pieces(entries: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(entries), _PIECE):
        yield entries[first : first + _PIECE]


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
