"""The console as a browser gets it: its page at every address of its own, its files, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.api.console.files import BuiltConsole, read_console
from services.core.clock import ManualClock
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, Opened, api_on
from tests.integration.api.serving import served

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SCRIPT = "export const city = 1;\n" * 400
ADDRESSES = (
    "/",
    "/?thing=arna-110",
    "/login",
    "/about",
    "/rules",
    "/alerts",
    "/alerts/42",
    "/assets",
    "/assets/yntymak-pump-1",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltConsole:
    """As Vite leaves it, with files around it that are nobody's business."""
    folder = tmp_path_factory.mktemp("api") / "built"
    for name, text in {
        "index.html": "<!doctype html><title>Console</title>",
        ".sources": "a stamp",
        "secret.txt": "outside of the console's folder",
        "console/index-DL4RxbcT.js": SCRIPT,
        "console/index-IaA35EqH.css": "body{}",
        "console/maplibre-gl-worker-B1_x-9zQ.mjs": "1",
        "console/icon.svg": "<svg/>",
        "console/fonts/round-Ab12Cd34.woff2": "f",
        "console/notes.txt": "of no known kind",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_console(folder)


@pytest_asyncio.fixture(loop_scope="module")
async def web(opened: Opened, built: BuiltConsole) -> AsyncIterator[CityApi]:
    async with api_on(opened, ManualClock(seed.NOW), console=built) as running:
        yield running


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_address_of_the_console_is_its_one_page(
    web: CityApi, address: str
) -> None:
    answer = await web.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>Console</title>" in answer.text


async def test_addresses_that_the_console_does_not_know_are_not_its_page(
    web: CityApi,
) -> None:
    for path in ("/alerts/next", "/alerts/1/2", "/assets/a/b", "/console", "/index"):
        assert (await web.get(path)).status_code == 404, path


async def test_the_page_may_load_from_nowhere_else(web: CityApi) -> None:
    policy = (await web.get("/")).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "http" not in policy
    assert "unsafe" not in policy


async def test_an_unchanged_page_is_not_sent_again(web: CityApi) -> None:
    first = await web.get("/")
    again = await web.get("/alerts", {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert (await web.get("/", {"If-None-Match": 'W/"older"'})).status_code == 200


async def test_files_with_a_hash_in_their_name_last_a_year(web: CityApi) -> None:
    for name, media_type in {
        "index-DL4RxbcT.js": "text/javascript; charset=utf-8",
        "index-IaA35EqH.css": "text/css; charset=utf-8",
        "maplibre-gl-worker-B1_x-9zQ.mjs": "text/javascript; charset=utf-8",
        "fonts/round-Ab12Cd34.woff2": "font/woff2",
    }.items():
        answer = await web.get(f"/console/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == media_type
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    icon = await web.get("/console/icon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    assert icon.headers["content-type"] == "image/svg+xml"


async def test_a_worker_comes_with_the_policy_it_is_to_obey(web: CityApi) -> None:
    page = await web.get("/")
    worker = await web.get("/console/maplibre-gl-worker-B1_x-9zQ.mjs")
    name = "content-security-policy"
    assert worker.headers[name] == page.headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/none.js",
        "/console/notes.txt",
        "/console/../secret.txt",
        "/console/..%2fsecret.txt",
        "/console/%2e%2e/secret.txt",
        "/console/..%2f..%2fendpoints.py",
        "/console//etc/passwd",
        "/console/fonts",
        "/.sources",
        "/secret.txt",
    ],
)
async def test_there_is_no_other_file(web: CityApi, path: str) -> None:
    answer = await web.get(path)
    assert answer.status_code == 404
    assert "outside" not in answer.text


async def test_where_nothing_is_built_the_page_says_how_and_the_api_works(
    opened: Opened, tmp_path: Path
) -> None:
    clock, nothing = ManualClock(seed.NOW), read_console(tmp_path)
    async with api_on(opened, clock, console=nothing) as api:
        for language, word in (("kk", "құрастыр"), ("ru", "собрана"), ("en", "built")):
            page = await api.get("/alerts/1", lang=language)
            assert page.status_code == 503
            assert f'<html lang="{language}">' in page.text
            assert word in page.text
            assert "make install" in page.text
        assert (await api.get("/open/v1/datasets")).status_code == 200
        assert (await api.get("/console/index-DL4RxbcT.js")).status_code == 404


async def test_text_is_compressed_for_those_who_take_it(web: CityApi) -> None:
    path = "/console/index-DL4RxbcT.js"
    packed = await web.get(path, {"Accept-Encoding": "gzip"})
    plain = await web.get(path, {"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert packed.text == plain.text == SCRIPT
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["vary"]
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["etag"].startswith("W/")


async def test_a_live_stream_is_never_held_back_to_be_compressed(
    city_url: str,
) -> None:
    async with served(city_url) as server:
        wish = {"Accept-Encoding": "gzip"}
        async with server.stream("/open/v1/live", wish) as live:
            assert "content-encoding" not in live.answer.headers
            await live.next("snapshot")


async def test_head_says_what_get_would(web: CityApi) -> None:
    for path in ("/", "/console/index-DL4RxbcT.js", "/open/v1/things", "/nothing"):
        for encoding in ("gzip", "identity"):
            wish = {"Accept-Encoding": encoding}
            got = await web.web.get(path, headers=wish)
            head = await web.web.head(path, headers=wish)
            assert head.status_code == got.status_code
            assert head.content == b""
            passing = {"ratelimit", "date"}
            assert {k: v for k, v in head.headers.items() if k not in passing} == {
                k: v for k, v in got.headers.items() if k not in passing
            }, path
