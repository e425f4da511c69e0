"""The developers' page, the documentation, and the OpenAPI description."""

import re
from typing import Any

import pytest

from tests.integration.api.city_api import CityApi, city_api

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

_LOADED = re.compile(r"""(?:src|href|action)=["']([^"']+)["']""")


async def test_the_developers_page_speaks_three_languages(api: CityApi) -> None:
    for language, title, word in (
        ("kk", "City қаз", "Ашық деректер"),
        ("ru", "City рус", "Открытые данные"),
        ("en", "City eng", "Open data"),
    ):
        page = await api.get("/developers", lang=language)
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{title}</h1>" in page.text
        assert word in page.text
        accepted = await api.get(
            "/developers", {"Accept-Language": f"{language}-KZ,de;q=0.5"}
        )
        assert accepted.text == page.text
    assert (
        '<html lang="en">'
        in (await api.get("/developers", {"Accept-Language": "de"})).text
    )


async def test_every_door_on_the_developers_page_opens(api: CityApi) -> None:
    page = await api.get("/developers")
    doors = [path for path in _LOADED.findall(page.text) if path.startswith("/")]
    assert len(doors) > 8
    for path in doors:
        status = (await api.get(path)).status_code
        assert status == {"/": status, "/health/ready": 503}.get(path, 200), path


async def test_pages_load_nothing_from_elsewhere(api: CityApi) -> None:
    for path in ("/developers", "/docs", "/problems/not-found"):
        page = await api.get(path)
        for loaded in _LOADED.findall(page.text):
            assert loaded.startswith("/"), (path, loaded)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]
    css = (await api.get("/static/swagger-ui.css")).text
    assert not re.search(r"url\((?!data:|\"?data:)", css)


async def test_without_a_city_the_developers_page_says_how_to_begin(
    database_url: str,
) -> None:
    async with city_api(database_url) as api:
        assert "alatau city apply" in (await api.get("/developers", lang="en")).text


async def test_a_citys_name_is_escaped(own_api: CityApi) -> None:
    await own_api.database.execute(
        """
        UPDATE registry_state SET city = jsonb_set(city, '{name,en}', '"<script>alert(1)</script>"')
        """
    )
    page = await own_api.get("/developers", lang="en")
    assert "<script>alert" not in page.text


async def test_assets_are_only_those_we_ship(api: CityApi) -> None:
    assert (await api.get("/static/swagger-ui-bundle.js")).status_code == 200
    for name in ("redoc.standalone.js", "..%2f__init__.py", "%2e%2e/words.py"):
        assert (await api.get(f"/static/{name}")).status_code == 404


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


async def test_the_description_says_everything_about_every_operation(
    api: CityApi,
) -> None:
    description = await api.read("/openapi.json")
    ids = [operation["operationId"] for _, _, operation in operations(description)]
    assert len(ids) == len(set(ids)) > 40
    for method, path, operation in operations(description):
        where = f"{method} {path}"
        assert operation["description"], where
        assert operation["tags"], where
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (where, parameter["name"])
        secured = path.startswith("/api/v1/") and path != "/api/v1/login"
        assert ("security" in operation) == secured, where
        if secured:
            assert "401" in operation["responses"], where
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and path != "/health/ready":
                assert list(answer["content"]) == ["application/problem+json"], where
    assert "HTTPValidationError" not in description["components"]["schemas"]


async def test_every_field_is_described_and_shown_by_example(api: CityApi) -> None:
    schemas = (await api.read("/openapi.json"))["components"]["schemas"]
    for name, schema in schemas.items():
        for field, facts in schema.get("properties", {}).items():
            assert facts.get("description") or "$ref" in facts, (name, field)
            holder = {"array", "object"} & {facts.get("type", "")}
            referenced = "$ref" in str(facts) or "date-time" in str(facts)
            shown = "examples" in facts or "examples" in schema or holder or referenced
            assert shown or "null" in str(facts), (name, field)


async def test_the_operation_ids_that_clients_are_made_of_stay(api: CityApi) -> None:
    found = {
        o["operationId"] for _, _, o in operations(await api.read("/openapi.json"))
    }
    assert {
        "login",
        "get_things",
        "get_observations",
        "get_buckets",
        "get_latest",
        "get_alerts",
        "acknowledge_alert",
        "live_alerts",
        "live_latest",
        "get_public_things",
        "get_public_observations",
        "get_public_observations_csv",
        "live_public",
    } <= found
