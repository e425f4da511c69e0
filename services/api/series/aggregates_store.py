"""SQL of bucketed observations, computed from raw rows: numbers, counters and the time spent in each state."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.api.series.model import Piece, Sums, SumsByBucket
from services.core.storage.pool import Connection

# $6: bucket edges. Values that failed a check are left out; suspect ones count.
_ROWS = """
WITH piece AS (
    SELECT * FROM unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[])
        WITH ORDINALITY AS piece(datastream_id, frame_id, slot, piece_start, piece_end, place)
),
inside AS (
    SELECT piece.datastream_id, piece.place, o.phenomenon_time, o.result,
           greatest(o.quality & 15, o.quality >> 4) < 4 AS usable
    FROM piece CROSS JOIN LATERAL (
        SELECT phenomenon_time, results[piece.slot] AS result, coalesce(quality[piece.slot], 17) AS quality
        FROM observations
        WHERE frame_id = piece.frame_id
          AND phenomenon_time >= piece.piece_start AND phenomenon_time < piece.piece_end
          AND phenomenon_time >= $7 AND phenomenon_time < $8
          AND results[piece.slot] IS NOT NULL
    ) o
)
"""
# The newest usable value in the day before a piece: what a counter rises from, and the state it begins in.
_BEFORE = """,
before AS (
    SELECT piece.datastream_id, piece.place, o.phenomenon_time, o.result
    FROM piece CROSS JOIN LATERAL (
        SELECT phenomenon_time, results[piece.slot] AS result
        FROM observations
        WHERE frame_id = piece.frame_id
          AND phenomenon_time >= piece.piece_start - interval '1 day' AND phenomenon_time < piece.piece_start
          AND phenomenon_time >= $7 - interval '1 day' AND phenomenon_time < $8
          AND results[piece.slot] IS NOT NULL
          AND greatest(coalesce(quality[piece.slot], 17) & 15, coalesce(quality[piece.slot], 17) >> 4) < 4
        ORDER BY phenomenon_time DESC LIMIT 1
    ) o
),
known AS (
    SELECT datastream_id, place, phenomenon_time, result FROM before
    UNION ALL
    SELECT datastream_id, place, phenomenon_time, result FROM inside WHERE usable
)
"""
_NUMBERS = (
    _ROWS
    + """
SELECT datastream_id, width_bucket(phenomenon_time, $6::timestamptz[]) AS bucket,
       count(*) FILTER (WHERE usable) AS count,
       count(*) FILTER (WHERE NOT usable) AS excluded,
       avg(result) FILTER (WHERE usable) AS avg,
       min(result) FILTER (WHERE usable) AS min,
       max(result) FILTER (WHERE usable) AS max,
       sum(result) FILTER (WHERE usable) AS sum,
       last(result, phenomenon_time) FILTER (WHERE usable) AS last
FROM inside
GROUP BY datastream_id, bucket
ORDER BY datastream_id, bucket
"""
)
# A counter that falls has rolled over where that is a small rise (a tenth of its register at most), else it was reset
# to zero; another device (another piece) begins anew.
_RISES = (
    _ROWS  # noqa: S608 # constants only
    + _BEFORE
    + """
SELECT datastream_id, width_bucket(phenomenon_time, $6::timestamptz[]) AS bucket,
       sum(CASE WHEN result >= former THEN result - former
                WHEN result - former + register <= register / 10 THEN result - former + register
                ELSE result END) AS delta
FROM (
    SELECT *, lag(result) OVER (PARTITION BY place ORDER BY phenomenon_time) AS former FROM known
) risen
JOIN (
    SELECT piece.place, channel.rolls_over_at * channel.factor AS register
    FROM piece JOIN frames USING (frame_id)
    JOIN device_type_channels channel
      ON channel.device_type_id = frames.device_type_id AND channel.slot = piece.slot - 1
) registers USING (place)
WHERE former IS NOT NULL AND phenomenon_time >= $7
GROUP BY datastream_id, bucket
"""
)
# A state holds until the next observation, at most for the time in $9 (milliseconds, by piece), and not into
# the future ($10). It is cut at the edges of the buckets that it touches.
_STAYS = (
    _ROWS  # noqa: S608 # constants only
    + _BEFORE
    + """,
held AS (
    SELECT known.datastream_id, result, greatest(phenomenon_time, $7) AS start,
           least(lead(phenomenon_time) OVER (PARTITION BY known.place ORDER BY phenomenon_time),
                 phenomenon_time + ($9::bigint[])[known.place] * interval '1 millisecond',
                 piece.piece_end, $10) AS until
    FROM known JOIN piece USING (place)
)
SELECT datastream_id, bucket, result,
       extract(epoch FROM sum(least(until, ($6::timestamptz[])[bucket + 1]) - greatest(start, ($6::timestamptz[])[bucket])))::float8 AS seconds
FROM held
CROSS JOIN LATERAL generate_series(width_bucket(start, $6::timestamptz[]), width_bucket(until, $6::timestamptz[])) AS bucket
WHERE until > start AND bucket < cardinality($6::timestamptz[])
GROUP BY datastream_id, bucket, result
HAVING sum(least(until, ($6::timestamptz[])[bucket + 1]) - greatest(start, ($6::timestamptz[])[bucket])) > interval '0'
"""
)


async def add_up(
    connection: Connection, pieces: Sequence[Piece], edges: Sequence[dt.datetime]
) -> SumsByBucket:
    """All from count to last, of every bucket that has observations."""
    rows = await connection.fetch(_NUMBERS, *_parameters(pieces, edges))
    return {
        (row["datastream_id"], row["bucket"] - 1): Sums(*list(row)[2:]) for row in rows
    }


async def add_rises(
    connection: Connection,
    pieces: Sequence[Piece],
    edges: Sequence[dt.datetime],
    sums: SumsByBucket,
) -> None:
    """The delta of counters; a rise over several buckets counts in the one it ends in."""
    for row in await connection.fetch(_RISES, *_parameters(pieces, edges)):
        _bucket(sums, row).delta = row["delta"]


async def add_stays(
    connection: Connection,
    pieces: Sequence[Piece],
    edges: Sequence[dt.datetime],
    sums: SumsByBucket,
    *,
    holds_ms: Mapping[int, int],
    now: dt.datetime,
) -> None:
    """The durations of states. holds_ms: by datastream, how long a state is believed without being said again."""
    rows = await connection.fetch(
        _STAYS,
        *_parameters(pieces, edges),
        [holds_ms[piece.datastream_id] for piece in pieces],
        now,
    )
    for row in rows:
        _bucket(sums, row).durations[int(row["result"])] = row["seconds"]


def _bucket(sums: SumsByBucket, row: Mapping[str, Any]) -> Sums:
    return sums.setdefault((row["datastream_id"], row["bucket"] - 1), Sums())


def _parameters(
    pieces: Sequence[Piece], edges: Sequence[dt.datetime]
) -> Iterable[object]:
    return (
        [piece.datastream_id for piece in pieces],
        [piece.frame_id for piece in pieces],
        [piece.slot + 1 for piece in pieces],
        [piece.start for piece in pieces],
        [piece.end for piece in pieces],
        list(edges),
        edges[0],
        edges[-1],
    )
