"""SQL of the city, districts and observed properties."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.core.storage.pool import Connection

Row = Mapping[str, Any]


async def read_city(connection: Connection) -> Row | None:
    """The revision and the city's document; None: no city file has been applied yet."""
    row: Row = await connection.fetchrow("SELECT revision, city FROM registry_state")
    return row if row["city"] else None


async def read_revision(connection: Connection) -> int:
    """It rises with every change of the registry."""
    revision: int = await connection.fetchval("SELECT revision FROM registry_state")
    return revision


async def read_time_zone(connection: Connection) -> str:
    """The city's; UTC before there is a city."""
    zone: str | None = await connection.fetchval(
        "SELECT city ->> 'time_zone' FROM registry_state"
    )
    return zone or "UTC"


async def list_districts(
    connection: Connection, keys: Sequence[str] | None
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        """
        SELECT district_id, key, name, area, retired_at FROM districts
        WHERE $1::text[] IS NULL OR key = ANY($1) ORDER BY key
        """,
        keys,
    )
    return rows


async def list_observed_properties(
    connection: Connection,
    domains: Sequence[str] | None,
    kinds: Sequence[str] | None,
    after: int,
    limit: int,
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        """
        SELECT * FROM observed_properties
        WHERE observed_property_id > $1 AND ($2::text[] IS NULL OR domain = ANY($2))
          AND ($3::text[] IS NULL OR kind = ANY($3))
        ORDER BY observed_property_id LIMIT $4
        """,
        after,
        domains,
        kinds,
        limit,
    )
    return rows
