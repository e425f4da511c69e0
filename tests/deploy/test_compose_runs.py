"""Every command of docker-compose.yml, run here in the order and with the settings of the file."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.deploy.compose_run import ComposeRun, compose_run
from tests.deploy.dockerfile import Image
from tests.installation import until

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def running(image: Image) -> Iterator[ComposeRun]:
    with compose_run(image) as run:
        run.up()
        yield run


def latest(run: ComposeRun) -> dict[str, str]:
    """The newest phenomenon time by datastream."""
    items = httpx2.get(f"{run.api}/open/v1/latest?limit=100").json()["items"]
    return {item["datastream"]: item["phenomenon_time"] for item in items}


def test_telemetry_flows_from_the_simulated_city_to_open_data(
    running: ComposeRun,
) -> None:
    ready = until(
        "ready", lambda: httpx2.get(f"{running.api}/health/ready").status_code == 200
    )
    assert ready
    first = until("values", lambda: latest(running))
    until("newer values", lambda: latest(running) != first)
