"""Login, sessions and roles, at the door."""

import hashlib

import pytest

from services.api.auth.passwords import hash_password
from services.api.auth.permissions import Role
from services.api.auth.store import User, add_user, set_disabled, set_password
from services.api.context import Throttles
from services.core.throttle import Throttle
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi, city_api

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery staple"


async def add(api: CityApi, user: str = "dana", role: Role = Role.OPERATOR) -> None:
    hashed = hash_password(PASSWORD)
    assert await add_user(api.database, User(user, role, ["water"]), hashed, "test")


async def log_in(
    api: CityApi, user: str = "dana", password: str = PASSWORD
) -> tuple[int, dict[str, str]]:
    answer = await api.web.post(
        "/api/v1/login", json={"name": user, "password": password}
    )
    headers = (
        {"Authorization": f"Bearer {answer.json()['token']}"}
        if answer.status_code == 200
        else {}
    )
    return answer.status_code, headers


async def test_a_session_opens_with_the_password_and_ends_with_logout(
    api: CityApi,
) -> None:
    await add(api)
    status, session = await log_in(api)
    assert status == 200
    assert await api.read("/api/v1/users/me", session) == {
        "name": "dana",
        "role": "operator",
        "domains": ["water"],
        "districts": None,
        "expires_at": "2026-11-22T16:00:00.000Z",
    }
    assert (await api.web.post("/api/v1/logout", headers=session)).status_code == 204
    answer = await api.get("/api/v1/users/me", session)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_session_runs_out(api: CityApi) -> None:
    await add(api)
    _, session = await log_in(api)
    api.clock.advance(12 * 3600)
    assert (await api.get("/api/v1/users/me", session)).status_code == 401


async def test_the_token_is_kept_only_as_its_hash(api: CityApi) -> None:
    await add(api)
    _, session = await log_in(api)
    token = session["Authorization"].removeprefix("Bearer ")
    stored = await api.database.fetchval("SELECT token_hash FROM sessions")
    assert stored == hashlib.sha256(token.encode()).digest()


async def test_a_wrong_password_and_an_unknown_user_look_the_same(api: CityApi) -> None:
    await add(api)
    answers = [
        await api.web.post(
            "/api/v1/login", json={"name": user, "password": "wrong wrong wrong"}
        )
        for user in ("dana", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


async def test_a_disabled_user_is_out_at_once(api: CityApi) -> None:
    await add(api)
    _, session = await log_in(api)
    assert await set_disabled(api.database, "dana", seed.NOW, "test")
    assert (await api.get("/api/v1/users/me", session)).status_code == 401
    assert (await log_in(api))[0] == 401
    assert await set_disabled(api.database, "dana", None, "test")
    assert (await log_in(api))[0] == 200


async def test_a_new_password_ends_all_sessions(api: CityApi) -> None:
    await add(api)
    _, session = await log_in(api)
    assert await set_password(api.database, "dana", hash_password("x" * 20), "test")
    assert (await api.get("/api/v1/users/me", session)).status_code == 401
    audit = await api.database.fetch(
        "SELECT action, new FROM audit WHERE entity = 'users' ORDER BY audit_id"
    )
    assert [row["action"] for row in audit] == ["create", "rotate"]
    assert "password" not in str(audit[0]["new"])


async def test_failed_logins_are_slowed_down_and_successful_ones_are_not(
    city_url: str,
) -> None:
    throttles = Throttles(login=Throttle(2, 60), address=Throttle(5, 60))
    async with city_api(city_url, throttles=throttles) as api:
        await add(api)
        assert [(await log_in(api))[0] for _ in range(4)] == [200] * 4
        wrong = [(await log_in(api, password="wrong"))[0] for _ in range(3)]
        assert wrong == [401, 401, 429]
        answer = await api.web.post(
            "/api/v1/login", json={"name": "dana", "password": PASSWORD}
        )
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "30"
        # Somebody else behind the same address may still try, a few times.
        others = [(await log_in(api, f"user{i}"))[0] for i in range(4)]
        assert others == [401, 401, 401, 429]
        api.clock.advance(60)
        assert (await log_in(api))[0] == 200


async def test_every_operator_door_is_shut_without_a_session(api: CityApi) -> None:
    paths = (await api.read("/openapi.json"))["paths"]
    doors = [
        (method, path)
        for path, methods in paths.items()
        if path.startswith("/api/v1/") and path != "/api/v1/login"
        for method in methods
    ]
    assert len(doors) > 25
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        for method, path in doors:
            filled = path.replace("{key}", "air-1").replace("{alert_id}", "1")
            answer = await api.web.request(
                method.upper(), filled.replace("{rejected_id}", "1"), headers=headers
            )
            assert answer.status_code == 401, (method, path, answer.text)


async def test_the_beginning_says_where_to_log_in_and_every_door_it_names_opens(
    api: CityApi,
) -> None:
    beginning = await api.read("/api/v1")
    assert beginning["login"] == "/api/v1/login"
    described = (await api.read("/openapi.json"))["paths"]
    assert set(beginning["doors"]) <= set(described)
    lists = {
        path for path in described if path.startswith("/api/v1/") and "{" not in path
    }
    assert lists - set(beginning["doors"]) == {"/api/v1/login", "/api/v1/logout"}


async def test_roles_open_what_they_may(api: CityApi) -> None:
    expected = {
        Role.VIEWER: [200, 403, 403],
        Role.OPERATOR: [200, 200, 403],
        Role.ENGINEER: [200, 200, 404],
        Role.ADMIN: [200, 200, 404],
    }
    for role, statuses in expected.items():
        session = await api.session(role)
        found = [
            (await api.get(path, session)).status_code
            for path in (
                "/api/v1/alerts",
                "/api/v1/rejected-messages",
                "/api/v1/rejected-messages/1/payload",
            )
        ]
        assert found == statuses, role
