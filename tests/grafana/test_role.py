"""What the role that Grafana has may do: read the schema dashboards, without any household, and nothing else."""
# ruff: noqa: S608 - names of our own views

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from deploy.native.postgres import PostgresCluster
from services.core.storage.pool import Connection, connect
from tests.dashboard_data import HOUSEHOLD_VALUE, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

RANGE = "'2026-11-22 03:00Z', '2026-11-22 04:00Z', '1 min'"
MAKES_NOTHING = (
    "CREATE TABLE mine (x int)",
    "CREATE FUNCTION leak(x float8) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE SCHEMA mine",
    "CREATE VIEW dashboards.mine AS SELECT 1",
    "INSERT INTO dashboards.districts DEFAULT VALUES",
    "UPDATE dashboards.things SET status = 'planned'",
    "DELETE FROM dashboards.rejections",
    "TRUNCATE observations",
    "SELECT event_log_drop_passed('0 s', now())",
    "DROP VIEW dashboards.alerts",
    "SET ROLE alatau_api",
    "COPY dashboards.things TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(
    postgres: PostgresCluster, city_database: str
) -> AsyncIterator[Connection]:
    connection = await connect(postgres.dsn(city_database), "test")
    yield connection
    await connection.close()


async def test_it_may_read_no_table_of_the_platform(
    reader: Connection, owner: Connection
) -> None:
    tables = await owner.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_class c
           WHERE c.relkind IN ('r', 'p', 'v') AND c.relnamespace = 'public'::regnamespace"""
    )
    assert len(tables) > 30
    for table in tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f"SELECT * FROM {table['name']} LIMIT 1")
    chunks = await owner.fetch("SELECT show_chunks('observations')::text AS name")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch(f"SELECT * FROM {chunks[0]['name']} LIMIT 1")


async def test_the_names_of_household_things_are_for_the_views_alone(
    reader: Connection,
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("SELECT * FROM dashboards.household_things")


@pytest.mark.parametrize("statement", MAKES_NOTHING)
async def test_it_writes_and_makes_nothing(reader: Connection, statement: str) -> None:
    with pytest.raises(
        (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)
    ):
        await reader.execute(statement)


async def readable(reader: Connection) -> list[str]:
    rows = await reader.fetch(
        """SELECT c.oid::regclass::text AS name FROM pg_class c
           WHERE c.relkind = 'v' AND c.relnamespace = 'dashboards'::regnamespace
             AND has_table_privilege(c.oid, 'SELECT')"""
    )
    return [row["name"] for row in rows]


async def test_no_view_shows_a_household_a_person_or_a_payload(
    reader: Connection, owner: Connection
) -> None:
    meters = await owner.fetch(
        """SELECT DISTINCT t.key FROM things t JOIN datastreams d USING (thing_id)
           JOIN observed_properties p USING (observed_property_id) WHERE p.privacy = 'household'"""
    )
    assert len(meters) > 100
    keys = {row["key"] for row in meters}
    views = await readable(reader)
    assert len(views) == 14
    for view in views:
        limited = " LIMIT 2000" if view == "dashboards.readings" else ""
        for row in await reader.fetch(f"SELECT * FROM {view}{limited}"):
            seen = [str(value) for value in row.values()]
            assert str(HOUSEHOLD_VALUE) not in seen, view
            assert not keys & set(seen), view
            assert not [text for text in seen if SECRET in text], view


@pytest.mark.parametrize("function", ["sampled", "averaged", "summed"])
async def test_a_household_asked_for_by_its_number_is_not_given(
    reader: Connection, owner: Connection, function: str
) -> None:
    household, other = [
        await owner.fetchval(
            f"SELECT min(datastream_id) FROM datastreams JOIN observed_properties p USING (observed_property_id) WHERE {which}"
        )
        for which in ("p.privacy = 'household'", "p.key = 'active_power'")
    ]
    query = f"SELECT count(*) FROM dashboards.{function}($1, {RANGE})"
    assert await reader.fetchval(query, [household]) == 0
    assert await reader.fetchval(query, [other]) > 0
    by_view = "SELECT count(*) FROM dashboards.readings WHERE datastream_id = $1"
    assert await reader.fetchval(by_view, household) == 0
    assert await reader.fetchval(by_view, other) > 0


@pytest.mark.parametrize(
    "curious",
    [
        "SELECT 1 FROM dashboards.readings WHERE 1 / (result - $1) > 0 AND phenomenon_time > $2",
        "SELECT 1 FROM dashboards.latest WHERE 1 / (value - $1) > 0 AND time > $2",
    ],
)
async def test_a_condition_of_ones_own_is_not_tried_on_hidden_rows(
    reader: Connection, curious: str
) -> None:
    """Division by zero would tell that a hidden row with this value was looked at."""
    recently = NOW.replace(minute=0, hour=3)
    await reader.fetch(curious, HOUSEHOLD_VALUE, recently)


async def test_a_datastream_and_a_time_reach_the_index(reader: Connection) -> None:
    """No plan reads the whole history: conditions get through the barrier, old chunks are left out."""
    plan = await explained(
        reader,
        """SELECT * FROM dashboards.readings WHERE datastream = 'arna-10-feeder-03.current_l1'
           AND phenomenon_time BETWEEN '2026-11-22 03:50Z' AND '2026-11-22 04:00Z'""",
    )
    assert "Seq Scan on _hyper" not in plan
    assert "phenomenon_time >=" in plan


@pytest.mark.parametrize("function", ["sampled", "averaged", "summed"])
async def test_the_functions_read_through_the_index_and_only_what_is_asked(
    owner: Connection, function: str
) -> None:
    body = await owner.fetchval(
        "SELECT prosrc FROM pg_proc WHERE oid = $1::regproc", f"dashboards.{function}"
    )
    for name, value in {
        "datastream_ids": "ARRAY(SELECT datastream_id FROM dashboards.datastreams WHERE property = 'active_power')",
        "begins_at": "'2026-11-22 03:00Z'::timestamptz",
        "ends_at": "'2026-11-22 04:00Z'::timestamptz",
        "step": "'1 min'::interval",
    }.items():
        body = body.replace(name, value)
    await owner.execute("SET search_path = public, pg_temp")
    plan = await explained(owner, body)
    assert "Index Scan" in plan
    assert "observations_pkey" in plan
    assert "Seq Scan on _hyper" not in plan


async def explained(connection: Connection, query: str) -> str:
    rows: list[Any] = await connection.fetch(f"EXPLAIN {query}")
    return "\n".join(row[0] for row in rows)
