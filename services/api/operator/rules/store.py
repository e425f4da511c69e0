"""SQL of rules."""

from collections.abc import Mapping
from typing import Any

from services.core.storage.pool import Connection

Row = Mapping[str, Any]


async def list_rules(connection: Connection, *, retired: bool) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        """
        SELECT key, version, enabled, document, retired_at FROM rules
        WHERE $1 OR retired_at IS NULL ORDER BY key
        """,
        retired,
    )
    return rows


async def find_rule(connection: Connection, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        "SELECT key, version, enabled, document, retired_at FROM rules WHERE key = $1",
        key,
    )
    return row
