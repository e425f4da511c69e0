"""Schema 0008 takes over what the rules remembered under schema 0007."""

import datetime as dt
from dataclasses import asdict

import msgspec
import numpy as np
import pytest

from services.core.storage.event_log import Cursor, save_cursor
from services.core.storage.migrate import migrate
from services.core.storage.pool import connect
from services.rules.memory import decode_memory
from services.rules.rule_clock import RuleClock
from services.rules.store import MEMORY_CONSUMER, load_memory
from tests.unit.rules.test_memory import numbered, targets

pytestmark = pytest.mark.integration

AT = Cursor(7, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
NAMES = ("newest_ms", "value", "heard_ms", "heard_counted", "dead")


async def test_the_memory_is_taken_over(database_url: str) -> None:
    of, clock = targets([7, 3, 5]), RuleClock(1_000, True, 5, 2, 0)
    memory = numbered(of)
    rules = []
    for rule in of.rules:
        span = of.of_rule(rule.key)
        columns = {name: getattr(memory, name)[span].tobytes() for name in NAMES}
        source_ids = of.source_id[span].astype("<i4").tobytes()
        rules.append({"key": rule.key, "source_ids": source_ids, "columns": columns})
    body = msgspec.msgpack.encode({"clock": asdict(clock), "rules": rules})
    connection = await connect(database_url, "test")
    try:
        await connection.execute(
            """
            DROP TABLE rule_memory;
            CREATE TABLE rule_memory (only_row boolean PRIMARY KEY DEFAULT true, body bytea NOT NULL);
            UPDATE alembic_version SET version_num = '0007'
            """
        )
        await connection.execute("INSERT INTO rule_memory (body) VALUES ($1)", body)
        await save_cursor(connection, MEMORY_CONSUMER, "observations", AT)
        await migrate(database_url)
        stored = await load_memory(connection)
    finally:
        await connection.close()
    assert stored is not None
    found, at = decode_memory(stored[0], of), stored[1]
    assert (found[1], at) == (clock, AT)
    for name in NAMES:
        assert np.array_equal(getattr(found[0], name), getattr(memory, name))
