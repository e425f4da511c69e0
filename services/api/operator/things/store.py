"""SQL of things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.auth.permissions import Scope
from services.core.storage.pool import Connection

Row = Mapping[str, Any]
_SELECT: Final = """
SELECT t.thing_id, t.key, t.kind, t.domain, di.key AS district, t.name, t.description, t.status, t.protected,
       t.longitude, t.latitude, t.geometry, t.properties, t.retired_at
FROM things t JOIN districts di USING (district_id)
WHERE ($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2))
"""


@dataclass(frozen=True, slots=True)
class ThingFilter:
    """None: all. words: part of a key or a name."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    words: str | None = None
    retired: bool = False


async def list_things(
    connection: Connection, scope: Scope, chosen: ThingFilter, after: int, limit: int
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        _SELECT
        + """
        AND t.thing_id > $3
        AND ($4::text[] IS NULL OR t.domain = ANY($4))
        AND ($5::text[] IS NULL OR di.key = ANY($5))
        AND ($6::text[] IS NULL OR t.kind = ANY($6))
        AND ($7::text IS NULL OR strpos(lower(concat_ws(' ', t.key, t.name ->> 'kk', t.name ->> 'ru', t.name ->> 'en')), lower($7)) > 0)
        AND ($8 OR t.retired_at IS NULL)
        ORDER BY t.thing_id LIMIT $9
        """,
        scope.domains,
        scope.districts,
        after,
        chosen.domains,
        chosen.districts,
        chosen.kinds,
        chosen.words,
        chosen.retired,
        limit,
    )
    return rows


async def find_thing(connection: Connection, scope: Scope, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        _SELECT + "AND t.key = $3", scope.domains, scope.districts, key
    )
    return row


async def find_surroundings(
    connection: Connection, scope: Scope, thing_id: int
) -> tuple[list[Row], list[str], int]:
    """(relations as (kind, outward, key) in scope, keys of its devices, number of visible datastreams)."""
    relations = await connection.fetch(
        """
        SELECT r.kind, r.source_thing_id = $3 AS outward, t.key
        FROM thing_relations r
        JOIN things t ON t.thing_id = CASE WHEN r.source_thing_id = $3 THEN r.target_thing_id ELSE r.source_thing_id END
        JOIN districts di USING (district_id)
        WHERE (r.source_thing_id = $3 OR r.target_thing_id = $3) AND r.retired_at IS NULL
          AND ($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2))
        ORDER BY t.key
        """,
        scope.domains,
        scope.districts,
        thing_id,
    )
    devices = await connection.fetch(
        "SELECT key FROM devices WHERE thing_id = $1 AND retired_at IS NULL ORDER BY key",
        thing_id,
    )
    datastreams: int = await connection.fetchval(
        """
        SELECT count(*) FROM datastreams d JOIN observed_properties p USING (observed_property_id)
        WHERE d.thing_id = $1 AND d.retired_at IS NULL AND ($2 OR p.privacy <> 'household')
        """,
        thing_id,
        scope.household,
    )
    return relations, [row["key"] for row in devices], datastreams
