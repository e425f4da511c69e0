"""schema/*.sql is what the migrations add up to."""

import datetime as dt
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from deploy.native.postgres import PostgresCluster
from services.core.storage import migrate as migrate_module
from services.core.storage.migrate import migrate, newest_schema, schema_version
from services.core.storage.pool import Connection, connect

SCHEMA = Path(migrate_module.__file__).parent / "schema"
FILES = (
    "registry.sql",
    "observations.sql",
    "event_log.sql",
    "alerts.sql",
    "access.sql",
    "delivery.sql",
    "dashboards.sql",
)
MIGRATIONS = Path(migrate_module.__file__).parent / "migrations"
FIRST = MIGRATIONS / "versions/m0001_initial.sql"

# Of 1 … 9 number 2 was lost, 5 and 6 are missing; one that began without a birth; one that only said hello.
NUMBERED = """
INSERT INTO publisher_sequences VALUES
    (1, 7, 1, '[[1, 4], [7, 9]]', now()), (2, 7, NULL, '[[5, 6]]', now()), (3, 7, 4, '[]', now());
INSERT INTO gaps VALUES (1, 7, 2, 2, true, now()), (1, 7, 5, 6, false, now());
INSERT INTO publisher_totals VALUES (1, 7, 6, 0, 1, 0, 0, now());
"""

AN_OBSERVATION = "INSERT INTO observations VALUES (1, $1, '{1.5}', NULL, $1)"
OF_CHUNKS = """
SELECT attname::text, attstattarget FROM pg_attribute
WHERE attrelid IN (SELECT show_chunks('observations')) AND attname IN ('results', 'quality')
"""

CATALOGUE = {
    "columns": """
        SELECT table_schema, table_name, column_name, ordinal_position, data_type, udt_name, is_nullable, column_default,
               is_identity, identity_generation
        FROM information_schema.columns WHERE table_schema IN ('public', 'dashboards') AND table_name <> 'alembic_version'
        ORDER BY 1, 2, 4""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2""",
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1""",
    "options": """
        SELECT relname, relkind::text, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic%' ORDER BY 1""",
    "compression": """
        SELECT attrelid::regclass::text, attname::text, attcompression::text FROM pg_attribute
        WHERE attcompression <> '' AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        ORDER BY 1, 2""",
    "statistics": """
        SELECT attrelid::regclass::text, attname::text, attstattarget FROM pg_attribute
        WHERE attstattarget >= 0 AND attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        ORDER BY 1, 2""",
    "views": """
        SELECT c.oid::regclass::text, c.reloptions, pg_get_viewdef(c.oid) FROM pg_class c
        WHERE c.relkind = 'v' AND relnamespace IN ('public'::regnamespace, 'dashboards'::regnamespace) ORDER BY 1""",
    "sequences": "SELECT sequencename, min_value, max_value, data_type::text FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    "functions": """
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE pronamespace IN ('public'::regnamespace, 'dashboards'::regnamespace)
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1""",
    "hypertables": """
        SELECT h.hypertable_name, d.column_name, d.time_interval FROM timescaledb_information.hypertables h
        JOIN timescaledb_information.dimensions d USING (hypertable_name) ORDER BY 1""",
    "first rows": "SELECT stream, writer_epoch, last_batch FROM log_streams ORDER BY 1",
}


async def described(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: [tuple(row) for row in await connection.fetch(query)]
        for name, query in CATALOGUE.items()
    }


@pytest.mark.integration
async def test_schema_and_migrations_give_the_same_database(
    postgres: PostgresCluster, database_url: str
) -> None:
    postgres.sql("CREATE DATABASE from_schema TEMPLATE template0;")
    try:
        by_hand = await connect(postgres.dsn("from_schema"), "test")
        await by_hand.execute("CREATE EXTENSION timescaledb")
        for file in FILES:
            await by_hand.execute((SCHEMA / file).read_text(encoding="utf-8"))
        from_schema = await described(by_hand)
        await by_hand.close()
    finally:
        postgres.sql("DROP DATABASE from_schema WITH (FORCE);")
    migrated = await connect(database_url, "test")
    from_migrations = await described(migrated)
    await migrated.close()
    assert from_schema["columns"]
    for name in CATALOGUE:
        assert from_schema[name] == from_migrations[name], name


@pytest.mark.integration
async def test_a_database_of_the_first_schema_is_brought_along(
    postgres: PostgresCluster, database_url: str
) -> None:
    postgres.sql("CREATE DATABASE of_the_first TEMPLATE template0;")
    try:
        old = await connect(postgres.dsn("of_the_first"), "test")
        await old.execute("CREATE EXTENSION timescaledb")
        await old.execute(FIRST.read_text(encoding="utf-8"))
        await old.execute(
            "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
            "INSERT INTO alembic_version VALUES ('0001')"
        )
        await old.execute(NUMBERED)
        await old.execute(AN_OBSERVATION, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        await migrate(postgres.dsn("of_the_first"))
        await old.execute(AN_OBSERVATION, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
        of_chunks = [tuple(row) for row in await old.fetch(OF_CHUNKS)]
        assert sorted(of_chunks) == 2 * [("quality", 0)] + 2 * [("results", 0)]
        brought_along = await described(old)
        sums = "SELECT lowest_seq, highest_seq, messages, missing, lost FROM publisher_sequences ORDER BY 1"
        found = [tuple(row) for row in await old.fetch(sums)]
        assert found == [
            (1, 9, 6, 2, 1),
            (5, 6, 2, 0, 0),
            (None, None, 0, 0, 0),
        ]
        assert await old.fetch("SELECT * FROM ledger_violations") == []
        await old.close()
    finally:
        postgres.sql("DROP DATABASE of_the_first WITH (FORCE);")
    new = await connect(database_url, "test")
    assert brought_along == await described(new)
    await new.close()


@pytest.mark.integration
async def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = await schema_version(database_url)
    await migrate(database_url)
    assert await schema_version(database_url) == before
    assert before[0] == before[1]


def test_the_newest_migration_is_the_one_that_alembic_finds() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert newest_schema() == scripts.get_current_head()


def test_every_schema_file_is_compared() -> None:
    assert {path.name for path in SCHEMA.glob("*.sql")} == {*FILES, "grants.sql"}
