"""SQL of accounts by publisher, and of gaps."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.storage.pool import Connection

Row = Mapping[str, Any]

_PUBLISHERS: Final = """
SELECT t.publisher_id, d.key AS device, t.last_seen, t.received, t.stored, t.merged, t.duplicate, t.rejected,
       t.rejected_values, n.numbers, n.messages, n.missing, n.lost, coalesce(g.gaps, 0) AS gaps,
       t.publisher_id NOT IN (SELECT publisher_id FROM ledger_violations WHERE publisher_id IS NOT NULL) AS balanced
FROM publisher_totals t
LEFT JOIN devices d ON d.device_id = t.publisher_id
LEFT JOIN LATERAL (
    SELECT sum(highest_seq - lowest_seq + 1)::bigint AS numbers, sum(s.messages)::bigint AS messages,
           sum(s.missing)::bigint AS missing, sum(s.lost)::bigint AS lost
    FROM publisher_sequences s WHERE s.publisher_id = t.publisher_id AND s.highest_seq IS NOT NULL) n ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS gaps FROM gaps g
    WHERE g.publisher_id = t.publisher_id AND g.closed_at IS NULL AND NOT g.lost) g ON true
WHERE t.publisher_id > $1
  AND ($2::text IS NULL OR strpos(d.key, lower($2)) > 0)
  AND (NOT $3::boolean OR t.publisher_id IN (SELECT publisher_id FROM ledger_violations))
  AND (NOT $4::boolean OR n.missing + n.lost > 0)
ORDER BY t.publisher_id LIMIT $5
"""
_GAPS: Final = """
SELECT g.publisher_id, d.key AS device, g.epoch, g.from_seq, g.to_seq, g.recorded_at, g.closed_at,
       CASE WHEN g.closed_at IS NOT NULL THEN 'closed' WHEN g.lost THEN 'lost' ELSE 'open' END AS state
FROM gaps g LEFT JOIN devices d ON d.device_id = g.publisher_id
WHERE ($1::integer IS NULL OR (g.publisher_id, g.epoch, g.from_seq) > ($1, $2, $3))
  AND ($4::text[] IS NULL OR d.key = ANY($4))
  AND ($5::text[] IS NULL
       OR CASE WHEN g.closed_at IS NOT NULL THEN 'closed' WHEN g.lost THEN 'lost' ELSE 'open' END = ANY($5))
  AND ($6::timestamptz IS NULL OR g.recorded_at >= $6)
ORDER BY g.publisher_id, g.epoch, g.from_seq LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class PublisherFilter:
    """words: part of the device id. with_gaps: that miss or lost something."""

    words: str | None = None
    unbalanced: bool = False
    with_gaps: bool = False


async def list_publishers(
    connection: Connection, chosen: PublisherFilter, after: int | None, limit: int
) -> Sequence[Row]:
    rows: Sequence[Row] = await connection.fetch(
        _PUBLISHERS,
        -1 if after is None else after,
        chosen.words,
        chosen.unbalanced,
        chosen.with_gaps,
        limit,
    )
    return rows


@dataclass(frozen=True, slots=True)
class GapFilter:
    """None: all."""

    devices: Sequence[str] | None = None
    states: Sequence[str] | None = None
    recorded_from: dt.datetime | None = None


async def list_gaps(
    connection: Connection,
    chosen: GapFilter,
    after: tuple[int, ...] | None,
    limit: int,
) -> Sequence[Row]:
    """after: publisher id, epoch and first number of the gap before."""
    rows: Sequence[Row] = await connection.fetch(
        _GAPS,
        *(after or (None, None, None)),
        chosen.devices,
        chosen.states,
        chosen.recorded_from,
        limit,
    )
    return rows
