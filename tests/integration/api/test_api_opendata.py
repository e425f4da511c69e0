"""Open data: datasets, things as GeoJSON, observations as JSON and CSV."""

import csv
import datetime as dt
import io

import pytest

from services.api.context import Throttles
from services.api.opendata.schemas import PublicBucketPage, PublicSeriesPage
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, city_api
from tests.integration.api.seed import HOUR, MINUTE, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

LICENCE = {
    "id": "CC-BY-4.0",
    "name": "Creative Commons Attribution 4.0 International",
    "url": "https://creativecommons.org/licenses/by/4.0/",
}


def span(start: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


async def air(api: CityApi, count: int) -> None:
    await seed.store(
        api.database,
        "air-1-dev",
        [(NOW + i * MINUTE, (float(i), i / 2, 1.0)) for i in range(count)],
    )


async def test_a_dataset_says_what_it_has_and_where_it_is(api: CityApi) -> None:
    found = await api.read("/open/v1/datasets", lang="en")
    assert [item["identifier"] for item in found["items"]] == ["environment", "power"]
    dataset = await api.read("/open/v1/datasets/environment", lang="en")
    assert dataset == found["items"][0]
    assert dataset["title"] == "Environment and weather"
    assert dataset["publisher"] == "City eng"
    assert dataset["licence"] == LICENCE
    assert dataset["accrual_periodicity"] == "PT1M"
    assert (dataset["things"], dataset["datastreams"]) == (1, 2)
    assert {(f["key"], f["unit"]) for f in dataset["fields"]} == {
        ("pm25", "ug/m3"),
        ("rain", "mm"),
    }
    for link in dataset["distributions"]:
        # Observations and streams need more than the link says.
        if "observations" not in link["rel"] and link["rel"] != "live":
            assert (await api.get(link["href"])).status_code == 200, link


async def test_things_are_geojson_and_protected_ones_are_blurred_to_their_district(
    api: CityApi,
) -> None:
    answer = await api.get("/open/v1/things")
    assert answer.headers["content-type"] == "application/geo+json"
    collection = answer.json()
    assert collection["licence"] == LICENCE
    things = {feature["id"]: feature for feature in collection["features"]}
    assert set(things) == {"air-1", "substation", "feeder"}
    air_1 = things["air-1"]
    assert air_1["geometry"] == {"type": "Point", "coordinates": [77.0500001, 43.5]}
    assert air_1["properties"]["precision"] == "exact"
    assert air_1["properties"]["description"]["en"] == "By the road eng"
    gate = seed.SHAPES["features"][0]["geometry"]
    for hidden in ("substation", "feeder"):
        assert things[hidden]["geometry"] == gate
        assert things[hidden]["properties"]["precision"] == "district"
        assert things[hidden]["properties"]["description"] is None
        assert things[hidden]["properties"]["datastreams"] == [f"{hidden}.frequency"]


async def test_open_lists_page_and_filter(api: CityApi) -> None:
    pages = await api.pages("/open/v1/things", limit=2)
    assert [len(page["features"]) for page in pages] == [2, 1]
    power = await api.read("/open/v1/datastreams", domain="power", lang="ru")
    assert {item["key"] for item in power["items"]} == {
        "substation.frequency",
        "feeder.frequency",
    }
    one = await api.read("/open/v1/datastreams/air-1.pm25")
    assert (one["unit"], one["licence"]) == ("ug/m3", LICENCE)
    assert (await api.read("/open/v1/datastreams", thing="air-1"))["next"] is None


async def test_observations_come_as_json_by_pages(api: CityApi) -> None:
    await air(api, 10)
    query = {"datastream": ["air-1.pm25", "air-1.rain"], **span(NOW, NOW + HOUR)}
    pages = await api.pages("/open/v1/observations", limit=6, **query)
    for page in pages:
        PublicSeriesPage.model_validate(page)
        assert page["licence"] == LICENCE
    found = [
        (s["datastream"], o["result"])
        for page in pages
        for s in page["series"]
        for o in s["observations"]
    ]
    assert sorted(found) == sorted(
        [("air-1.pm25", float(i)) for i in range(10)]
        + [("air-1.rain", i / 2) for i in range(10)]
    )
    assert "ingested_at" not in str(pages[0])


async def test_observations_come_as_one_csv_file(api: CityApi) -> None:
    await air(api, 3)
    answer = await api.get(
        "/open/v1/observations.csv", datastream="air-1.pm25", **span(NOW, NOW + HOUR)
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'rel="license"' in answer.headers["link"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 3
    assert rows[1] == {
        "datastream": "air-1.pm25",
        "thing": "air-1",
        "observed_property": "pm25",
        "unit": "ug/m3",
        "phenomenon_time": "2026-11-22T04:01:00.000Z",
        "result": "1.0",
        "codes": "",
        "quality": "good",
        "licence": "CC-BY-4.0",
    }


async def test_a_csv_file_longer_than_its_pieces_is_whole_and_has_one_header(
    api: CityApi,
) -> None:
    await seed.store(
        api.database,
        "air-1-dev",
        [(NOW + i * seed.SECOND, (float(i), 0.0, None)) for i in range(6001)],
    )
    answer = await api.get(
        "/open/v1/observations.csv",
        datastream=["air-1.pm25", "air-1.rain"],
        **span(NOW, NOW + 2 * HOUR),
    )
    lines = answer.text.split("\r\n")
    assert lines.count(lines[0]) == 1
    pm25 = [line.split(",")[5] for line in lines if line.startswith("air-1.pm25")]
    assert pm25 == [repr(float(i)) for i in range(6001)]
    assert len(lines) == 2 * 6001 + 2


async def test_csv_by_pages_has_the_way_to_the_next_in_its_link(api: CityApi) -> None:
    await air(api, 3)
    answer = await api.get(
        "/open/v1/observations.csv",
        datastream="air-1.pm25",
        paged=True,
        limit=2,
        **span(NOW, NOW + HOUR),
    )
    assert len(answer.text.splitlines()) == 3
    following = await api.get(answer.links["next"]["url"])
    assert [line.split(",")[5] for line in following.text.splitlines()] == [
        "result",
        "2.0",
    ]
    assert "next" not in following.links


async def test_a_csv_file_that_would_be_too_large_is_refused(own_api: CityApi) -> None:
    answer = await own_api.get(
        "/open/v1/observations.csv",
        datastream=["substation.frequency", "feeder.frequency", "air-1.pm25"],
        **span(NOW - 31 * seed.DAY, NOW),
    )
    assert answer.status_code == 200  # 2.7 million rows at the most
    many = ["substation.frequency", "feeder.frequency"]
    await own_api.database.execute("UPDATE datastreams SET period_ms = 1000")
    answer = await own_api.get(
        "/open/v1/observations.csv", datastream=many, **span(NOW - 31 * seed.DAY, NOW)
    )
    assert answer.json()["type"] == "/problems/too-much"


async def test_public_buckets_are_licensed_too(api: CityApi) -> None:
    await air(api, 5)
    page = await api.read(
        "/open/v1/observations/buckets",
        datastream="air-1.pm25",
        bucket="1h",
        **span(NOW, NOW + HOUR),
    )
    PublicBucketPage.model_validate(page)
    assert page["series"][0]["buckets"][0]["count"] == 5


async def test_newest_public_values_are_there_without_a_login(api: CityApi) -> None:
    await seed.store_latest(api.database, "air-1-dev", NOW, (5.5, None, 1.0))
    page = await api.read("/open/v1/latest")
    assert [(item["datastream"], item["result"]) for item in page["items"]] == [
        ("air-1.pm25", 5.5)
    ]


async def test_an_answer_that_has_not_changed_is_not_sent_again(
    own_api: CityApi,
) -> None:
    first = await own_api.get("/open/v1/things")
    tag = first.headers["etag"]
    again = await own_api.get("/open/v1/things", {"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    other = await own_api.get("/open/v1/things", {"If-None-Match": tag}, lang="en")
    assert other.status_code == 200
    await own_api.database.execute("UPDATE registry_state SET revision = revision + 1")
    assert (
        await own_api.get("/open/v1/things", {"If-None-Match": tag})
    ).status_code == 200


async def test_any_origin_may_read_without_credentials_and_only_the_open_doors(
    api: CityApi,
) -> None:
    origin = {"Origin": "https://example.org"}
    answer = await api.get("/open/v1/things", origin)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    preflight = await api.web.options(
        "/open/v1/things", headers={**origin, "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 200
    for path in ("/api/v1/things", "/health/live", "/"):
        closed = await api.get(path, origin)
        assert "access-control-allow-origin" not in closed.headers, path


async def test_each_address_has_an_allowance_at_the_open_doors(city_url: str) -> None:
    throttles = Throttles(open_data=Throttle(3, 60))
    async with city_api(city_url, throttles=throttles) as api:
        answers = [await api.get("/open/v1/districts") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1]
        assert refused.headers["retry-after"] == "20"
        assert refused.json()["type"] == "/problems/too-many-requests"
        assert answers[0].headers["ratelimit"] == '"address";r=2'
        # Operators and health checks are not held up by it.
        assert (await api.get("/health/live")).status_code == 200
        api.clock.advance(20)
        assert (await api.get("/open/v1/districts")).status_code == 200


async def test_before_there_is_a_city_the_portal_says_so(database_url: str) -> None:
    async with city_api(database_url) as api:
        answer = await api.get("/open/v1")
        assert answer.status_code == 404
        assert "city file" in answer.json()["detail"]
        assert (await api.read("/open/v1/things"))["features"] == []


async def test_what_is_not_public_is_not_found_whatever_it_is(api: CityApi) -> None:
    await seed.store(api.database, "bay-1", [(NOW, (50.0, 1.0))])
    for datastream in (
        "substation.load",
        f"house-{SECRET}.energy",
        f"house-{SECRET}.frequency",
        f"pump-{SECRET}.state",
        "none.such",
    ):
        for path, query in (("", {}), (".csv", {}), ("/buckets", {"bucket": "1h"})):
            answer = await api.get(
                f"/open/v1/observations{path}",
                datastream=datastream,
                **query,
                **span(NOW, NOW + HOUR),
            )
            assert answer.status_code == 404
            assert (
                await api.get(f"/open/v1/datastreams/{datastream}")
            ).status_code == 404
    for thing in (f"house-{SECRET}", f"pump-{SECRET}", "none"):
        assert (await api.get(f"/open/v1/things/{thing}")).status_code == 404
