"""SQL of relations."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.api.auth.permissions import Scope
from services.core.storage.pool import Connection

Row = Mapping[str, Any]
Place = tuple[int, int, str]


async def list_relations(
    connection: Connection,
    scope: Scope,
    kinds: Sequence[str] | None,
    after: Place,
    limit: int,
) -> list[Row]:
    """Those of which both ends are in scope; after: source id, target id and kind of the last one."""
    rows: list[Row] = await connection.fetch(
        """
        WITH seen AS (
            SELECT t.thing_id, t.key FROM things t JOIN districts di USING (district_id)
            WHERE t.retired_at IS NULL
              AND ($1::text[] IS NULL OR t.domain = ANY($1)) AND ($2::text[] IS NULL OR di.key = ANY($2))
        )
        SELECT r.kind, r.source_thing_id, r.target_thing_id, s.key AS source, t.key AS target
        FROM thing_relations r
        JOIN seen s ON s.thing_id = r.source_thing_id
        JOIN seen t ON t.thing_id = r.target_thing_id
        WHERE r.retired_at IS NULL AND ($3::text[] IS NULL OR r.kind = ANY($3))
          AND (r.source_thing_id, r.target_thing_id, r.kind) > ($4::int, $5::int, $6::text)
        ORDER BY r.source_thing_id, r.target_thing_id, r.kind LIMIT $7
        """,
        scope.domains,
        scope.districts,
        kinds,
        *after,
        limit,
    )
    return rows
