"""Fixtures that every test may use."""

from collections.abc import Iterator
from itertools import count

import pytest
import structlog

from deploy.native.postgres import PostgresCluster
from tests import stack_fixtures
from tests.stack_fixtures import Broker

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
