"""The rules' memory in the database: pieces, and the batch as of which they are."""

import datetime as dt

import pytest

from services.core.storage.event_log import Cursor
from services.core.storage.pool import connect
from services.rules.store import load_memory, save_memory

pytestmark = pytest.mark.integration

AT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


async def test_a_shorter_memory_replaces_a_longer_one(database_url: str) -> None:
    connection = await connect(database_url, "test")
    try:
        assert await load_memory(connection) is None
        for batch, pieces in ((7, [b"a", b"b", b"c"]), (8, [b"d", b"e"])):
            async with connection.transaction():
                await save_memory(connection, pieces, Cursor(batch, AT))
            assert await load_memory(connection) == (pieces, Cursor(batch, AT))
    finally:
        await connection.close()
