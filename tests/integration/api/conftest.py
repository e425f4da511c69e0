"""The API on a database with a small city."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from deploy.native.postgres import PostgresCluster
from services.core.storage.pool import connect
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, city_api
from tests.stack_fixtures import TEMPLATE

_numbers = count(1)


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


@pytest.fixture
async def api(city_url: str) -> AsyncIterator[CityApi]:
    async with city_api(city_url) as running:
        yield running
