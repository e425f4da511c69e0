"""SQL of newest values: from the table that history folds, never from the hypertable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.auth.permissions import Scope
from services.api.operator.datastreams.store import IN_SCOPE, JOINED
from services.api.series.model import keys_and_ids
from services.api.series.store import NEWEST
from services.core.storage.pool import Connection

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LatestFilter:
    """None: all. datastreams: keys or ids."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    things: Sequence[str] | None = None
    observed_properties: Sequence[str] | None = None
    datastreams: Sequence[str] | None = None


_SELECT: Final = (
    """
SELECT d.datastream_id, d.key, d.name, t.key AS thing, t.domain, di.key AS district, p.key AS observed_property, p.kind,
       p.unit, d.period_ms, d.sampling, d.sampling_ms, p.aggregations, p.codes, newest.result, newest.phenomenon_time, newest.quality,
       EXISTS (SELECT FROM datastream_slots s JOIN frames f USING (frame_id) JOIN device_status u USING (device_id)
               WHERE s.datastream_id = d.datastream_id AND s.valid_to = 'infinity'
                 AND NOT u.online AND u.online_since >= newest.phenomenon_time) AS gone
"""
    + JOINED
    + "LEFT JOIN LATERAL ("
    + NEWEST
    + ") newest ON true"
    + IN_SCOPE
    + """
AND d.datastream_id > $4 AND d.retired_at IS NULL
AND ($5::text[] IS NULL OR t.domain = ANY($5))
AND ($6::text[] IS NULL OR di.key = ANY($6))
AND ($7::text[] IS NULL OR t.key = ANY($7))
AND ($8::text[] IS NULL OR p.key = ANY($8))
AND ($9::text[] IS NULL OR d.key = ANY($9) OR d.datastream_id = ANY($10))
ORDER BY d.datastream_id LIMIT $11
"""
)


async def list_latest(
    connection: Connection, scope: Scope, chosen: LatestFilter, after: int, limit: int
) -> list[Row]:
    keys, ids = keys_and_ids(chosen.datastreams or ())
    rows: list[Row] = await connection.fetch(
        _SELECT,
        scope.domains,
        scope.districts,
        scope.household,
        after,
        chosen.domains,
        chosen.districts,
        chosen.things,
        chosen.observed_properties,
        None if chosen.datastreams is None else keys,
        ids,
        limit,
    )
    return rows
