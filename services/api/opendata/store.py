"""SQL of open data: everything about the registry comes through the publication filter's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.api.publication import PUBLISHED
from services.api.series.model import Series, keys_and_ids
from services.api.series.store import NEWEST
from services.core.storage.pool import Connection

Row = Mapping[str, Any]

_THINGS: Final = (
    PUBLISHED  # noqa: S608 # constants only
    + """
SELECT t.thing_id, t.key, t.kind, t.domain, t.name, t.description, t.status, t.exact, di.key AS district,
       CASE WHEN t.exact THEN t.geometry ELSE di.area END AS geometry,
       array(SELECT d.key FROM published_datastreams d WHERE d.thing_id = t.thing_id ORDER BY d.key) AS datastreams
FROM published_things t JOIN published_districts di USING (district_id)
"""
)
_DATASTREAMS: Final = """
FROM published_datastreams d
JOIN published_things t USING (thing_id)
JOIN published_districts di USING (district_id)
JOIN published_properties p USING (observed_property_id)
"""
_SERIES: Final = """
d.datastream_id, d.key, d.name, t.key AS thing, p.key AS observed_property, p.kind, p.unit, d.period_ms,
d.sampling, d.sampling_ms, p.aggregations, p.codes
"""
_CHOSEN: Final = """
WHERE d.datastream_id > $1
  AND ($2::text[] IS NULL OR t.domain = ANY($2))
  AND ($3::text[] IS NULL OR di.key = ANY($3))
  AND ($4::text[] IS NULL OR t.key = ANY($4))
  AND ($5::text[] IS NULL OR p.key = ANY($5))
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """None: all."""

    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    things: Sequence[str] | None = None
    observed_properties: Sequence[str] | None = None


async def read_registry(connection: Connection) -> tuple[int, Row | None]:
    """(revision, the city's document or None before there is a city)."""
    row = await connection.fetchrow("SELECT revision, city FROM registry_state")
    return row["revision"], row["city"]


async def list_datasets(connection: Connection) -> list[Row]:
    """Domains that have something to show."""
    rows: list[Row] = await connection.fetch(
        PUBLISHED
        + "SELECT t.domain, count(DISTINCT d.thing_id) AS things, count(*) AS datastreams, min(d.period_ms) AS period_ms,"
        + " array_agg(DISTINCT p.key) AS properties"
        + _DATASTREAMS
        + "GROUP BY t.domain ORDER BY t.domain"
    )
    return rows


async def list_properties(connection: Connection) -> list[Row]:
    """The published part of the catalogue, as far as it is measured anywhere."""
    rows: list[Row] = await connection.fetch(
        PUBLISHED  # noqa: S608 # constants only
        + """
        SELECT p.* FROM published_properties p
        WHERE p.observed_property_id IN (SELECT observed_property_id FROM published_datastreams)
        ORDER BY p.key
        """
    )
    return rows


async def list_districts(connection: Connection) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        PUBLISHED  # noqa: S608 # constants only
        + "SELECT district_id, key, name, area FROM published_districts ORDER BY key"
    )
    return rows


async def list_things(
    connection: Connection,
    choice: Choice,
    kinds: Sequence[str] | None,
    after: int,
    limit: int,
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        _THINGS
        + """
        WHERE t.thing_id > $1
          AND ($2::text[] IS NULL OR t.domain = ANY($2))
          AND ($3::text[] IS NULL OR di.key = ANY($3))
          AND ($4::text[] IS NULL OR t.kind = ANY($4))
        ORDER BY t.thing_id LIMIT $5
        """,
        after,
        choice.domains,
        choice.districts,
        kinds,
        limit,
    )
    return rows


async def find_thing(connection: Connection, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(_THINGS + "WHERE t.key = $1", key)
    return row


async def list_datastreams(
    connection: Connection, choice: Choice, after: int, limit: int
) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        PUBLISHED
        + "SELECT t.domain, di.key AS district,"
        + _SERIES
        + _DATASTREAMS
        + _CHOSEN
        + "ORDER BY d.datastream_id LIMIT $6",
        after,
        *_parameters(choice),
        limit,
    )
    return rows


async def find_datastream(connection: Connection, key: str) -> Row | None:
    row: Row | None = await connection.fetchrow(
        PUBLISHED
        + "SELECT t.domain, di.key AS district,"
        + _SERIES
        + _DATASTREAMS
        + "WHERE d.key = $1",
        key,
    )
    return row


async def find_series(connection: Connection, names: Sequence[str]) -> list[Series]:
    """Those of the keys or ids that are public, by id."""
    rows = await connection.fetch(
        PUBLISHED
        + "SELECT"
        + _SERIES
        + _DATASTREAMS
        + "WHERE d.key = ANY($1) OR d.datastream_id = ANY($2) ORDER BY d.datastream_id",
        *keys_and_ids(names),
    )
    return [Series.of(row) for row in rows]


async def list_latest(
    connection: Connection, choice: Choice, after: int, limit: int
) -> list[Row]:
    """Of those that have a value."""
    rows: list[Row] = await connection.fetch(
        PUBLISHED
        + "SELECT newest.result, newest.phenomenon_time, newest.quality,"
        + _SERIES
        + _DATASTREAMS
        + "JOIN LATERAL ("
        + NEWEST
        + ") newest ON true"
        + _CHOSEN
        + "ORDER BY d.datastream_id LIMIT $6",
        after,
        *_parameters(choice),
        limit,
    )
    return rows


def _parameters(choice: Choice) -> tuple[Sequence[str] | None, ...]:
    return (
        choice.domains,
        choice.districts,
        choice.things,
        choice.observed_properties,
    )
