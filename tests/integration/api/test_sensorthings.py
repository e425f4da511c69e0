"""SensorThings 1.1 over HTTP: what each path and option gives, on a small city."""

import pytest
import pytest_asyncio

from tests.integration.api import seed
from tests.integration.api.city_api import CityApi

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROOT = "/sta/v1.1"
SETS = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
)


@pytest_asyncio.fixture(loop_scope="module")
async def city(api: CityApi) -> CityApi:
    """Something has been measured: three minutes of air, ten of a bay every two seconds."""
    rows = [
        (seed.NOW - n * seed.MINUTE, (10.0 + n, 100.0 - n, 7313.25)) for n in range(3)
    ]
    await seed.store(api.database, "air-1-dev", rows)
    await seed.store_latest(api.database, "air-1-dev", *rows[0])
    bays = [
        (seed.NOW - n * 2 * seed.SECOND, (50.0 + n / 1000, 7313.25)) for n in range(300)
    ]
    await seed.store(api.database, "bay-1", bays)
    await seed.store_latest(api.database, "bay-1", *bays[0])
    return api


async def test_the_root_names_eight_sets_and_what_is_met(city: CityApi) -> None:
    root = await city.read(ROOT)
    assert [one["name"] for one in root["value"]] == list(SETS)
    assert root["value"][0]["url"] == f"http://api.test{ROOT}/Things"
    assert all(
        "/iot_sensing/1.1/req/" in one for one in root["serverSettings"]["conformance"]
    )


@pytest.mark.parametrize("name", SETS)
async def test_no_set_is_empty(city: CityApi, name: str) -> None:
    assert (await city.read(f"{ROOT}/{name}"))["value"]
