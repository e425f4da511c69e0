"""SensorThings 1.1 over HTTP: what each path and option gives, on a small city."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_asyncio

from services.api.context import Throttles
from services.api.sensorthings.entities import ENTITY_SETS
from services.core.city.ids import observation_id
from services.core.clock import ManualClock, to_milliseconds
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, Opened, api_on

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROOT = "/sta/v1.1"
SETS = tuple(ENTITY_SETS)
FULL = 300  # observations of the busiest datastream
MOST_REQUESTS = 500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(opened: Opened) -> AsyncIterator[CityApi]:
    """Something has been measured: three minutes of air, ten of two bays every two seconds."""
    await seed.empty(opened.owner)
    rows = [
        (seed.NOW - n * seed.MINUTE, (10.0 + n, 100.0 - n, 7313.25)) for n in range(3)
    ]
    await seed.store(opened.owner, "air-1-dev", rows)
    await seed.store_latest(opened.owner, "air-1-dev", *rows[0])
    for bay in ("bay-1", "bay-2"):
        bays = [
            (seed.NOW - n * 2 * seed.SECOND, (50.0 + n / 1000, 7313.25))
            for n in range(FULL)
        ]
        await seed.store(opened.owner, bay, bays)
        await seed.store_latest(opened.owner, bay, *bays[0])
    throttles = Throttles(open_data=Throttle(100_000, 1))
    async with api_on(opened, ManualClock(seed.NOW), throttles=throttles) as api:
        yield api


async def id_of(city: CityApi, key: str) -> int:
    """Of a thing, or of a datastream, which has a dot in its key."""
    entity_set = "Datastreams" if "." in key else "Things"
    found = await ask(city, entity_set, **{"$filter": f"properties/key eq '{key}'"})
    number: int = found["value"][0]["@iot.id"]
    return number


async def ask(city: CityApi, path: str, **query: Any) -> Any:
    return await city.read(f"{ROOT}/{path}", None, **query)


async def refused(city: CityApi, path: str, status: int = 400, **query: Any) -> str:
    answer = await city.get(f"{ROOT}/{path}", None, **query)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    return detail


async def follow(city: CityApi, page: Any) -> list[Any]:
    """All values of a set, page by page."""
    found = list(page["value"])
    for _ in range(200):
        if "@iot.nextLink" not in page:
            return found
        page = await city.read(page["@iot.nextLink"])
        found += page["value"]
    raise AssertionError("no end")


async def test_the_root_names_eight_sets_and_what_is_met(city: CityApi) -> None:
    root = await city.read(ROOT)
    assert [one["name"] for one in root["value"]] == list(SETS)
    assert root["value"][0]["url"] == f"http://api.test{ROOT}/Things"
    assert all(
        "/iot_sensing/1.1/req/" in one for one in root["serverSettings"]["conformance"]
    )
    assert (await city.read(f"{ROOT}/")) == root


@pytest.mark.parametrize("name", SETS)
async def test_every_set_in_pages_of_one_is_the_whole_set(
    city: CityApi, name: str
) -> None:
    whole = await ask(city, name, **{"$top": 40, "$count": "true"})
    assert whole["value"]
    if "@iot.nextLink" not in whole:
        assert len(whole["value"]) == whole["@iot.count"]
        paged = await follow(city, await ask(city, name, **{"$top": 1}))
        assert paged == whole["value"]


async def test_no_link_is_dead_and_an_entity_is_the_same_by_every_way(
    city: CityApi,
) -> None:
    """From the root along every link there is."""
    waiting, seen = [ROOT], {ROOT}
    entities: dict[str, Any] = {}
    while waiting and len(seen) < MOST_REQUESTS:
        address = waiting.pop(0)
        answer = await city.get(address)
        assert answer.status_code == 200, (address, answer.text)
        document = answer.json()
        found = document.get("value", [document])
        for one in found:
            link = one.get("@iot.selfLink", one.get("url"))
            assert link
            assert entities.setdefault(link, one) == one, address
        for link in links_of(document):
            # Observations are many: of those beyond the first pages the crawl sees only some.
            if link not in seen and not (
                "skiptoken" in link and "Observations" in link
            ):
                seen.add(link)
                waiting.append(link)
    assert len(entities) > 100
    names = {unquote(link).rsplit("/", 1)[-1].partition("(")[0] for link in entities}
    assert set(SETS) <= names


def links_of(document: Any) -> list[str]:
    if isinstance(document, list):
        return [link for one in document for link in links_of(one)]
    if not isinstance(document, dict):
        return []
    found = []
    for name, value in document.items():
        if name.endswith(("Link", "selfLink")) or (name == "url" and ROOT in value):
            found.append(value)
        else:
            found += links_of(value)
    return found


async def test_an_observation_is_found_by_its_id_and_leads_back(city: CityApi) -> None:
    datastream = await id_of(city, "air-1.pm25")
    number = observation_id(datastream, to_milliseconds(seed.NOW))
    one = await ask(city, f"Observations({number})")
    assert one["@iot.id"] == number
    assert (one["result"], one["resultQuality"]) == (10.0, "good")
    assert one["phenomenonTime"] == one["resultTime"] == "2026-11-22T04:00:00.000Z"
    back = await ask(city, f"Observations({number})/Datastream")
    assert back["@iot.id"] == datastream
    again = await ask(city, f"Datastreams({datastream})/Observations({number})")
    assert again == one
    thing = await ask(city, f"Observations({number})/Datastream/Thing/name")
    assert thing == {"name": "Air one eng"}
    await refused(city, f"Observations({number + 1})", 404)
    await refused(city, f"Observations({(1 << 63) - 1})", 404)
    other = await id_of(city, "air-1.rain")
    await refused(city, f"Datastreams({other})/Observations({number})", 404)


async def test_properties_and_bare_values(city: CityApi) -> None:
    air = await id_of(city, "air-1")
    assert await ask(city, f"Things({air})/properties/key") == {"key": "air-1"}
    answer = await city.get(f"{ROOT}/Things({air})/name/$value")
    assert (answer.text, answer.headers["content-type"]) == (
        "Air one eng",
        "text/plain; charset=utf-8",
    )
    geometry = await city.get(f"{ROOT}/Locations({air})/location/$value")
    assert geometry.json() == {"type": "Point", "coordinates": [77.0500001, 43.5]}
    russian = await ask(city, f"Things({air})/name", lang="ru")
    assert russian == {"name": "Air one рус"}
    references = await ask(city, "Things/$ref", **{"$top": 1, "$orderby": "name"})
    assert references["value"] == [
        {"@iot.selfLink": f"http://api.test{ROOT}/Things({air})"}
    ]
    assert (await city.read(references["@iot.nextLink"]))["value"] != references[
        "value"
    ]
    assert "its properties are" in await refused(city, f"Things({air})/colour", 404)


async def test_a_property_without_a_value_is_no_content(city: CityApi) -> None:
    """A datastream that has never said anything has no phenomenonTime."""
    await city.database.execute(
        "UPDATE latest_observations SET times[2] = NULL WHERE results[2] = 100"
    )
    quiet = await id_of(city, "air-1.rain")
    answer = await city.get(f"{ROOT}/Datastreams({quiet})/phenomenonTime")
    assert answer.status_code == 204
    await city.database.execute(
        "UPDATE latest_observations SET times[2] = $1 WHERE results[2] = 100", seed.NOW
    )


async def test_a_datastream_says_what_it_measures(city: CityApi) -> None:
    datastream = await id_of(city, "air-1.pm25")
    one = await ask(city, f"Datastreams({datastream})")
    assert one["unitOfMeasurement"] == {
        "name": "microgram per cubic metre",
        "symbol": "ug/m3",
        "definition": "http://www.opengis.net/def/uom/UCUM/0/ug%2Fm3",
    }
    assert one["observationType"].endswith("/OM_Measurement")
    assert one["phenomenonTime"] == "2026-11-22T03:58:00.000Z/2026-11-22T04:00:00.000Z"
    assert one["observedArea"] == {"type": "Point", "coordinates": [77.0500001, 43.5]}
    assert one["properties"]["names"]["kk"] == "Air one қаз: PM2.5 қаз"


async def test_a_protected_site_is_its_district(city: CityApi) -> None:
    found = await ask(
        city,
        "Things",
        **{"$filter": "properties/precision eq 'district'", "$expand": "Locations"},
    )
    names = {one["name"] for one in found["value"]}
    assert names == {"Substation eng", "Feeder eng"}
    for one in found["value"]:
        assert one["Locations"][0]["location"]["type"] == "Polygon"
        assert "zq7" not in str(one)


FILTERS = {
    "name eq 'Air one eng'": ["air-1"],
    "'Air one eng' eq name": ["air-1"],
    "name ne 'Air one eng' and properties/kind eq 'feeder'": ["feeder"],
    "startswith(name,'Air') or endswith(name,'eder eng')": ["air-1", "feeder"],
    "substringof('station',name)": ["substation"],
    "contains(tolower(name),'AIR') or toupper(name) eq 'AIR ONE ENG'": ["air-1"],
    "not (id gt {AIR}) and not (id lt {AIR})": ["air-1"],
    "id mul 2 sub {AIR} eq {AIR}": ["air-1"],
    "@iot.id eq {AIR}": ["air-1"],
    "length(name) lt 11": ["feeder"],
    "Datastreams/ObservedProperty/name eq 'Rain eng'": ["air-1"],
    "Datastreams/Sensor/properties/key eq 'probe' and Locations/properties/district eq 'gate'": ["air-1", "substation", "feeder"],
    "HistoricalLocations/time lt 2021-01-01T00:00:00Z": ["air-1", "substation", "feeder"],
    "properties/names/ru eq 'Air one рус'": ["air-1"],
    "name eq 'O''Brien'": [],
    "name eq '; DROP TABLE things; --'": [],
    "name eq '%' or name eq '_'": [],
    "concat(name,properties/key) eq 'Air one engair-1'": ["air-1"],
    "indexof(name,'one') eq 4": ["air-1"],
    "substring(name,4) eq 'one eng'": ["air-1"],
    "name eq null": [],
    "contains(name,'Air') eq true": ["air-1"],
    "year(HistoricalLocations/time) eq 2020": ["air-1", "substation", "feeder"],
}  # fmt: skip


@pytest.mark.parametrize(("text", "keys"), FILTERS.items())
async def test_things_are_filtered(city: CityApi, text: str, keys: list[str]) -> None:
    text = text.replace("{AIR}", str(await id_of(city, "air-1")))
    found = await ask(city, "Things", **{"$filter": text, "$count": "true"})
    assert {one["properties"]["key"] for one in found["value"]} == set(keys)
    assert found["@iot.count"] == len(keys)


OF_OBSERVATIONS = {
    "Datastream/properties/key eq 'air-1.pm25'": 3,
    "Datastream/properties/key eq 'air-1.pm25' and result gt 10": 2,
    "result ge 99 and result lt 100": 1,
    "result add 1 eq 11": 1,
    "phenomenonTime ge 2026-11-22T03:59:00Z and Datastream/Thing/name eq 'Air one eng'": 4,
    "resultTime gt 2026-11-22T09:59:00+05:00 and FeatureOfInterest/id eq -1": 0,
    "phenomenonTime eq '2026-11-22T04:00:00Z' and Datastream/ObservedProperty/name eq 'Rain eng'": 1,
    "phenomenonTime lt 2026-11-22T03:59:59.999Z and phenomenonTime gt 2026-11-22T03:59:57Z": 2,
    "resultQuality eq 'good' and Datastream/id lt 0": 0,
    "result eq 'running'": 0,
    "Datastream/id eq 99999999999": 0,
    "id eq 12345678901234567890": 0,
    "id gt 0 and result eq 10": 1,
    "minute(phenomenonTime) eq 0 and second(phenomenonTime) eq 0": 4,
}  # fmt: skip


@pytest.mark.parametrize(("text", "number"), OF_OBSERVATIONS.items())
async def test_observations_are_filtered(city: CityApi, text: str, number: int) -> None:
    query = {"$filter": text, "$count": "true"}
    found = await ask(city, "Observations", **query)
    assert (len(found["value"]), found["@iot.count"]) == (number, number)
    by_time = await ask(
        city, "Observations", **query, **{"$orderby": "phenomenonTime desc"}
    )
    ids = sorted(one["@iot.id"] for one in by_time["value"])
    assert ids == sorted(one["@iot.id"] for one in found["value"])


WRONG = {
    "Things?$filter=colour eq 1": "properties/key",
    "Things?$filter=name eq 1": "cannot be compared",
    "Things?$filter=name": "what is true",
    "Things?$filter=name eq": "there should be",
    "Things?$filter=name eq 'x": "cannot be read",
    "Things?$filter=id div 0 eq 1 and round(id) div (id sub id) gt 1": None,
    "Things?$filter=substring(name,-5000000000) eq 'x'": "cannot be worked out",
    "Things?$filter=frobnicate(name)": "there are: substringof",
    "Things?$filter=length(name,name) eq 1": "takes 1 arguments",
    "Things?$filter=Datastreams/Observations/result gt 1": "at Observations itself",
    "Things?$filter=name gt null": "null",
    "Things?$top=-1": "whole number",
    "Things?$top=x": "whole number",
    "Things?$skip=10001": "nextLink",
    "Things?$count=maybe": "true or false",
    "Things?$select=name,colour": "there are: id, name",
    "Things?$orderby=colour": "cannot be ordered",
    "Things?$orderby=name sideways": "asc or desc",
    "Things?$expand=Colours": "does not lead to",
    "Things?$expand=Datastreams($top)": "$name=value",
    "Things?$expand=Datastreams($colour=1)": "no query option",
    "Things?$expand=Datastreams(": "not closed",
    "Things?$expand=Datastreams/Thing/Datastreams/Thing/Datastreams": "levels deep",
    "Things?$resultFormat=dataArray": "only of Observations",
    "Things?$colour=1": "there are: $top",
    "Things?$top=1&$top=2": "twice",
    "Things?lang=de": "one of",
    "Things(1)?$top=1": "one entity",
    "Things(1)/name?$select=name": "no properties",
    "Things(x)": "ids are integers",
    "Observations?$filter=result gt 5 or Datastream/id eq 1": "ask twice",
    "Observations?$orderby=result": "cannot be ordered",
}


@pytest.mark.parametrize(("address", "word"), WRONG.items())
async def test_what_cannot_be_asked_is_said(
    city: CityApi, address: str, word: str | None
) -> None:
    answer = await city.get(f"{ROOT}/{address}")
    if word is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 400, answer.text
    assert word in answer.json()["detail"]


async def test_what_is_not_there_or_not_offered(city: CityApi) -> None:
    assert "there are: Things" in await refused(city, "Widgets", 404)
    await refused(city, "Things(99)", 404)
    await refused(city, "Things(99999999999)", 404)
    await refused(city, "Things(1)/Datastreams(99)", 404)
    geography = "geo.intersects(location,geography'POINT(1 1)')"
    await refused(city, "Locations", 501, **{"$filter": geography})
    await refused(city, "Locations", 501, **{"$filter": "st_within(location,'x')"})
    await refused(city, "Things", 400, **{"$skiptoken": "nonsense"})


async def test_expansions_have_options_of_their_own(city: CityApi) -> None:
    text = "Observations($top=2;$orderby=phenomenonTime desc;$count=true;$select=result),ObservedProperty($select=name),Thing/Locations"
    found = await ask(
        city, "Datastreams", **{"$expand": text, "$orderby": "name desc,id"}
    )
    by_key = {one["properties"]["key"]: one for one in found["value"]}
    rain = by_key["air-1.rain"]
    assert rain["Observations"] == [{"result": 100.0}, {"result": 99.0}]
    assert rain["Observations@iot.count"] == 3
    assert rain["ObservedProperty"] == {"name": "Rain eng"}
    assert rain["Thing"]["Locations"][0]["@iot.id"] == rain["Thing"]["@iot.id"]
    more = await city.read(rain["Observations@iot.nextLink"])
    assert (more["value"], more["@iot.count"]) == ([{"result": 98.0}], 3)
    assert "@iot.nextLink" not in more
    assert "Observations@iot.navigationLink" not in rain
    names = [one["name"] for one in found["value"]]
    assert names == sorted(names, reverse=True)


async def test_things_with_few_of_many_datastreams_lead_to_the_others(
    city: CityApi,
) -> None:
    found = await ask(
        city,
        "Things",
        **{
            "$expand": "Datastreams($top=1;$count=true;$skip=1;$orderby=properties/key)",
            "$filter": "properties/key eq 'air-1'",
        },
    )
    thing = found["value"][0]
    assert thing["Datastreams@iot.count"] == 2
    russian = await ask(
        city,
        "Things",
        lang="ru",
        **{"$expand": "Datastreams($top=1)", "$orderby": "name"},
    )
    rest = await city.read(russian["value"][0]["Datastreams@iot.nextLink"])
    assert all("рус" in one["name"] for one in rest["value"])
    assert [one["properties"]["key"] for one in thing["Datastreams"]] == ["air-1.rain"]
    assert "Datastreams@iot.nextLink" not in thing


async def test_order_and_page_by_any_column(city: CityApi) -> None:
    order = {"$orderby": "properties/district,name desc", "$top": 1}
    found = await follow(city, await ask(city, "Things", **order))
    assert [one["properties"]["key"] for one in found] == [
        "substation",
        "feeder",
        "air-1",
    ]
    upper = await ask(city, "Things", **{"$orderby": "id DESC"})
    assert [one["@iot.id"] for one in upper["value"]] == sorted(
        (one["@iot.id"] for one in found), reverse=True
    )


@pytest.mark.parametrize(
    "order", ["", "id desc", "phenomenonTime", "phenomenonTime desc", "resultTime desc"]
)
@pytest.mark.parametrize("way", ["", "air-1"])
async def test_pages_of_observations_are_whole_and_in_order(
    city: CityApi, way: str, order: str
) -> None:
    path = (
        f"FeaturesOfInterest({await id_of(city, way)})/Observations"
        if way
        else "Observations"
    )
    top = 4 if way else 70
    query: dict[str, Any] = {"$top": top, "$count": "true"}
    if order:
        query["$orderby"] = order
    page = await ask(city, path, **query)
    found = await follow(city, page)
    assert len(found) == page["@iot.count"] == len({one["@iot.id"] for one in found})
    column = order.partition(" ")[0] or "@iot.id"
    values = [one["@iot.id" if column == "id" else column] for one in found]
    assert values == sorted(values, reverse=order.endswith("desc"))
    skipped = await ask(city, path, **{**query, "$skip": top - 2, "$top": 10})
    assert skipped["value"] == found[top - 2 : top + 8]


async def test_data_arrays_have_the_same_in_fewer_words(city: CityApi) -> None:
    query = {
        "$filter": "Datastream/Thing/name eq 'Air one eng'",
        "$select": "id,phenomenonTime,result",
    }
    plain = await ask(city, "Observations", **query)
    arrays = await ask(
        city,
        "Observations",
        **query,
        **{"$resultFormat": "dataArray", "$count": "true"},
    )
    assert arrays["@iot.count"] == 6
    assert [one["dataArray@iot.count"] for one in arrays["value"]] == [3, 3]
    assert arrays["value"][0]["components"] == ["id", "phenomenonTime", "result"]
    rows = [row for one in arrays["value"] for row in one["dataArray"]]
    assert rows == [list(one.values()) for one in plain["value"]]


async def test_a_page_for_another_question_is_refused(city: CityApi) -> None:
    page = await ask(city, "Things", **{"$top": 1})
    token = page["@iot.nextLink"].partition("$skiptoken=")[2]
    await refused(city, "Things", **{"$skiptoken": token, "$filter": "id gt 1"})
    await refused(city, "Locations", **{"$skiptoken": token})


async def test_unchanged_answers_are_not_sent_again_and_any_origin_may_ask(
    city: CityApi,
) -> None:
    answer = await city.get(f"{ROOT}/Things", {"Origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "creativecommons" in answer.headers["link"]
    again = await city.get(f"{ROOT}/Things", {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    assert "RateLimit" in again.headers


async def test_links_are_those_of_the_proxy(city: CityApi) -> None:
    headers = {"Host": "data.example.kz"}
    things = await city.read(f"{ROOT}/Things", headers)
    address = things["value"][0]["@iot.selfLink"]
    assert address.startswith(f"http://data.example.kz{ROOT}/Things(")


GOLDEN = Path(__file__).parents[2] / "golden" / "sensorthings"
CASES = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted(GOLDEN.glob("*.json"))
}


@pytest.mark.parametrize("case", CASES)
async def test_answers_are_those_that_clients_have_come_to_know(
    city: CityApi, case: str
) -> None:
    """A file holds a request and its answer; whoever changes one tells the clients."""
    golden = CASES[case]
    assert await city.read(f"{ROOT}/{golden['get']}") == golden["answer"]
