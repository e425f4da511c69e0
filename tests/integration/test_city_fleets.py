"""Fleets: the registry is the same as if every member had been named; only the way there is another."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from deploy.native.postgres import PostgresCluster
from services.core.city import fleets
from services.core.city.city_file import read_city
from services.core.city.diff import Action
from services.core.city.entities import City
from services.core.city.records import Section
from services.core.errors import CityFileError
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import Applied, apply_city
from tests.fleet_cities import city_with, households
from tests.stack_fixtures import fresh_database
from tests.unit.city.small_city import changed

pytestmark = pytest.mark.integration

# Everything but ids, revisions and who says it: what the city is.
FACTS = {
    "things": """
        SELECT t.key, kind, domain, t.name, description, d.key AS district, longitude, latitude, geometry, status,
               protected, properties, t.retired_at IS NOT NULL AS retired
        FROM things t JOIN districts d USING (district_id)""",
    "relations": """
        SELECT r.kind, s.key AS source, t.key AS target, r.retired_at IS NOT NULL AS retired
        FROM thing_relations r JOIN things s ON s.thing_id = source_thing_id JOIN things t ON t.thing_id = target_thing_id""",
    "devices": """
        SELECT d.key, y.key AS type, t.key AS thing, publishes, external_ids, d.retired_at IS NOT NULL AS retired
        FROM devices d LEFT JOIN device_types y USING (device_type_id) LEFT JOIN things t USING (thing_id)""",
    "hosts": """
        SELECT g.key AS gateway, d.key AS device, h.retired_at IS NOT NULL AS retired
        FROM device_hosts h JOIN devices g ON g.device_id = gateway_id JOIN devices d ON d.device_id = h.device_id""",
    "datastreams": """
        SELECT regexp_replace(s.key, 'retired-.*', 'retired') AS key, t.key AS thing, i.key AS sensor, p.key AS property,
               channel, s.name, period_ms, sampling, sampling_ms, s.retired_at IS NOT NULL AS retired,
               s.datastream_id < 1 << 20 AS public
        FROM datastreams s JOIN things t USING (thing_id) JOIN sensors i USING (sensor_id)
        JOIN observed_properties p USING (observed_property_id)""",
    "slots": """
        SELECT regexp_replace(s.key, 'retired-.*', 'retired') AS key, d.key AS device, y.key AS type, slot,
               f.closed_at IS NOT NULL AS closed, valid_from = '-infinity' AS always, valid_to = 'infinity' AS open
        FROM datastream_slots JOIN datastreams s USING (datastream_id) JOIN frames f USING (frame_id)
        JOIN devices d USING (device_id) JOIN device_types y ON y.device_type_id = f.device_type_id""",
}


# Where the server lets us, a new fleet's rows are written without these checks.
FOREIGN_KEYS = """
SELECT format('SELECT count(*) FROM %s AS x LEFT JOIN %s AS y ON y.%I = x.%I WHERE x.%I IS NOT NULL AND y.%I IS NULL',
              c.conrelid::regclass, c.confrelid::regclass, b.attname, a.attname, a.attname, b.attname)
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
"""


async def dangling(connection: Connection) -> int:
    queries = await connection.fetch(FOREIGN_KEYS)
    assert len(queries) > 10
    return sum([await connection.fetchval(query) for (query,) in queries])


async def facts(connection: Connection) -> dict[str, list[str]]:
    return {
        name: sorted(repr(tuple(row)) for row in await connection.fetch(query))
        for name, query in FACTS.items()
    }


async def put(
    connection: Connection, city: City, *, retire: bool = False, dry_run: bool = False
) -> Applied:
    return await apply_city(
        connection, city, retire=retire, actor="tester", dry_run=dry_run
    )


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, "test")
    yield connection
    await connection.close()


@pytest.fixture
def other_url(postgres: PostgresCluster) -> Iterator[str]:
    with fresh_database(postgres, "named_one_by_one") as url:
        yield url


@pytest.fixture
async def named(other_url: str) -> AsyncIterator[Connection]:
    connection = await connect(other_url, "test")
    yield connection
    await connection.close()


def flow_in_cubic_metres(file: dict[str, Any]) -> None:
    file["device_types"]["logger"]["channels"]["flow"] = "flow"


def another_channel(file: dict[str, Any]) -> None:
    channels = file["device_types"]["logger"]["channels"]
    file["device_types"]["logger"]["channels"] = {"pump": "pump", **channels}


def another_name(file: dict[str, Any]) -> None:
    file["catalogue"]["flow"]["name"] = {"kk": "Ағын", "ru": "Расход", "en": "Flow"}


def twice_of_a_property(file: dict[str, Any]) -> None:
    file["device_types"]["logger"]["channels"]["level_2"] = "level"


Step = tuple[dict[str, Any], Callable[[dict[str, Any]], None] | None, bool]
STORIES: dict[str, list[Step]] = {
    "first": [(households(1, 3), None, False)],
    "two of a property": [(households(1, 2), twice_of_a_property, False)],
    "more, then fewer": [
        (households(1, 3), None, False),
        (households(1, 5), None, False),
        (households(2, 4), None, False),
        (households(2, 4), None, True),
        (households(1, 4), None, False),
    ],
    "other facts": [
        (households(1, 2), None, False),
        (households(1, 2, kind="cottage", protected=True, fed_by=[]), None, True),
        (households(1, 2, devices={}), None, True),
        (households(1, 2), None, False),
    ],
    "exchanged devices": [
        (households(1, 2), None, False),
        (
            households(
                1, 2, devices={"logger-{n:02}-{m}": {"type": "station"}}, parts={}
            ),
            None,
            True,
        ),
    ],
    "a channel means something else": [
        (households(1, 2), None, False),
        (households(1, 2), flow_in_cubic_metres, False),
        (households(1, 2), another_name, False),
    ],
    "a new channel": [
        (households(1, 2), None, False),
        (households(1, 3), another_channel, False),
    ],
}


@pytest.mark.parametrize("together", [2, 5_000])
@pytest.mark.parametrize("story", STORIES)
async def test_a_fleet_is_as_if_each_were_named(
    connection: Connection,
    named: Connection,
    story: str,
    together: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleets, "_PART", together)
    for entries, change, retire in STORIES[story]:
        as_fleet = city_with(entries, fleet=True, change=change)
        one_by_one = city_with(entries, fleet=False, change=change)
        applied = await put(connection, as_fleet, retire=retire)
        await put(named, one_by_one, retire=retire)
        assert await facts(connection) == await facts(named)
        assert await dangling(connection) == 0
        assert applied.diff.writes
        again = await put(connection, as_fleet, retire=retire)
        assert not again.diff.writes
        live = await connection.fetchrow(
            """SELECT (SELECT count(*) FROM things WHERE fleet_id IS NOT NULL AND retired_at IS NULL) AS things,
                      (SELECT count(*) FROM devices WHERE fleet_id IS NOT NULL AND retired_at IS NULL) AS devices,
                      (SELECT count(*) FROM datastreams JOIN things t USING (thing_id)
                       WHERE fleet_id IS NOT NULL AND datastreams.retired_at IS NULL) AS datastreams"""
        )
        fleet = as_fleet.fleets["households"]
        if retire or len(STORIES[story]) == 1:
            counts = {"things": fleet.things, "devices": fleet.devices}
            assert dict(live) == {**counts, "datastreams": fleet.datastreams}


async def test_named_things_become_a_fleet_and_are_what_they_were(
    connection: Connection,
) -> None:
    await put(connection, city_with(households(1, 3), fleet=False))
    before = await facts(connection)
    ids = await connection.fetch(
        "SELECT datastream_id, key FROM datastreams ORDER BY key"
    )
    await put(connection, city_with(households(1, 3), fleet=True), retire=True)
    assert await facts(connection) == before
    assert ids == await connection.fetch(
        "SELECT datastream_id, key FROM datastreams ORDER BY key"
    )
    again = await put(connection, city_with(households(1, 3), fleet=True), retire=True)
    assert not again.diff.changes


async def test_named_things_are_found_in_the_midst_of_a_new_fleet(
    connection: Connection, named: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "_PART", 2)  # members at once, of six
    for registry in (connection, named):
        await put(registry, city_with(households(2, 2), fleet=False))
    await put(connection, city_with(households(1, 3), fleet=True))
    await put(named, city_with(households(1, 3), fleet=False))
    assert await facts(connection) == await facts(named)
    assert await dangling(connection) == 0


async def test_a_fleet_that_vanished_stays_until_retire_is_said(
    connection: Connection,
) -> None:
    await put(connection, city_with(households(1, 3), fleet=True))
    without = city_with({}, fleet=True, named=False)
    kept = await put(connection, without)
    assert kept.diff.keys(Section.FLEET, Action.VANISHED) == ["households"]
    await put(connection, without, retire=True)
    left = await connection.fetchval(
        """SELECT (SELECT count(*) FROM things WHERE fleet_id IS NOT NULL AND retired_at IS NULL)
                + (SELECT count(*) FROM devices WHERE fleet_id IS NOT NULL AND retired_at IS NULL)
                + (SELECT count(*) FROM datastream_slots WHERE valid_to = 'infinity')
                - (SELECT count(*) FROM datastreams WHERE retired_at IS NULL)"""
    )
    assert left == 0
    back = await put(connection, city_with(households(1, 3), fleet=True))
    assert back.diff.keys(Section.FLEET, Action.RESTORED) == ["households"]


async def test_a_dry_run_tells_of_the_fleet_and_writes_nothing(
    connection: Connection,
) -> None:
    applied = await put(
        connection, city_with(households(1, 3), fleet=True), dry_run=True
    )
    told = [c for c in applied.diff.changes if c.section is Section.FLEET]
    assert [(c.key, c.action) for c in told] == [("households", Action.CREATED)]
    assert told[0].new is not None
    assert (told[0].new["things"], told[0].new["datastreams"]) == (12, 30)
    assert await connection.fetchval("SELECT count(*) FROM things") == 0


async def test_the_audit_has_the_template_once(connection: Connection) -> None:
    await put(connection, city_with(households(1, 3), fleet=True))
    rows = await connection.fetch(
        "SELECT action, entity_key, new FROM audit WHERE entity = 'fleets'"
    )
    assert [(row["action"], row["entity_key"]) for row in rows] == [
        ("create", "households")
    ]
    assert rows[0]["new"]["template"] == households(1, 3)
    assert await connection.fetchval("SELECT count(*) FROM audit") < 40


async def test_members_that_cannot_be_refuse_the_whole_apply(
    connection: Connection,
) -> None:
    """The first member is sound, so the file is; a later one has the key of a thing that is named."""
    wrong = households(1, 3)
    wrong["tank-{n}"] = {**wrong.pop("home-{n:02}-{m}"), "repeat": {"n": 2, "m": 2}}
    city = city_with(wrong, fleet=True)
    with pytest.raises(CityFileError, match=r"twice|second"):
        await put(connection, city)
    assert await connection.fetchval("SELECT count(*) FROM things") == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": None}, "kind: is missing"),
        ({"devices": {"tank-logger": {"type": "logger"}}}, "in a fleet and outside"),
        ({"devices": {"x": {"type": "nothing"}}}, "device type 'nothing' is not there"),
        (
            {"devices": {"x": {"type": "logger", "thing": "tank"}}},
            "outside of its fleet",
        ),
        ({"repeat": {"n": -1}}, "needs a count"),
    ],
)
def test_what_is_wrong_with_the_first_member_is_told_when_it_is_read(
    change: dict[str, Any], problem: str
) -> None:
    def add(file: dict[str, Any]) -> None:
        entries = households(1, 3, **change)
        file["fleets"] = {"households": entries}

    problems = read_city(changed(add)).problems
    assert any(problem in told for told in problems), problems


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_role_that_may_not_check_foreign_keys_at_once_registers_too(
    connection: Connection, database_url: str, *, at_once: bool
) -> None:
    role = f"registrar_{int(at_once)}"
    await connection.execute(
        f"""CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; GRANT ALL ON SCHEMA public TO {role}"""
    )
    if at_once:
        await connection.execute(
            f"GRANT SET ON PARAMETER session_replication_role TO {role}"
        )
    registrar = await connect(database_url.replace("postgres@", f"{role}@"), "test")
    try:
        assert await registrar.fetchval("SELECT current_user") == role
        applied = await put(registrar, city_with(households(1, 3), fleet=True))
        assert applied.diff.writes
        assert await registrar.fetchval("SELECT count(*) FROM datastream_slots") == 32
        assert await registrar.fetchval("SHOW session_replication_role") == "origin"
    finally:
        await registrar.close()
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
