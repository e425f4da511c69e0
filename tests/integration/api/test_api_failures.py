"""Whatever goes wrong is a problem document, and says nothing of our insides."""

import json
from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest
from structlog.testing import capture_logs

from deploy.native.postgres import PostgresCluster
from services.api.app import create_app
from services.api.failures import KINDS, MEDIA_TYPE
from services.core.storage.pool import Connection
from tests.integration.api.city_api import CityApi

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
)


def problem(answer: httpx2.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    for header in HEADERS:
        assert header in answer.headers
    document: dict[str, object] = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= document.keys()
    assert document["status"] == status
    return document


async def test_an_unknown_path_is_a_problem(api: CityApi) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/open/v1/nothing", "/open/v1/"):
        document = problem(await api.get(path), 404)
        assert document["instance"] == path


async def test_another_method_is_a_problem_and_says_which_is_allowed(
    api: CityApi,
) -> None:
    answer = await api.web.delete("/open/v1/things")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"


async def test_a_wrong_parameter_is_named(api: CityApi) -> None:
    answer = await api.get(
        "/api/v1/things", await api.session(), limit=5000, q="\0", domain="<script>"
    )
    document = problem(answer, 422)
    assert isinstance(document["errors"], list)
    named = {error["where"] for error in document["errors"]}
    assert named == {"query limit", "query q", "query domain 0"}
    assert "<script>" not in answer.text


async def test_a_parameter_that_nobody_knows_is_named_with_those_there_are(
    api: CityApi,
) -> None:
    """Misspelt filters must not show everything."""
    for path, headers in (
        ("/open/v1/things", {}),
        ("/api/v1/alerts", await api.session()),
    ):
        document = problem(await api.get(path, headers, domian="water"), 422)
        assert isinstance(document["errors"], list)
        (error,) = document["errors"]
        assert error["where"] == "query domian"
        assert " domain," in error["detail"]


async def test_a_wrong_body_is_named_and_never_repeated(api: CityApi) -> None:
    for body in (
        b"{",
        b"[]",
        b"\xff",
        b'{"name": "a", "password": "hunter2", "more": 1}',
    ):
        answer = await api.web.post(
            "/api/v1/login", content=body, headers={"Content-Type": "application/json"}
        )
        problem(answer, 422)
        assert "hunter2" not in answer.text


async def test_a_large_body_is_refused(api: CityApi) -> None:
    body = json.dumps({"name": "a", "password": "x" * 70_000})
    answer = await api.web.post(
        "/api/v1/login", content=body, headers={"Content-Type": "application/json"}
    )
    problem(answer, 413)


async def test_a_large_body_that_does_not_say_its_size_is_refused_too(
    api: CityApi,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    answer = await api.web.post("/api/v1/login", content=pieces())
    problem(answer, 413)


async def test_a_cursor_of_nonsense_is_refused(api: CityApi) -> None:
    for cursor in ("x", "W10", "WzFd", "W251bGwsbnVsbF0", "/" * 200, "é"):
        problem(await api.get("/open/v1/things", cursor=cursor), 400)


async def test_a_database_that_is_gone_is_said_without_its_address(
    own_api: CityApi, postgres: PostgresCluster
) -> None:
    session = await own_api.session()
    name = await own_api.database.fetchval("SELECT current_database()")
    postgres.sql(
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;"  # noqa: S608 # our own name
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';"
    )
    answer = await own_api.get("/api/v1/things", session)
    document = problem(answer, 503)
    assert document["type"] == "/problems/unavailable"
    assert answer.headers["retry-after"] == "2"
    assert name not in answer.text
    ready = await own_api.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["parts"][0] == {
        "name": "database",
        "ready": False,
        "detail": "The database does not answer.",
    }
    assert "alatau doctor" in (await own_api.get("/developers", lang="en")).text
    postgres.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")
    assert (await own_api.get("/api/v1/things", session)).status_code == 200


async def test_a_query_that_takes_too_long_is_ended(
    api: CityApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(connection: Connection, *_arguments: object) -> None:
        await connection.execute("SET statement_timeout = '20ms'")
        await connection.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr("services.api.operator.rules.endpoints.find_rule", slow)
    document = problem(await api.get("/api/v1/rules/any", await api.session()), 503)
    assert document["type"] == "/problems/too-slow"


async def test_a_bug_is_logged_and_not_shown(
    api: CityApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object) -> None:
        raise asyncpg.UndefinedTableError('relation "secret_table" does not exist')

    monkeypatch.setattr("services.api.operator.rules.endpoints.find_rule", broken)
    session = await api.session()
    with capture_logs() as logs:
        answer = await api.get("/api/v1/rules/any", session)
    document = problem(answer, 500)
    assert document["type"] == "/problems/internal"
    assert [(line["action"], line["path"]) for line in logs] == [
        ("request_failed", "/api/v1/rules/any")
    ]
    assert "secret_table" not in answer.text


async def test_every_kind_of_problem_has_a_page_of_its_own(api: CityApi) -> None:
    for kind in KINDS:
        answer = await api.get(f"/problems/{kind.slug}")
        assert answer.status_code == 200
        assert kind.title in answer.text.replace("&#x27;", "'")
    problem(await api.get("/problems/none"), 404)


async def test_head_is_get_without_the_body(api: CityApi) -> None:
    answer = await api.web.head("/open/v1/districts")
    assert answer.status_code == 200
    assert answer.content == b""
    assert "etag" in answer.headers


async def test_metrics_count_by_operation_and_not_by_path(api: CityApi) -> None:
    await api.get("/open/v1/things/air-1")
    await api.get("/no/such/path")
    text = (await api.get("/metrics")).text
    assert (
        'alatau_api_requests_total{method="GET",operation="get_public_thing",status="200"}'
        in text
    )
    assert "/no/such/path" not in text
    assert "air-1" not in text


async def test_the_application_can_be_made_twice(api: CityApi) -> None:
    assert create_app(api.context) is not create_app(api.context)
