"""The API on a database with a small city."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from deploy.native.postgres import PostgresCluster
from services.core.clock import ManualClock
from services.core.storage.pool import connect
from tests.integration.api import seed
from tests.integration.api.city_api import (
    CityApi,
    Opened,
    api_on,
    city_api,
    open_for_tests,
)
from tests.stack_fixtures import TEMPLATE

_numbers = count(1)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Unless told otherwise structlog draws a traceback with all its locals, which takes half a minute."""
    with capture_logs():
        yield


@pytest.fixture(scope="session")
def city_template(postgres: PostgresCluster) -> str:
    """The name of a database with the city in it, to be copied."""
    name = f"template_api_{next(_numbers)}"

    async def fill() -> None:
        connection = await connect(postgres.dsn(name), "test")
        await seed.apply(connection)
        await connection.close()

    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE};")
    asyncio.run(fill())
    return name


@pytest.fixture
def city_url(postgres: PostgresCluster, city_template: str) -> Iterator[str]:
    """The DSN of a database with the city, of this test alone."""
    name = f"test_api_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {city_template};")
    yield postgres.dsn(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(
    postgres: PostgresCluster, city_template: str
) -> AsyncIterator[Opened]:
    """A database with the city and the API's connections to it, for all tests of a module."""
    name = f"test_api_{next(_numbers)}"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE {city_template};")
    async with open_for_tests(postgres.dsn(name)) as running:
        yield running
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE);")


@pytest_asyncio.fixture(loop_scope="module")
async def api(opened: Opened) -> AsyncIterator[CityApi]:
    """The API with the city, and nothing else in it. A test that changes the city takes own_api."""
    await seed.empty(opened.owner)
    async with api_on(opened, ManualClock(seed.NOW)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def own_api(city_url: str) -> AsyncIterator[CityApi]:
    """The API on a database of this test alone."""
    async with city_api(city_url) as running:
        yield running
