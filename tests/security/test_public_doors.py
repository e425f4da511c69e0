"""No public door shows what is not public: every one is opened, with every key we have, and searched."""

import ast
import datetime as dt
import re
from collections.abc import AsyncIterator, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.api.context import Throttles
from services.core.storage.pool import Connection
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.alerts import move, subject
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import NOW, SECRET, SECRET_NUMBER, SECRET_PLACE
from tests.integration.api.serving import Server, served

pytestmark = pytest.mark.integration

# One of each: nothing of these is public, wherever it stands.
FORBIDDEN = (SECRET, str(SECRET_NUMBER), str(SECRET_PLACE))
CLOSED = "/api/v1/"
FIRST_INTERNAL = 1 << 20  # datastreams that are not public are numbered from here
IDS = [1, 2, 3, FIRST_INTERNAL]
TABLES = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
API = Path(__file__).parents[2] / "services" / "api"


async def fill(database: Connection) -> None:
    """Every device says something; what is not public says the secret number."""
    secret = SECRET_NUMBER
    for device, values in {
        "air-1-dev": (1.0, 2.0, secret),
        "bay-1": (50.0, secret),
        "bay-2": (50.0, secret),
        f"meter-{SECRET}": (secret, secret),
        f"pump-{SECRET}-dev": (1.0, 1.0, secret),
    }.items():
        await seed.store(database, device, [(NOW, values)])
        await seed.store_latest(database, device, NOW, values)
        await seed.log(database, device, NOW, values)
    await move(database, await subject(database, f"pump-{SECRET}"))
    await database.execute(
        """
        INSERT INTO rejected_messages (received_at, scope, reason, detail, topic, publisher, payload)
        VALUES (now(), 'message', 'range', $1, $1, $1, convert_to($1, 'UTF8'))
        """,
        SECRET,
    )


@pytest.fixture
async def server(city_url: str) -> AsyncIterator[Server]:
    throttles = Throttles(open_data=Throttle(100_000, 1))
    async with served(city_url, throttles=throttles) as running:
        await fill(running.api.database)
        yield running


async def all_keys(database: Connection) -> list[str]:
    rows = await database.fetch(
        """
        SELECT key FROM things UNION ALL SELECT key FROM datastreams UNION ALL SELECT datastream_id::text FROM datastreams
        UNION ALL SELECT key FROM devices UNION ALL SELECT key FROM observed_properties
        UNION ALL SELECT domain FROM things UNION ALL SELECT key FROM districts
        """
    )
    return sorted({row["key"] for row in rows})


def fillings(parameter: dict[str, Any], keys: list[str]) -> list[Any]:
    """Values to try for a parameter of the description; a new kind of parameter must be added here."""
    known: dict[str, list[Any]] = {
        "lang": [None, "en"],
        "limit": [1000],
        "cursor": [None],
        "geometry": [True],
        "retired": [True],
        "paged": [False, True],
        "bucket": ["1h"],
        "start": [(NOW - seed.HOUR).isoformat()],
        "end": [(NOW + seed.HOUR).isoformat()],
        "aggregation": [None],
        "if-none-match": [None],
        "Last-Event-ID": [None],
        "domain": [None, ["power", "water"]],
        "district": [None, ["golden"]],
        "kind": [None, ["connection"]],
        "q": [None, SECRET],
        "key": keys,
        "thing": [None, [f"pump-{SECRET}", f"house-{SECRET}", "substation"]],
        "observed_property": [None, ["load", "consumption", "frequency"]],
        "id": IDS,
        "$top": [None],
        "$skip": [None],
        "$count": ["true"],
        "$orderby": [None],
        "$filter": [None],
        "$select": [None],
        "$resultFormat": [None],
    }
    if "enum" in parameter["schema"] and parameter["in"] == "query":
        known["lang"] = [None]
    if parameter["name"] == "property":
        names: list[Any] = parameter["schema"]["enum"]
        return names
    if parameter["name"] == "$expand":
        example: str = parameter["schema"]["examples"][0]
        return [None, example]
    if parameter["name"] == "datastream":
        each = [[key] for key in keys if "." in key or key.isdecimal()]
        return each if parameter["required"] else [None, *each]
    return known[parameter["name"]]


def requests(
    path: str, operation: dict[str, Any], keys: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    parameters = operation.get("parameters", [])
    for values in product(*(fillings(parameter, keys) for parameter in parameters)):
        query, filled = {}, path
        for parameter, value in zip(parameters, values, strict=True):
            if parameter["in"] == "path":
                filled = filled.replace("{" + parameter["name"] + "}", str(value))
            elif parameter["in"] == "query" and value is not None:
                query[parameter["name"]] = value
        yield filled, query


def search(text: str, path: str, query: dict[str, Any]) -> None:
    """Our own question may come back in an answer; nothing else of the kind may."""
    asked = [path.rsplit("/", 1)[-1]]
    for value in query.values():
        asked += value if isinstance(value, list) else [str(value)]
    for word in sorted(asked, key=len, reverse=True):
        text = text.replace(word, "")
    for forbidden in FORBIDDEN:
        assert forbidden not in text, (path, query, forbidden)


async def test_no_public_door_shows_what_is_not_public(server: Server) -> None:
    api = server.api
    keys = await all_keys(api.database)
    description = await api.read("/openapi.json")
    opened = 0
    for path, methods in description["paths"].items():
        if path.startswith(CLOSED) or path.endswith(("/live", "/$value")):
            continue  # a bare value is the value of the path before
        assert list(methods) == ["get"], path
        for filled, query in requests(path, methods["get"], keys):
            answer = await api.get(filled, None, **query)
            assert answer.status_code in {200, 404, 503}, (filled, query, answer.text)
            search(answer.text, filled, query)
            search(str(answer.headers), filled, query)
            opened += 1
    assert opened > 250


async def test_pages_show_nothing_of_it_either(server: Server) -> None:
    pages = ("/", "/developers", "/docs", "/problems/not-found")
    for path in (*pages, "/openapi.json", "/metrics"):
        search((await server.api.get(path)).text, path, {})


async def test_the_public_stream_shows_nothing_of_it(server: Server) -> None:
    database = server.api.database
    secret = SECRET_NUMBER
    asked: list[dict[str, Any]] = [
        {},
        {"domain": ["power", "water"]},
        {"thing": [f"house-{SECRET}", f"pump-{SECRET}", "substation"]},
        {"observed_property": ["load", "consumption", "frequency"]},
    ]
    for number, query in enumerate(asked, start=1):
        async with server.stream("/open/v1/live", **query) as live:
            seen = [str((await live.next("snapshot")).data)]
            at = NOW + number * seed.MINUTE
            await seed.log(database, f"meter-{SECRET}", at, (secret, secret))
            await seed.log(database, f"pump-{SECRET}-dev", at, (1.0, 1.0, secret))
            await seed.log(database, "bay-1", at, (50.0, secret))
            seen.append(str((await live.next("latest")).data))
            seen.append(str((await live.next("heartbeat")).data))
        for text in seen:
            search(text, "/open/v1/live", query)


async def test_what_stops_being_public_is_gone_at_once(server: Server) -> None:
    api = server.api
    path = "/open/v1/datastreams/air-1.pm25"
    assert (await api.get(path)).status_code == 200
    async with server.stream(
        "/open/v1/live", observed_property=["pm25", "rain"]
    ) as live:
        await live.next("snapshot")
        async with api.database.transaction():
            await api.database.execute(
                """
                UPDATE observed_properties SET privacy = 'internal',
                    revision = (SELECT revision + 1 FROM registry_state)
                WHERE key = 'pm25'
                """
            )
            await api.database.execute(
                "UPDATE registry_state SET revision = revision + 1"
            )
        assert (await api.get(path)).status_code == 404
        api.clock.advance(2)
        await seed.log(api.database, "air-1-dev", NOW + seed.SECOND, (7.0, None, None))
        await seed.log(api.database, "air-1-dev", NOW + seed.MINUTE, (8.0, 3.0, None))
        change = await live.next("latest")
        while [one["result"] for one in change.data["observations"]] != [3.0]:
            assert 8.0 not in [one["result"] for one in change.data["observations"]]
            change = await live.next("latest")


PUBLIC_FACES = ("opendata", "sensorthings")


@pytest.mark.parametrize("face", PUBLIC_FACES)
def test_public_queries_name_no_table_of_the_registry(face: str) -> None:
    """They go through the publication filter's tables; only it knows where those come from."""
    allowed = {
        "registry_state",  # the city's name and the revision
        "published_datastreams",
        "published_things",
        "published_districts",
        "published_properties",
        "datastream_slots",
        "latest_observations",
        "observations",
        "unnest",
        "piece",
        "published_sensors",
        "sta_places",  # SensorThings' own, over the published ones
        "jsonb_array_elements",
        "heard",
    }
    for source in (API / face).rglob("*.py"):
        tree = ast.parse(source.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named = set(TABLES.findall(node.value)) - {"LATERAL"}
                assert named <= allowed, (source.name, node.lineno, named - allowed)


@pytest.mark.parametrize("face", PUBLIC_FACES)
def test_open_doors_take_no_connection_from_operators(face: str) -> None:
    for source in (API / face).rglob("*.py"):
        code = source.read_text(encoding="utf-8")
        assert "context.database.reading" not in code, source.name
        assert "context.doors" not in code, source.name


@pytest.mark.asyncio(loop_scope="module")
async def test_a_protected_place_is_not_told_by_its_parts(api: CityApi) -> None:
    """The feeder is not protected itself, but it stands inside the substation."""
    collection = await api.read("/open/v1/things")
    places = [str(feature["geometry"]) for feature in collection["features"]]
    assert not [place for place in places if str(SECRET_PLACE) in place]


def test_the_secrets_are_really_there() -> None:
    """Else the search above proves nothing."""
    city = str(seed.FILE)
    assert city.count(SECRET) > 10
    assert city.count(str(SECRET_PLACE)) == 3
    assert isinstance(NOW, dt.datetime)
