"""City, things, devices and datastreams: what is shown, to whom, page by page."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


def keys(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["key"] for item in page["items"]]


async def test_the_city_says_its_time_zone_and_the_clock(api: CityApi) -> None:
    city = await api.read("/api/v1/city", await api.session(), lang="ru")
    assert city == {
        "key": "testcity",
        "name": "City рус",
        "time_zone": "Asia/Almaty",
        "longitude": 77.1,
        "latitude": 43.5,
        "revision": 1,
        "time": "2026-11-22T04:00:00.000Z",
    }


async def test_things_are_filtered_by_domain_district_kind_and_words(
    api: CityApi,
) -> None:
    admin = await api.session()
    everything = await api.read("/api/v1/things", admin)
    assert len(everything["items"]) == 6
    assert keys(await api.read("/api/v1/things", admin, domain="environment")) == [
        "air-1"
    ]
    water = await api.read(
        "/api/v1/things", admin, domain=["water", "gas"], kind="pump"
    )
    assert keys(water) == [f"pump-{SECRET}"]
    assert set(keys(await api.read("/api/v1/things", admin, district="golden"))) == {
        f"pump-{SECRET}",
        f"tank-{SECRET}",
    }
    assert keys(await api.read("/api/v1/things", admin, q="AIR ONE Р")) == ["air-1"]
    assert keys(await api.read("/api/v1/things", admin, q="100%_")) == []


async def test_a_thing_shows_its_place_and_what_hangs_on_it(api: CityApi) -> None:
    thing = await api.read(f"/api/v1/things/pump-{SECRET}", await api.session())
    assert thing["geometry"] == {"type": "Point", "coordinates": [77.15, 43.5]}
    assert thing["name"] == {
        "kk": f"Pump {SECRET} қаз",
        "ru": f"Pump {SECRET} рус",
        "en": f"Pump {SECRET} eng",
    }
    assert thing["relations"] == {
        "contains": [],
        "contained_in": [],
        "feeds": [f"tank-{SECRET}"],
        "fed_by": [],
    }
    assert thing["devices"] == [f"pump-{SECRET}-dev"]
    assert thing["datastreams"] == 3
    substation = await api.read("/api/v1/things/substation", await api.session())
    assert substation["relations"]["contains"] == ["feeder"]


async def test_lists_page_by_cursor_and_link_without_gaps_or_repeats(
    api: CityApi,
) -> None:
    admin = await api.session()
    pages = await api.pages("/api/v1/datastreams", admin, limit=3)
    found = [item["key"] for page in pages for item in page["items"]]
    whole = await api.read("/api/v1/datastreams", admin)
    assert found == keys(whole)
    assert len(pages) == 4
    water = await api.get("/api/v1/datastreams", admin, limit=3, domain="water")
    assert water.headers.get("link") is None
    first = await api.get("/api/v1/datastreams", admin, limit=2, domain="water")
    following = await api.read(first.links["next"]["url"], admin)
    assert keys(following) == keys(water.json())[2:]


async def test_a_cursor_of_another_request_is_refused(api: CityApi) -> None:
    admin = await api.session()
    page = await api.read("/api/v1/things", admin, limit=1)
    for path, query in (
        ("/api/v1/devices", {}),
        ("/api/v1/things", {"domain": "water"}),
    ):
        answer = await api.get(path, admin, cursor=page["next"], **query)
        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/bad-cursor"


async def test_a_scope_narrows_every_list_and_hides_the_rest(api: CityApi) -> None:
    water = await api.session(Role.VIEWER, domains=["water"])
    assert set(keys(await api.read("/api/v1/things", water))) == {
        f"pump-{SECRET}",
        f"tank-{SECRET}",
    }
    assert keys(await api.read("/api/v1/devices", water)) == [f"pump-{SECRET}-dev"]
    assert len((await api.read("/api/v1/datastreams", water))["items"]) == 3
    assert keys(await api.read("/api/v1/things", water, domain="power")) == []
    for path in (
        "/api/v1/things/air-1",
        "/api/v1/devices/air-1-dev",
        "/api/v1/datastreams/air-1.pm25",
    ):
        assert (await api.get(path, water)).status_code == 404
    gate = await api.session(Role.VIEWER, districts=["gate"])
    assert keys(await api.read("/api/v1/districts", gate)) == ["gate"]
    assert f"pump-{SECRET}" not in keys(await api.read("/api/v1/things", gate))
    nowhere = await api.session(Role.VIEWER, domains=[])
    assert keys(await api.read("/api/v1/things", nowhere)) == []


async def test_household_datastreams_are_for_operators(api: CityApi) -> None:
    energy = f"house-{SECRET}.energy"
    viewer, operator = await api.session(Role.VIEWER), await api.session(Role.OPERATOR)
    assert energy not in keys(await api.read("/api/v1/datastreams", viewer))
    assert energy in keys(await api.read("/api/v1/datastreams", operator))
    house = f"/api/v1/things/house-{SECRET}"
    assert (await api.read(house, viewer))["datastreams"] == 1
    assert (await api.read(house, operator))["datastreams"] == 2


async def test_a_gateway_without_a_thing_is_seen_by_who_sees_what_it_hosts(
    api: CityApi,
) -> None:
    gateway = f"gateway-{SECRET}"
    power = await api.session(Role.VIEWER, domains=["power"])
    water = await api.session(Role.VIEWER, domains=["water"])
    assert (await api.read(f"/api/v1/devices/{gateway}", power))["hosts"] == 1
    assert (await api.get(f"/api/v1/devices/{gateway}", water)).status_code == 404
    hosted = await api.read("/api/v1/devices", power, gateway=gateway)
    assert keys(hosted) == [f"meter-{SECRET}"]
    assert hosted["items"][0]["hosted_by"] == [gateway]


async def test_a_device_says_whether_it_is_alive(api: CityApi) -> None:
    admin = await api.session()
    never = (await api.read("/api/v1/devices/air-1-dev", admin))["status"]
    assert never["last_seen"] is None
    assert never["silent"] is True
    await api.database.execute(
        """
        INSERT INTO device_status (device_id, last_seen, last_time, online, online_since, firmware)
        SELECT device_id, $1, $1, true, $1, '2.4' FROM devices WHERE key = 'air-1-dev'
        """,
        seed.NOW - seed.MINUTE,
    )
    seen = (await api.read("/api/v1/devices/air-1-dev", admin))["status"]
    assert seen == {
        "online": True,
        "online_since": "2026-11-22T03:59:00.000Z",
        "last_seen": "2026-11-22T03:59:00.000Z",
        "last_time": "2026-11-22T03:59:00.000Z",
        "age_seconds": 60.0,
        "silent": False,
        "firmware": "2.4",
    }
    api.clock.advance(121)
    late = (await api.read("/api/v1/devices/air-1-dev", admin))["status"]
    assert late["silent"] is True


async def test_a_datastream_says_what_it_measures_and_who_reports_it(
    api: CityApi,
) -> None:
    found = await api.read(
        f"/api/v1/datastreams/pump-{SECRET}.pressure", await api.session(), lang="en"
    )
    assert found["name"] == f"Pump {SECRET} eng: Pressure eng"
    assert (found["unit"], found["kind"], found["privacy"]) == (
        "bar",
        "measurement",
        "internal",
    )
    assert (found["device"], found["sensor"], found["period_seconds"]) == (
        f"pump-{SECRET}-dev",
        "probe",
        10.0,
    )


async def test_retired_things_are_shown_on_demand(own_api: CityApi) -> None:
    admin = await own_api.session()
    await own_api.database.execute(
        "UPDATE things SET retired_at = now() WHERE key = 'air-1'"
    )
    assert "air-1" not in keys(await own_api.read("/api/v1/things", admin))
    assert "air-1" in keys(await own_api.read("/api/v1/things", admin, retired=True))


async def test_the_catalogue_has_units_ranges_and_codes(api: CityApi) -> None:
    admin = await api.session()
    page = await api.read("/api/v1/observed-properties", admin, kind="state", lang="kk")
    (pump,) = page["items"]
    assert pump["codes"][2] == {
        "value": 9,
        "key": "fault",
        "name": "fault қаз",
        "abnormal": True,
    }
    pm25 = await api.read("/api/v1/observed-properties", admin, domain="environment")
    assert pm25["items"][0]["hard_max"] == 10000
    assert pm25["items"][0]["privacy"] == "public"
