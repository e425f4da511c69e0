"""SQL of raw observations: straight at the base table, by frame and time, never through the flat view."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from services.api.series.model import (
    MILLISECOND,
    Observation,
    Piece,
    Place,
    Series,
)
from services.api.series.ranges import Range
from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.pool import Connection

_PAGE: Final = """
SELECT piece.datastream_id, o.phenomenon_time, o.result, o.quality, o.ingested_at
FROM unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[])
     AS piece(datastream_id, frame_id, slot, piece_start, piece_end)
CROSS JOIN LATERAL (
    SELECT phenomenon_time, results[piece.slot] AS result, coalesce(quality[piece.slot], 17) AS quality, ingested_at
    FROM observations
    WHERE frame_id = piece.frame_id
      AND phenomenon_time >= piece.piece_start AND phenomenon_time < piece.piece_end
      AND phenomenon_time >= $6 AND phenomenon_time < $7
      AND results[piece.slot] IS NOT NULL
    ORDER BY phenomenon_time
    LIMIT $8
) o
ORDER BY piece.datastream_id, o.phenomenon_time
LIMIT $8
"""


# Of datastream d, for a LATERAL join. A frame's newest value counts only where the slot was the datastream's at that time.
NEWEST: Final = """
SELECT l.results[s.slot + 1] AS result, l.times[s.slot + 1] AS phenomenon_time, l.quality[s.slot + 1] AS quality
FROM datastream_slots s JOIN latest_observations l USING (frame_id)
WHERE s.datastream_id = d.datastream_id
  AND l.times[s.slot + 1] >= s.valid_from AND l.times[s.slot + 1] < s.valid_to
ORDER BY l.times[s.slot + 1] DESC LIMIT 1
"""


async def find_pieces(
    connection: Connection, datastream_ids: Sequence[int], within: Range
) -> list[Piece]:
    """Where the datastreams' rows are, by datastream and time."""
    rows = await connection.fetch(
        """
        SELECT datastream_id, frame_id, slot, greatest(valid_from, $2) AS start, least(valid_to, $3) AS end,
               greatest(valid_from, 'epoch') AS since
        FROM datastream_slots
        WHERE datastream_id = ANY($1) AND valid_from < $3 AND valid_to > $2
        ORDER BY datastream_id, valid_from
        """,
        datastream_ids,
        within.start,
        within.end,
    )
    return [Piece(*row) for row in rows]


async def read_page(
    connection: Connection,
    series: Sequence[Series],
    within: Range,
    limit: int,
    after: Place | None = None,
) -> tuple[list[Observation], Place | None]:
    """At most limit observations by datastream and time, and the place to go on from, if there are more."""
    ids = [one.datastream_id for one in series]
    pieces = _rest(await find_pieces(connection, ids, within), after)
    found: list[Observation] = []
    for group in _groups(pieces, series, limit):
        found += await _read(connection, group, limit + 1 - len(found))
        if len(found) > limit:
            last = found[limit - 1]
            return found[:limit], (
                last.datastream_id,
                to_milliseconds(last.phenomenon_time),
            )
    return found, None


def _rest(pieces: Sequence[Piece], after: Place | None) -> list[Piece]:
    """What is left of the pieces after a place; times are kept in milliseconds."""
    if after is None:
        return list(pieces)
    datastream_id, time_ms = after
    begin = from_milliseconds(time_ms) + MILLISECOND
    rest = []
    for piece in pieces:
        if piece.datastream_id > datastream_id:
            rest.append(piece)
        elif piece.datastream_id == datastream_id and piece.end > begin:
            rest.append(replace(piece, start=max(piece.start, begin)))
    return rest


def _groups(
    pieces: Sequence[Piece], series: Sequence[Series], limit: int
) -> Iterator[Sequence[Piece]]:
    """Neighbours that together have about a page: a query for each piece is too many, one for all reads too much."""
    periods = {one.datastream_id: one for one in series}
    expected, cuts = 0.0, [0]
    for index, piece in enumerate(pieces, start=1):
        expected += periods[piece.datastream_id].expected(piece.end - piece.start)
        if expected >= limit or index == len(pieces):
            cuts.append(index)
            expected = 0.0
    for first, last in pairwise(cuts):
        yield pieces[first:last]


async def _read(
    connection: Connection, pieces: Sequence[Piece], limit: int
) -> list[Observation]:
    rows = await connection.fetch(
        _PAGE,
        [piece.datastream_id for piece in pieces],
        [piece.frame_id for piece in pieces],
        [piece.slot + 1 for piece in pieces],
        [piece.start for piece in pieces],
        [piece.end for piece in pieces],
        min(piece.start for piece in pieces),
        max(piece.end for piece in pieces),
        limit,
    )
    return [Observation._make(row) for row in rows]
