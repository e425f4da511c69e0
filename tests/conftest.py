"""Fixtures that every test may use."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import structlog

from deploy.native.postgres import PostgresCluster
from tests import stack_fixtures
from tests.stack_fixtures import Broker

HERE = Path(__file__).parent
# What one city, one browser or one image is made for.
RUN_TOGETHER = ("acceptance", "browser", "deploy", "grafana")

_numbers = count(1)

# The default draws a traceback with all its locals: seconds of processor time each.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes (`pytest -n`), one runs all tests of a file, or of one of those folders."""
    for item in items:
        place = item.path.relative_to(HERE)
        together = place.parts[0] if place.parts[0] in RUN_TOGETHER else str(place)
        item.add_marker(pytest.mark.xdist_group(together))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A private PostgreSQL with TimescaleDB, with the service roles and a migrated template."""
    with stack_fixtures.running_postgres() as cluster:
        stack_fixtures.make_template(cluster)
        yield cluster


@pytest.fixture
def database_url(postgres: PostgresCluster) -> Iterator[str]:
    """The DSN of a migrated, empty database of this test alone; its user owns everything."""
    with stack_fixtures.fresh_database(postgres, f"test_{next(_numbers)}") as dsn:
        yield dsn


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A private Mosquitto of this test alone, with both listeners and ingest's credentials."""
    with stack_fixtures.running_broker() as running:
        yield running
