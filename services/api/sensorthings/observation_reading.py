"""Pages of observations, each from a bounded number of bounded reads, however long the history and however many datastreams.

By id (datastream, then time) datastreams are walked one after the other. By time they are read together, window by
window from the edge of the page before. Either way no read begins where there is nothing, and none is longer than a
slice: a filter that finds nothing for long ends the page early, and the next page goes on where it stopped.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.api.sensorthings.model import Row
from services.api.sensorthings.observation_question import FIRST_MS, LAST_MS, Apart
from services.api.sensorthings.observation_store import (
    Manner,
    Stretch,
    find_edges,
    read_observations,
)
from services.api.sensorthings.saying import after_ms
from services.api.series.model import MILLISECOND, Place, before_ms
from services.api.series.ranges import Range
from services.api.series.store import find_pieces
from services.core.clock import from_milliseconds, to_milliseconds
from services.core.storage.pool import Connection

_SLICE: Final = 50_000  # observations that one read goes through at most, about
_BUDGET: Final = 1_000_000  # and that one page goes through
_LARGEST_WINDOW: Final = 200_000  # the same of many datastreams together
_ROUNDS: Final = 40
_FIRST_LOOK, _LOOK_GROWTH, _LARGEST_LOOK = 8, 8, 500  # datastreams looked at at once
_GROWTH: Final = 4


@dataclass(frozen=True, slots=True)
class Page:
    """place: after which more may come; None: that was all."""

    rows: list[Row]
    place: Place | None = None


async def find_stretches(
    connection: Connection, datastreams: Sequence[Row], apart: Apart
) -> list[Stretch]:
    """By datastream and time, within the times that are asked for."""
    by_id = {row["id"]: row for row in datastreams}
    if apart.stored.first >= apart.stored.end:
        return []
    within = Range(
        from_milliseconds(apart.stored.first), from_milliseconds(apart.stored.end)
    )
    pieces = await find_pieces(connection, list(by_id), within)
    stretches = (Stretch(by_id[piece.datastream_id], piece) for piece in pieces)
    return [one for stretch in stretches if (one := _asked(stretch, apart))]


def _asked(stretch: Stretch, apart: Apart) -> Stretch | None:
    before, after = before_ms(stretch.row), after_ms(stretch.row)
    return _clipped(
        stretch,
        from_milliseconds(max(apart.begins.first + before, apart.ends.first - after)),
        from_milliseconds(min(apart.begins.end + before, apart.ends.end - after)),
    )


def _clipped(stretch: Stretch, start: dt.datetime, end: dt.datetime) -> Stretch | None:
    piece = stretch.piece
    start, end = max(piece.start, start), min(piece.end, end)
    if start >= end:
        return None
    return replace(stretch, piece=replace(piece, start=start, end=end))


async def trimmed(
    connection: Connection, stretches: Sequence[Stretch], *, descending: bool
) -> list[Stretch]:
    """Those in which a device says anything, from when it first does (or until when it last does)."""
    if not stretches:
        return []
    edges = await find_edges(connection, stretches, descending=descending)
    found = (
        _trim(stretch, edge, descending=descending)
        for stretch, edge in zip(stretches, edges, strict=True)
        if edge is not None
    )
    return [stretch for stretch in found if stretch]


def _trim(stretch: Stretch, edge: dt.datetime, *, descending: bool) -> Stretch | None:
    piece = stretch.piece
    if descending:
        return _clipped(stretch, piece.start, edge + MILLISECOND)
    return _clipped(stretch, edge, piece.end)


async def walk(
    connection: Connection,
    stretches: Sequence[Stretch],
    how: Manner,
    limit: int,
    after: Place | None = None,
) -> Page:
    """By datastream and time. after: (datastream, milliseconds) of the last observation of the page before."""
    waiting = deque(_still_to_walk(stretches, after, descending=how.descending))
    found: list[Row] = []
    size, look, gone_through = float(limit + 1), _FIRST_LOOK, 0.0
    for _ in range(_ROUNDS):
        group = await _take(connection, waiting, look, size, how)
        if group:
            found += await read_observations(
                connection, group, how, limit + 1 - len(found)
            )
        if len(found) > limit:
            last = found[limit - 1]
            time_ms = to_milliseconds(last["phenomenon_time"])
            return Page(found[:limit], (last["datastream_id"], time_ms))
        if not waiting:
            return Page(found)
        gone_through += size
        if gone_through > _BUDGET:
            break
        size = min(size * _GROWTH, _SLICE)
        look = min(look * _LOOK_GROWTH, _LARGEST_LOOK)
    return Page(found, _before(waiting[0], descending=how.descending))


def _still_to_walk(
    stretches: Sequence[Stretch], after: Place | None, *, descending: bool
) -> list[Stretch]:
    ordered = list(reversed(stretches)) if descending else list(stretches)
    if after is None:
        return ordered
    datastream_id, time_ms = after
    at = from_milliseconds(time_ms)
    rest = []
    for stretch in ordered:
        piece = stretch.piece
        if piece.datastream_id == datastream_id:
            start = piece.start if descending else at + MILLISECOND
            end = at if descending else piece.end
            if clipped := _clipped(stretch, start, end):
                rest.append(clipped)
        elif (piece.datastream_id < datastream_id) == descending:
            rest.append(stretch)
    return rest


def _before(stretch: Stretch, *, descending: bool) -> Place:
    piece = stretch.piece
    edge = piece.end if descending else piece.start - MILLISECOND
    return piece.datastream_id, to_milliseconds(edge)


async def _take(
    connection: Connection,
    waiting: deque[Stretch],
    look: int,
    size: float,
    how: Manner,
) -> list[Stretch]:
    """The next that together have about so many observations; the rest of a long one goes back."""
    looked = [waiting.popleft() for _ in range(min(look, len(waiting)))]
    alive = deque(await trimmed(connection, looked, descending=how.descending))
    group: list[Stretch] = []
    expected = 0.0
    while alive and expected < size:
        stretch = alive.popleft()
        first, rest = split(stretch, size, how)
        if rest:
            alive.appendleft(rest)
        group.append(first)
        expected += size if rest else first.expected_until(how.now)
    waiting.extendleft(reversed(alive))
    return group


def split(stretch: Stretch, size: float, how: Manner) -> tuple[Stretch, Stretch | None]:
    """The first so many observations of a stretch, as far as its period tells, and the rest."""
    if stretch.expected_until(how.now) <= size:
        return stretch, None
    piece, length = stretch.piece, stretch.lasting(size)
    if how.descending:
        cut = piece.end - length
        parts = _clipped(stretch, cut, piece.end), _clipped(stretch, piece.start, cut)
    else:
        cut = piece.start + length
        parts = _clipped(stretch, piece.start, cut), _clipped(stretch, cut, piece.end)
    return parts[0] or stretch, parts[1]


async def read_together(
    connection: Connection,
    stretches: Sequence[Stretch],
    how: Manner,
    limit: int,
    after: Place | None = None,
) -> Page:
    """By time over all datastreams. after: (datastream, milliseconds of that time)."""
    waiting = list(_still_to_come(stretches, after, how))
    found: list[Row] = []
    place, size, gone_through = after, float(limit + 1), 0.0
    while gone_through <= _BUDGET:
        alive = await trimmed(connection, waiting, descending=how.descending)
        if not alive:
            return Page(found)
        first, end = _window(alive, size, how)
        inside = [
            one for stretch in alive if (one := _within(stretch, first, end, how))
        ]
        found += await read_observations(
            connection, inside, how, limit + 1 - len(found)
        )
        if len(found) > limit:
            return Page(found[:limit], place_of(found[limit - 1], how))
        place = (0, first if how.descending else end)
        waiting = list(_still_to_come(alive, place, how))
        gone_through += size
        size = min(size * _GROWTH, _LARGEST_WINDOW)
    return Page(found, place)


def _shift(row: Row, how: Manner) -> int:
    """Milliseconds from the time that is ordered by to the stored stamp."""
    match how.by:
        case "begins":
            return before_ms(row)
        case "ends":
            return -after_ms(row)
        case _:
            return 0


def place_of(row: Row, how: Manner) -> Place:
    """(datastream, milliseconds of the time that is ordered by)."""
    time_ms = to_milliseconds(row["phenomenon_time"]) - _shift(row, how)
    return row["datastream_id"], time_ms


def _within(stretch: Stretch, first: int, end: int, how: Manner) -> Stretch | None:
    shift = _shift(stretch.row, how)
    return _clipped(
        stretch, from_milliseconds(first + shift), from_milliseconds(end + shift)
    )


def _still_to_come(
    stretches: Iterable[Stretch], after: Place | None, how: Manner
) -> Iterable[Stretch]:
    for stretch in stretches:
        if after is None:
            yield stretch
            continue
        datastream_id, at = after
        # Those of the same moment come by datastream.
        ahead = (stretch.piece.datastream_id < datastream_id) == how.descending
        same = ahead and stretch.piece.datastream_id != datastream_id
        shift = _shift(stretch.row, how)
        edge = from_milliseconds(at + shift)
        if how.descending:
            end = edge + MILLISECOND if same else edge
            rest = _clipped(stretch, stretch.piece.start, end)
        else:
            rest = _clipped(
                stretch, edge if same else edge + MILLISECOND, stretch.piece.end
            )
        if rest:
            yield rest


def _window(alive: Sequence[Stretch], size: float, how: Manner) -> tuple[int, int]:
    """Milliseconds [first, end) from the edge on, in which about so many observations are to be expected."""
    per_ms = sum(1 / stretch.period_ms for stretch in alive)
    width = min(max(1_000, int(size / per_ms)), LAST_MS - FIRST_MS)
    if how.descending:
        end = max(
            to_milliseconds(stretch.piece.end) - _shift(stretch.row, how)
            for stretch in alive
        )
        return end - width, end
    first = min(
        to_milliseconds(stretch.piece.start) - _shift(stretch.row, how)
        for stretch in alive
    )
    return first, first + width
