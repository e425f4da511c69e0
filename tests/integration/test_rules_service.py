"""The service as a process runs it: it follows the log, takes up changes, outlives its connection, ends when asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.core.clock import SystemClock
from services.core.storage import event_log
from services.core.storage.pool import Connection, connect
from services.rules.service import run_rules
from tests.rule_stories import (
    NAN,
    Story,
    make_city,
    put_rules,
    rule_document,
    told,
)

pytestmark = pytest.mark.integration

LOW = [NAN, 1.8]


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    yield opened
    await opened.close()


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    service = asyncio.create_task(run_rules(database_url, SystemClock(), stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(service, 10)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """For what the service does in its own time; asks every 20 ms."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 # the database tells nobody
            await asyncio.sleep(0.02)


async def log_low(connection: Connection, first: int, last: int) -> None:
    story = Story(seconds=last)
    story.reports_every(5, LOW, between=(first, last))
    story.is_told_from(first)
    await story.log(connection)
    await event_log.wake_consumers(connection, "observations")


def has_told(connection: Connection, *events: tuple[float, str]) -> Any:
    async def check() -> bool:
        return await told(connection) == list(events)

    return check


async def test_it_follows_the_log(connection: Connection, database_url: str) -> None:
    await make_city(connection, low=rule_document())
    async with running(database_url):
        await log_low(connection, 0, 5)
        await until(has_told(connection, (0, "pending")))
        await log_low(connection, 6, 12)
        await until(has_told(connection, (0, "pending"), (10, "firing")))


async def test_a_rule_applied_while_it_runs_is_taken_up(
    connection: Connection, database_url: str
) -> None:
    city = await make_city(connection)
    async with running(database_url):
        await log_low(connection, 0, 3)
        await put_rules(connection, city, low=rule_document(hold_for="0s"))
        second = 4

        async def fires_on_a_later_reading() -> bool:
            nonlocal second
            await log_low(connection, second, second)
            second += 1
            return bool(await told(connection))

        await until(fires_on_a_later_reading)


async def test_it_outlives_its_connections(
    connection: Connection, database_url: str
) -> None:
    await make_city(connection, low=rule_document())
    async with running(database_url):
        await log_low(connection, 0, 5)
        await until(has_told(connection, (0, "pending")))
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'alatau-rules'"
        )
        await log_low(connection, 6, 12)
        await until(has_told(connection, (0, "pending"), (10, "firing")))


async def test_of_two_only_one_works(connection: Connection, database_url: str) -> None:
    await make_city(connection, low=rule_document())
    async with running(database_url):
        await log_low(connection, 0, 5)
        await until(has_told(connection, (0, "pending")))
        async with running(database_url):
            await log_low(connection, 6, 12)
            await until(has_told(connection, (0, "pending"), (10, "firing")))
    count = await connection.fetchval("SELECT count(*) FROM journal")
    assert count == 2


async def test_it_needs_no_more_than_its_own_rights(
    connection: Connection, database_url: str
) -> None:
    await make_city(connection, low=rule_document())
    async with running(f"{database_url}?role=alatau_rules"):
        await log_low(connection, 0, 12)
        await until(has_told(connection, (0, "pending"), (10, "firing")))
