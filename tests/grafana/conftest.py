"""The reference city with two hours of history, seen as Grafana sees it."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.grafana.build import dashboards
from deploy.grafana.spec import Setting
from deploy.native.postgres import PostgresCluster
from services.core.storage.pool import Connection, connect
from tests.dashboard_data import fill_city, reference_city
from tests.stack_fixtures import TEMPLATE

DATABASE = "grafana_city"


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    return dashboards(Setting(reference_city(), "en"))


@pytest.fixture(scope="session")
def city_database(postgres: PostgresCluster) -> Iterator[str]:
    """Its name."""

    async def fill() -> None:
        owner = await connect(postgres.dsn(DATABASE), "test")
        await fill_city(owner, since=dt.timedelta(hours=2), every=4)
        await owner.close()

    postgres.sql(f"CREATE DATABASE {DATABASE} TEMPLATE {TEMPLATE};")
    asyncio.run(fill())
    yield DATABASE
    postgres.sql(f"DROP DATABASE {DATABASE} WITH (FORCE);")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(
    postgres: PostgresCluster, city_database: str
) -> AsyncIterator[Connection]:
    """As the role that Grafana has."""
    connection = await connect(postgres.dsn(city_database, "alatau_grafana"), "test")
    yield connection
    await connection.close()
