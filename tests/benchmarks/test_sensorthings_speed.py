"""How fast SensorThings answers on the whole reference city with five weeks of history; run with -m benchmark -s."""

import time
from pathlib import Path

import pytest

from services.api.context import Throttles
from services.core.city_folder import read_city_folder
from services.core.clock import ManualClock
from services.core.storage.pool import Connection
from services.core.storage.registry_store import apply_city
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, api_on, open_for_tests

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

ALATAU = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
DAYS = 35
ROWS_A_FRAME = 10_000
BUSY_ROWS = 1_000_000
ROOT = "/sta/v1.1"
ASKED = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
    "Things?$count=true&$top=1",
    "Datastreams?$filter=ObservedProperty/properties/key eq 'pm2_5'",
    "Datastreams({busy})",
    "Datastreams({busy})/Observations",
    "Datastreams({busy})/Observations?$orderby=phenomenonTime desc",
    "Datastreams({busy})/Observations?$orderby=phenomenonTime desc&$skip=10000&$top=1",
    "Datastreams({busy})/Observations?$filter=result lt -1",
    "Datastreams({busy})/Observations?$filter=phenomenonTime ge 2026-11-22T03:00:00Z",
    "Datastreams({busy})/Observations?$count=true&$top=1",
    "Observations?$filter=Datastream/id eq {busy}&$orderby=phenomenonTime desc&$top=1",
    "Observations?$orderby=phenomenonTime desc",
    "Observations?$orderby=phenomenonTime",
    "Observations?$orderby=phenomenonTime desc&$filter=result lt -1",
    "Things?$expand=Datastreams",
    "Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime desc)",
    "Things?$expand=Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc)),Locations",
)


async def fill(database: Connection) -> int:
    """Each device of a public datastream speaks evenly over five weeks; one of them a hundred times as often."""
    await apply_city(
        database,
        read_city_folder(ALATAU).city,
        retire=False,
        actor="test",
        dry_run=False,
    )
    busy = await database.fetchrow(
        """
        SELECT s.frame_id, min(d.datastream_id) AS datastream_id FROM datastream_slots s JOIN datastreams d USING (datastream_id)
        JOIN observed_properties p USING (observed_property_id) WHERE p.key = 'pm2_5' GROUP BY s.frame_id ORDER BY 2 LIMIT 1
        """
    )
    await database.execute(
        """
        INSERT INTO observations
        SELECT f.frame_id, at, array_fill(20.5::float8, ARRAY[f.slots]), NULL, at
        FROM (SELECT frame_id, max(slot) + 1 AS slots FROM datastream_slots
              WHERE datastream_id < 1048576 GROUP BY frame_id) f,
             generate_series($1::timestamptz - $2::int * interval '1 day', $1, $2::int * interval '1 day' / $3::int) at
        WHERE f.frame_id <> $4
        """,
        seed.NOW,
        DAYS,
        ROWS_A_FRAME,
        busy["frame_id"],
    )
    await database.execute(
        """
        INSERT INTO observations
        SELECT $4::int, at, array_fill(20.5::float8, ARRAY[12]), NULL, at
        FROM generate_series($1::timestamptz - $2::int * interval '1 day', $1, $2::int * interval '1 day' / $3::int) at
        """,
        seed.NOW,
        DAYS,
        BUSY_ROWS,
        busy["frame_id"],
    )
    await database.execute(
        """
        INSERT INTO latest_observations
        SELECT frame_id, array_fill(20.5::float8, ARRAY[20]), array_fill($1::timestamptz, ARRAY[20]),
               array_fill(17::smallint, ARRAY[20]), $1
        FROM (SELECT DISTINCT frame_id FROM datastream_slots WHERE datastream_id < 1048576) f
        """,
        seed.NOW,
    )
    await database.execute("ANALYZE")
    number: int = busy["datastream_id"]
    return number


async def milliseconds(api: CityApi, path: str) -> list[float]:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        answer = await api.get(f"{ROOT}/{path}")
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code in {200, 400}, answer.text
    return sorted(taken)


async def test_how_fast_pages_are(database_url: str) -> None:
    throttles = Throttles(open_data=Throttle(1_000_000, 1))
    async with (
        open_for_tests(database_url) as opened,
        api_on(opened, ManualClock(seed.NOW), throttles=throttles) as api,
    ):
        busy = await fill(opened.owner)
        rows = await opened.owner.fetchval("SELECT count(*) FROM observations")
        public = await opened.owner.fetchval(
            "SELECT count(*) FROM datastreams WHERE datastream_id < 1048576"
        )
        print(f"\n{rows:,} rows, {public:,} public datastreams; best, median of 5, ms")
        for path in ASKED:
            best, _, median, *_ = await milliseconds(
                api, path.replace("{busy}", str(busy))
            )
            print(f"{best:8.1f} {median:8.1f}  {path}")
