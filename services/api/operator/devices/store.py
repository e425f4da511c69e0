"""SQL of devices and their status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.auth.permissions import Scope
from services.core.storage.pool import Connection

Row = Mapping[str, Any]

# A device without a thing is in the scope of whoever may see a device that it hosts.
_SELECT: Final = """
SELECT d.device_id, d.key, dt.key AS type, t.key AS thing, t.domain, di.key AS district, d.publishes, dt.period_ms,
       d.external_ids, d.retired_at, s.online, s.online_since, s.last_seen, s.last_time, s.firmware,
       array(SELECT g.key FROM device_hosts h JOIN devices g ON g.device_id = h.gateway_id
             WHERE h.device_id = d.device_id AND h.retired_at IS NULL ORDER BY g.key) AS hosted_by,
       (SELECT count(*) FROM device_hosts h WHERE h.gateway_id = d.device_id AND h.retired_at IS NULL) AS hosts
FROM devices d
LEFT JOIN device_types dt USING (device_type_id)
LEFT JOIN things t USING (thing_id)
LEFT JOIN districts di USING (district_id)
LEFT JOIN device_status s USING (device_id)
WHERE (
    (($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2)))
    OR (t.thing_id IS NULL AND EXISTS (
        SELECT FROM device_hosts h JOIN devices hd ON hd.device_id = h.device_id
        JOIN things ht ON ht.thing_id = hd.thing_id JOIN districts hdi ON hdi.district_id = ht.district_id
        WHERE h.gateway_id = d.device_id AND h.retired_at IS NULL
          AND ($1::text[] IS NULL OR ht.domain = ANY($1)) AND ($2::text[] IS NULL OR hdi.key = ANY($2))))
)
"""


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """None: all. gateway: hosted by it. words: part of a key or an external id."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    things: Sequence[str] | None = None
    gateway: str | None = None
    words: str | None = None
    retired: bool = False


async def list_devices(
    connection: Connection, scope: Scope, chosen: DeviceFilter, after: int, limit: int
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        _SELECT
        + """
        AND d.device_id > $3
        AND ($4::text[] IS NULL OR t.domain = ANY($4))
        AND ($5::text[] IS NULL OR di.key = ANY($5))
        AND ($6::text[] IS NULL OR t.key = ANY($6))
        AND ($7::text IS NULL OR EXISTS (
            SELECT FROM device_hosts h JOIN devices g ON g.device_id = h.gateway_id
            WHERE h.device_id = d.device_id AND g.key = $7 AND h.retired_at IS NULL))
        AND ($8::text IS NULL OR strpos(lower(d.key || ' ' || d.external_ids::text), lower($8)) > 0)
        AND ($9 OR d.retired_at IS NULL)
        ORDER BY d.device_id LIMIT $10
        """,
        scope.domains,
        scope.districts,
        after,
        chosen.domains,
        chosen.districts,
        chosen.things,
        chosen.gateway,
        chosen.words,
        chosen.retired,
        limit,
    )
    return rows


async def find_device(connection: Connection, scope: Scope, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        _SELECT + "AND d.key = $3", scope.domains, scope.districts, key
    )
    return row
