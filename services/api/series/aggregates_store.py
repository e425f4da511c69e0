"""SQL of bucketed observations, computed from raw rows: numbers, counters and the time spent in each state."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.api.series.model import MILLISECOND, Piece, Sums, SumsByBucket
from services.core.storage.pool import Connection

# $7: bucket edges, $8 and $9: the first and the last of them, $10: before which all rows are, of whatever piece.
# A value is added up where the time begins that it tells of: before_ms ahead of its stamp. Values that failed a
# check are left out; suspect ones count.
_ROWS = """
WITH piece AS (
    SELECT datastream_id, frame_id, slot, since, piece_end, place, before_ms * interval '1 millisecond' AS before
    FROM unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::int[])
        WITH ORDINALITY AS piece(datastream_id, frame_id, slot, since, piece_end, before_ms, place)
),
inside AS (
    SELECT piece.datastream_id, piece.place, o.phenomenon_time - piece.before AS begins, o.result,
           greatest(o.quality & 15, o.quality >> 4) < 4 AS usable
    FROM piece CROSS JOIN LATERAL (
        SELECT phenomenon_time, results[piece.slot] AS result, coalesce(quality[piece.slot], 17) AS quality
        FROM observations
        WHERE frame_id = piece.frame_id
          AND phenomenon_time >= greatest(piece.since, $8::timestamptz + piece.before)
          AND phenomenon_time < least(piece.piece_end, $9::timestamptz + piece.before)
          AND phenomenon_time >= $8 AND phenomenon_time < $10
          AND results[piece.slot] IS NOT NULL
    ) o
)
"""
# Of one piece, the newest usable value ahead of the range ($11). Whether it is the datastream's own (since) is asked of
# what was found: a time that differs by piece would have each of them choose anew among all chunks, 0.7 ms for 120.
_EARLIER = """
    SELECT phenomenon_time, results[piece.slot] AS result
    FROM observations
    WHERE frame_id = piece.frame_id AND phenomenon_time < $11
      AND results[piece.slot] IS NOT NULL
      AND greatest(coalesce(quality[piece.slot], 17) & 15, coalesce(quality[piece.slot], 17) >> 4) < 4
"""
_NEWEST_FIRST = "ORDER BY phenomenon_time DESC LIMIT 1"
_NUMBERS = f"""{_ROWS}
SELECT datastream_id, width_bucket(begins, $7::timestamptz[]) AS bucket,
       count(*) FILTER (WHERE usable) AS count,
       count(*) FILTER (WHERE NOT usable) AS excluded,
       avg(result) FILTER (WHERE usable) AS avg,
       min(result) FILTER (WHERE usable) AS min,
       max(result) FILTER (WHERE usable) AS max,
       sum(result) FILTER (WHERE usable) AS sum,
       last(result, begins) FILTER (WHERE usable) AS last
FROM inside
GROUP BY datastream_id, bucket
ORDER BY datastream_id, bucket
"""  # noqa: S608 # constants only
# A counter that falls has rolled over where that is a small rise (a tenth of its register at most), else it was reset
# to zero; another device (another piece) begins anew. However long a counter was silent, its first value in the range
# rises from the last one ahead of it, so a sum does not depend on where ranges are cut. Only that one looks for it.
_RISES = f"""{_ROWS}
SELECT datastream_id, width_bucket(begins, $7::timestamptz[]) AS bucket,
       sum(CASE WHEN result >= former THEN result - former
                WHEN result - former + register BETWEEN 0 AND register / 10 THEN result - former + register
                ELSE result END) AS delta
FROM (
    SELECT inside.datastream_id, begins, inside.result, channel.rolls_over_at * channel.factor AS register,
           coalesce(lag(inside.result) OVER (PARTITION BY place ORDER BY begins),
                    (SELECT result FROM ({_EARLIER} {_NEWEST_FIRST}) earlier
                     WHERE phenomenon_time >= piece.since)) AS former
    FROM inside JOIN piece USING (place) JOIN frames USING (frame_id)
    JOIN device_type_channels channel
      ON channel.device_type_id = frames.device_type_id AND channel.slot = piece.slot - 1
    WHERE usable
) risen
WHERE former IS NOT NULL
GROUP BY datastream_id, bucket
"""  # noqa: S608 # constants only
# A state holds until the next observation, at most for the time in $12 (milliseconds, by piece; none that began before
# $14 still does), and not into the future ($13). It is cut at the edges of the buckets that it touches.
_STAYS = f"""{_ROWS},
known AS (
    SELECT place, phenomenon_time, result
    FROM piece CROSS JOIN LATERAL ({_EARLIER} AND phenomenon_time >= $14 {_NEWEST_FIRST}) earlier
    WHERE phenomenon_time >= since
    UNION ALL
    SELECT place, begins, result FROM inside WHERE usable
),
held AS (
    SELECT piece.datastream_id, result, greatest(phenomenon_time, $8) AS start,
           least(lead(phenomenon_time) OVER (PARTITION BY place ORDER BY phenomenon_time),
                 phenomenon_time + ($12::bigint[])[place] * interval '1 millisecond',
                 piece.piece_end, $13) AS until
    FROM known JOIN piece USING (place)
)
SELECT datastream_id, bucket, result,
       extract(epoch FROM sum(least(until, ($7::timestamptz[])[bucket + 1]) - greatest(start, ($7::timestamptz[])[bucket])))::float8 AS seconds
FROM held
CROSS JOIN LATERAL generate_series(width_bucket(start, $7::timestamptz[]), width_bucket(until, $7::timestamptz[])) AS bucket
WHERE until > start AND bucket < cardinality($7::timestamptz[])
GROUP BY datastream_id, bucket, result
HAVING sum(least(until, ($7::timestamptz[])[bucket + 1]) - greatest(start, ($7::timestamptz[])[bucket])) > interval '0'
"""  # noqa: S608 # constants only
# What a counter shows has risen before that moment: at 10:00 in the bucket that ends there. Times are milliseconds.
RISES_BEFORE_MS: Final = 1


async def add_up(
    connection: Connection,
    pieces: Sequence[Piece],
    edges: Sequence[dt.datetime],
    before_ms: Mapping[int, int],
) -> SumsByBucket:
    """All from count to last, of every bucket that has observations. before_ms: by datastream, as Series has it."""
    before = [before_ms[piece.datastream_id] for piece in pieces]
    rows = await connection.fetch(_NUMBERS, *_parameters(pieces, edges, before))
    return {
        (row["datastream_id"], row["bucket"] - 1): Sums(*list(row)[2:]) for row in rows
    }


async def add_rises(
    connection: Connection,
    pieces: Sequence[Piece],
    edges: Sequence[dt.datetime],
    sums: SumsByBucket,
) -> None:
    """The delta of counters; a rise over several buckets counts in the one it ends in, that one's very end included."""
    rows = await connection.fetch(
        _RISES,
        *_parameters(pieces, edges, [RISES_BEFORE_MS] * len(pieces)),
        edges[0] + RISES_BEFORE_MS * MILLISECOND,
    )
    for row in rows:
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
    holds = [holds_ms[piece.datastream_id] for piece in pieces]
    rows = await connection.fetch(
        _STAYS,
        *_parameters(pieces, edges, [0] * len(pieces)),
        edges[0],
        holds,
        now,
        edges[0] - max(holds) * MILLISECOND,
    )
    for row in rows:
        _bucket(sums, row).durations[int(row["result"])] = row["seconds"]


def _bucket(sums: SumsByBucket, row: Mapping[str, Any]) -> Sums:
    return sums.setdefault((row["datastream_id"], row["bucket"] - 1), Sums())


def _parameters(
    pieces: Sequence[Piece], edges: Sequence[dt.datetime], before_ms: Sequence[int]
) -> Iterable[object]:
    """before_ms: by piece."""
    return (
        [piece.datastream_id for piece in pieces],
        [piece.frame_id for piece in pieces],
        [piece.slot + 1 for piece in pieces],
        [piece.since for piece in pieces],
        [piece.end for piece in pieces],
        before_ms,
        list(edges),
        edges[0],
        edges[-1],
        max(piece.end for piece in pieces),
    )
