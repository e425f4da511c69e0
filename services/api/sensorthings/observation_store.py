"""SQL of observations: straight at the base table, by frame and time, every read bounded; the registry is not named here."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.sensorthings.entities import OBSERVATIONS
from services.api.sensorthings.filter_grammar import Expression
from services.api.sensorthings.filter_sql import Bound, where
from services.api.sensorthings.model import Row, Voice
from services.api.sensorthings.saying import after_ms
from services.api.sensorthings.store import bad_values_said
from services.api.series.model import MILLISECOND, Piece, before_ms
from services.core.storage.pool import Connection

_DEFAULT_PERIOD_MS: Final = 60_000
_FOR_EVER_MS: Final = 1 << 40  # as long as observations' ids reach
_ID: Final = "(piece.datastream_id::bigint << 40 | (date_part('epoch', phenomenon_time) * 1000)::bigint - 1577836800000)"
_WORD: Final = """CASE WHEN piece.kind = 'state' THEN (
    SELECT code->>'key' FROM jsonb_array_elements(piece.codes::jsonb) code
    WHERE (code->>'value')::float8 = results[piece.slot] LIMIT 1) END"""
_PIECES: Final = """
FROM unnest($1::int[], $2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::int[], $8::text[], $9::text[])
     WITH ORDINALITY
     AS piece(datastream_id, frame_id, slot, piece_start, piece_end, before_ms, after_ms, kind, codes, place)
"""
_INSIDE: Final = """
    FROM observations
    WHERE frame_id = piece.frame_id
      AND phenomenon_time >= piece.piece_start AND phenomenon_time < piece.piece_end
      AND phenomenon_time >= $10::timestamptz AND phenomenon_time < $11::timestamptz
"""
_OBSERVATION: Final = (
    f"""
    SELECT phenomenon_time, results[piece.slot] AS result, coalesce(quality[piece.slot], 17) AS quality, piece.kind,
           {_ID} AS id, {_WORD} AS word,
           phenomenon_time - piece.before_ms * interval '1 millisecond' AS begins,
           phenomenon_time + piece.after_ms * interval '1 millisecond' AS ends
"""  # constants only
    + _INSIDE
    + "      AND results[piece.slot] IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a published datastream; row: of the set Datastreams."""

    row: Row
    piece: Piece

    @property
    def period_ms(self) -> int:
        return self.row["period_ms"] or _DEFAULT_PERIOD_MS

    def expected_until(self, now: dt.datetime) -> float:
        """About how many observations it has by now."""
        span = min(self.piece.end, now) - self.piece.start
        return max(1.0, span / (self.period_ms * MILLISECOND))

    def lasting(self, observations: float) -> dt.timedelta:
        """About how long so many observations take."""
        milliseconds = min(int(observations * self.period_ms), _FOR_EVER_MS)
        return max(1, milliseconds) * MILLISECOND


@dataclass(frozen=True, slots=True)
class Manner:
    """How stretches are read. by: begins or ends across datastreams; without it by datastream and time."""

    voice: Voice
    now: dt.datetime
    rest: Expression | None
    descending: bool
    by: str | None = None


async def read_observations(
    connection: Connection, stretches: Sequence[Stretch], how: Manner, limit: int
) -> list[Row]:
    """At most limit observations in order, with what their datastream says of them."""
    direction = " DESC" if how.descending else ""
    order = f"piece.datastream_id{direction}, o.phenomenon_time{direction}"
    if how.by:
        order = f"o.{how.by}{direction}, piece.datastream_id{direction}"
    return await _fetch(
        connection, stretches, how, limit, f"ORDER BY {order} LIMIT $12"
    )


async def read_each(
    connection: Connection, stretches: Sequence[Stretch], how: Manner, limit: int
) -> list[Row]:
    """At most limit observations of each stretch, in no order."""
    return await _fetch(connection, stretches, how, limit, "")


async def _fetch(
    connection: Connection,
    stretches: Sequence[Stretch],
    how: Manner,
    limit: int,
    ending: str,
) -> list[Row]:
    bound = Bound(how.voice, how.now, [*_pieces(stretches), limit])
    direction = " DESC" if how.descending else ""
    sql = (
        f"SELECT piece.place, o.phenomenon_time, o.result, o.quality {_PIECES}"  # noqa: S608 # constants and bound conditions
        f"CROSS JOIN LATERAL (SELECT * FROM ({_OBSERVATION}) e WHERE {_rest(how, bound)} "
        f"ORDER BY phenomenon_time{direction} LIMIT $12) o {ending}"
    )
    with bad_values_said():
        rows = await connection.fetch(sql, *bound.values)
    return [_observation(stretches[row["place"] - 1].row, row) for row in rows]


async def count_each(
    connection: Connection, stretches: Sequence[Stretch], how: Manner
) -> dict[int, int]:
    """How many observations, by datastream id."""
    bound = Bound(how.voice, how.now, _pieces(stretches))
    sql = (
        f"SELECT piece.datastream_id, sum(o.number)::bigint AS number {_PIECES}"  # noqa: S608 # constants and bound conditions
        f"CROSS JOIN LATERAL (SELECT count(*) AS number FROM ({_OBSERVATION}) e WHERE {_rest(how, bound)}) o "
        "GROUP BY piece.datastream_id"
    )
    with bad_values_said():
        rows = await connection.fetch(sql, *bound.values)
    return {row["datastream_id"]: row["number"] for row in rows}


async def find_edges(
    connection: Connection, stretches: Sequence[Stretch], *, descending: bool
) -> list[dt.datetime | None]:
    """The first time, or the last, at which the device of each stretch said anything; None: never."""
    direction = " DESC" if descending else ""
    sql = (
        f"SELECT (SELECT phenomenon_time {_INSIDE} ORDER BY phenomenon_time{direction} LIMIT 1) AS edge "
        f"{_PIECES} ORDER BY piece.place"
    )
    # Channels of one device have their times together.
    keys = [(one.piece.frame_id, one.piece.start, one.piece.end) for one in stretches]
    distinct = dict(zip(keys, stretches, strict=True))
    rows = await connection.fetch(sql, *_pieces(list(distinct.values())))
    edges = dict(zip(distinct, (row["edge"] for row in rows), strict=True))
    return [edges[key] for key in keys]


def _rest(how: Manner, bound: Bound) -> str:
    return where(OBSERVATIONS, "e", how.rest, bound) if how.rest else "true"


def _pieces(stretches: Sequence[Stretch]) -> list[Any]:
    """The first eleven parameters. The outer times let whole chunks be left out while planning."""
    rows = [one.row for one in stretches]
    pieces = [one.piece for one in stretches]
    return [
        [piece.datastream_id for piece in pieces],
        [piece.frame_id for piece in pieces],
        [piece.slot + 1 for piece in pieces],
        [piece.start for piece in pieces],
        [piece.end for piece in pieces],
        [before_ms(row) for row in rows],
        [after_ms(row) for row in rows],
        [row["kind"] for row in rows],
        [json.dumps(row["codes"]) if row["kind"] == "state" else "[]" for row in rows],
        min(piece.start for piece in pieces),
        max(piece.end for piece in pieces),
    ]


def _observation(datastream: Row, row: Row) -> Row:
    return {
        "datastream_id": datastream["id"],
        "thing_id": datastream["thing_id"],
        "phenomenon_time": row["phenomenon_time"],
        "result": row["result"],
        "quality": row["quality"],
        "kind": datastream["kind"],
        "codes": datastream["codes"],
        "sampling": datastream["sampling"],
        "sampling_ms": datastream["sampling_ms"],
    }
