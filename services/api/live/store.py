"""SQL of the live streams: what followers begin with. What follows comes from the event log."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.api.live.latest_table import NEVER, Cell, Coding
from services.api.publication import PUBLISHED
from services.core.city.catalogue import Kind
from services.core.clock import to_milliseconds
from services.core.storage.event_log import Cursor, Stream, load_cursor, tail
from services.core.storage.log_batch import ItemFlag, ObservationBatch
from services.core.storage.pool import Connection

_CHUNK: Final = 20_000
_FOLDER: Final = "history"  # the consumer that folds latest_observations

# valid_from as milliseconds; -infinity becomes the oldest there is.
_CELLS: Final = """
SELECT d.datastream_id, d.key, t.key AS thing, t.domain, di.key AS district, p.key AS observed_property,
       p.privacy = 'household' AS household, d.retired_at IS NULL AND t.retired_at IS NULL AS in_service,
       s.frame_id, s.slot,
       CASE WHEN s.valid_from > '1970-01-01' THEN floor(extract(epoch FROM s.valid_from) * 1000)::bigint ELSE 0 END AS valid_from_ms
FROM datastreams d
JOIN things t USING (thing_id)
JOIN districts di USING (district_id)
JOIN observed_properties p USING (observed_property_id)
LEFT JOIN LATERAL (
    SELECT frame_id, slot, valid_from, revision FROM datastream_slots s
    WHERE s.datastream_id = d.datastream_id AND s.valid_to = 'infinity' LIMIT 1
) s ON true
WHERE {chosen}
ORDER BY d.datastream_id
"""
# Those of households are millions: they are held when somebody who may see them names them.
_CHANGED: Final = """p.privacy <> 'household' AND (d.revision > $1 OR t.revision > $1 OR p.revision > $1 OR di.revision > $1
   OR d.datastream_id IN (SELECT datastream_id FROM datastream_slots WHERE revision > $1))"""
_NAMED: Final = """p.privacy = 'household' AND (t.key = ANY ($1) OR d.key = ANY ($1) OR d.datastream_id::text = ANY ($1))"""


@dataclass(frozen=True, slots=True)
class AlertSubjects:
    """What alert changes point at, by id."""

    things: Mapping[int, str]
    districts: Mapping[int, str]
    datastreams: Mapping[int, str]
    household: frozenset[int]


async def read_revision(connection: Connection) -> int:
    revision: int = await connection.fetchval("SELECT revision FROM registry_state")
    return revision


async def read_codings(connection: Connection) -> dict[str, Coding]:
    rows = await connection.fetch(
        "SELECT key, kind, unit, codes FROM observed_properties"
    )
    return {
        row["key"]: Coding(Kind(row["kind"]), row["unit"], row["codes"]) for row in rows
    }


async def read_public_ids(connection: Connection) -> list[int]:
    """The datastreams that the publication filter lets pass."""
    rows = await connection.fetch(
        PUBLISHED + "SELECT datastream_id FROM published_datastreams"  # noqa: S608 # constants only
    )
    return [row["datastream_id"] for row in rows]


async def cells_since(
    connection: Connection, revision: int
) -> AsyncIterator[list[Cell]]:
    """Datastreams that changed after a revision of the registry; inside a transaction."""
    cursor = await connection.cursor(_CELLS.format(chosen=_CHANGED), revision)
    while rows := await cursor.fetch(_CHUNK):
        yield [Cell(*row) for row in rows]


async def household_cells(connection: Connection, names: Collection[str]) -> list[Cell]:
    """Datastreams of households by their things' keys, their own keys or ids."""
    wanted = sorted(names)
    rows = (
        await connection.fetch(_CELLS.format(chosen=_NAMED), wanted) if wanted else ()
    )
    return [Cell(*row) for row in rows]


async def newest_frame(connection: Connection) -> int:
    newest: int = await connection.fetchval(
        "SELECT coalesce(max(frame_id), 0) FROM frames"
    )
    return newest


async def folded_cursor(connection: Connection) -> Cursor:
    """Up to where the stored newest values go; without a history service, the end of the log."""
    folded = await load_cursor(connection, _FOLDER, "observations")
    return folded or await tail(connection, "observations")


async def newest_batches(
    connection: Connection, frames: Sequence[int]
) -> AsyncIterator[ObservationBatch]:
    """The stored newest values of frames, each as an item of its own time; inside a transaction."""
    cursor = await connection.cursor(
        "SELECT frame_id, results, times, quality FROM latest_observations WHERE frame_id = ANY ($1)",
        frames,
    )
    while rows := await cursor.fetch(_CHUNK):
        for row in rows:
            yield _as_batch(row)


def _as_batch(row: Mapping[str, Any]) -> ObservationBatch:
    """The slots of a frame as items, one for each time."""
    times = np.array(
        [NEVER if at is None else to_milliseconds(at) for at in row["times"]], np.int64
    )
    results = np.array(
        [np.nan if result is None else result for result in row["results"]], np.float64
    )
    moments = np.unique(times)
    count, width = len(moments), len(times)
    spread = np.where(times == moments[:, np.newaxis], results, np.nan)
    return ObservationBatch(
        frame_ids=np.full(count, row["frame_id"], np.int32),
        times_ms=moments,
        flags=np.full(count, ItemFlag.NEW, np.uint8),
        offsets=np.arange(count + 1, dtype=np.int32) * width,
        results=spread.ravel(),
        quality=np.tile(np.array(row["quality"], np.uint8), count),
    )


async def cursor_before(connection: Connection, stream: Stream, most: int) -> Cursor:
    """The cursor so many batches before the end of a stream, or before the oldest that is still kept."""
    newest = await tail(connection, stream)
    row = await connection.fetchrow(
        """
        SELECT batch - 1 AS batch, logged_at FROM event_log
        WHERE stream = $1 AND batch > $2 ORDER BY batch LIMIT 1
        """,
        stream,
        newest.batch - most,
    )
    return newest if row is None else Cursor(row["batch"], row["logged_at"])


async def find_subjects(
    connection: Connection, changes: Sequence[Any]
) -> AlertSubjects:
    """Keys of what these alert changes point at."""
    datastreams = await connection.fetch(
        """
        SELECT d.datastream_id, d.key, p.privacy = 'household' AS household
        FROM datastreams d JOIN observed_properties p USING (observed_property_id)
        WHERE d.datastream_id = ANY($1)
        """,
        list({change.datastream_id for change in changes} - {None}),
    )
    things = await connection.fetch(
        "SELECT thing_id, key FROM things WHERE thing_id = ANY($1)",
        list({change.thing_id for change in changes} - {None}),
    )
    districts = await connection.fetch("SELECT district_id, key FROM districts")
    return AlertSubjects(
        things=dict(map(tuple, things)),
        districts=dict(map(tuple, districts)),
        datastreams={row["datastream_id"]: row["key"] for row in datastreams},
        household=frozenset(
            row["datastream_id"] for row in datastreams if row["household"]
        ),
    )
