"""A foreign client, Fraunhofer's frost-sta-client, walks the whole service as its users would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import frost_sta_client
import pytest
import pytest_asyncio

from services.api.context import Throttles
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.serving import Server, served

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="function"),
    pytest.mark.filterwarnings(
        "ignore:furl.pathstr:DeprecationWarning"
    ),  # the client's
]

PAGE = 7
MINUTES = 30


@pytest_asyncio.fixture
async def server(city_url: str) -> AsyncIterator[Server]:
    throttles = Throttles(open_data=Throttle(100_000, 1))
    async with served(city_url, throttles=throttles) as running:
        database = running.api.database
        rows = [
            (seed.NOW - n * seed.MINUTE, (10.0 + n, 1.0 + n, None))
            for n in range(MINUTES)
        ]
        await seed.store(database, "air-1-dev", rows)
        await seed.store_latest(database, "air-1-dev", *rows[0])
        yield running


async def test_it_walks_all_entities_in_pages(server: Server) -> None:
    await asyncio.to_thread(walk, f"http://127.0.0.1:{server.port}/sta/v1.1")


def walk(url: str) -> None:
    service = frost_sta_client.SensorThingsService(url)
    daos: dict[str, Callable[[], Any]] = {
        "things": service.things,
        "locations": service.locations,
        "historical locations": service.historical_locations,
        "datastreams": service.datastreams,
        "sensors": service.sensors,
        "observed properties": service.observed_properties,
        "observations": service.observations,
        "features of interest": service.features_of_interest,
    }
    for name, dao in daos.items():
        entities = list(dao().query().top(PAGE).list())
        assert entities, name
        assert len({one.id for one in entities}) == len(entities), name
        for one in entities[:PAGE]:
            found = dao().find(one.id)
            assert found.id == one.id, name
    assert len(list(service.observations().query().top(PAGE).list())) == 2 * MINUTES


async def test_it_asks_as_its_manual_says(server: Server) -> None:
    await asyncio.to_thread(ask, f"http://127.0.0.1:{server.port}/sta/v1.1")


def ask(url: str) -> None:
    service = frost_sta_client.SensorThingsService(url)
    warm = "result gt 25 and Datastream/ObservedProperty/name eq 'PM2.5 eng'"
    found = service.observations().query().filter(warm).count().top(PAGE).list()
    assert found.count == 14
    assert len(list(found)) == 14
    newest = service.observations().query().orderby("phenomenonTime").top(1).list()
    assert newest.entities[0].phenomenon_time == "2026-11-22T04:00:00.000Z"
    expanded = (
        service.things()
        .query()
        .expand("Locations,Datastreams($expand=Observations($top=2),ObservedProperty)")
        .filter("properties/key eq 'air-1'")
        .list()
    )
    (thing,) = list(expanded)
    assert thing.locations.entities[0].location["coordinates"] == [77.0500001, 43.5]
    datastream = thing.datastreams.entities[0]
    assert len(datastream.observations.entities) == 2
    assert datastream.unit_of_measurement.symbol in {"ug/m3", "mm"}
    own = thing.get_datastreams().query().list()
    assert len(list(own)) == 2
    assert len(list(own.entities[0].get_observations().query().list())) == MINUTES
