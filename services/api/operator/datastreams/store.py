"""SQL of datastreams; also how a face finds the series it was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.auth.permissions import Scope
from services.api.series.model import Series, keys_and_ids
from services.core.storage.pool import Connection

Row = Mapping[str, Any]

JOINED: Final = """
FROM datastreams d
JOIN things t USING (thing_id)
JOIN districts di USING (district_id)
JOIN observed_properties p USING (observed_property_id)
"""
# Parameters 1 to 3 are the scope.
IN_SCOPE: Final = """
WHERE ($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2))
  AND ($3 OR p.privacy <> 'household')
"""
_SELECT: Final = (
    """
SELECT d.datastream_id, d.key, d.name, t.key AS thing, t.domain, di.key AS district, p.key AS observed_property, p.kind,
       p.unit, p.aggregations, p.privacy, (SELECT s.key FROM sensors s WHERE s.sensor_id = d.sensor_id) AS sensor,
       d.channel, d.period_ms, d.sampling, d.sampling_ms, d.retired_at,
       (SELECT de.key FROM datastream_slots s JOIN frames f USING (frame_id) JOIN devices de USING (device_id)
        WHERE s.datastream_id = d.datastream_id ORDER BY s.valid_from DESC LIMIT 1) AS device
"""  # noqa: S608 # constants only
    + JOINED
    + IN_SCOPE
)
_SERIES: Final = (
    """
SELECT d.datastream_id, d.key, d.name, t.key AS thing, p.key AS observed_property, p.kind, p.unit, d.period_ms,
       d.sampling, d.sampling_ms, p.aggregations, p.codes
"""
    + JOINED
    + IN_SCOPE
    + "AND (d.key = ANY($4) OR d.datastream_id = ANY($5)) ORDER BY d.datastream_id"
)


@dataclass(frozen=True, slots=True)
class DatastreamFilter:
    """None: all. words: part of a key or a name."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    things: Sequence[str] | None = None
    observed_properties: Sequence[str] | None = None
    words: str | None = None
    retired: bool = False


async def list_datastreams(
    connection: Connection,
    scope: Scope,
    chosen: DatastreamFilter,
    after: int,
    limit: int,
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        _SELECT
        + """
        AND d.datastream_id > $4
        AND ($5::text[] IS NULL OR t.domain = ANY($5))
        AND ($6::text[] IS NULL OR di.key = ANY($6))
        AND ($7::text[] IS NULL OR t.key = ANY($7))
        AND ($8::text[] IS NULL OR p.key = ANY($8))
        AND ($9::text IS NULL OR strpos(lower(concat_ws(' ', d.key, d.name ->> 'kk', d.name ->> 'ru', d.name ->> 'en')), lower($9)) > 0)
        AND ($10 OR d.retired_at IS NULL)
        ORDER BY d.datastream_id LIMIT $11
        """,
        scope.domains,
        scope.districts,
        scope.household,
        after,
        chosen.domains,
        chosen.districts,
        chosen.things,
        chosen.observed_properties,
        chosen.words,
        chosen.retired,
        limit,
    )
    return rows


async def find_datastream(connection: Connection, scope: Scope, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        _SELECT + "AND d.key = $4",
        scope.domains,
        scope.districts,
        scope.household,
        key,
    )
    return row


async def find_series(
    connection: Connection, scope: Scope, names: Sequence[str]
) -> list[Series]:
    """Those of the keys or ids that are visible, by id."""
    rows = await connection.fetch(
        _SERIES,
        scope.domains,
        scope.districts,
        scope.household,
        *keys_and_ids(names),
    )
    return [Series.of(row) for row in rows]
