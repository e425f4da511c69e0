"""Commands: who may ask what of which device, and what is told of it."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
PATH = "/api/v1/devices/air-1-dev/commands"
REPLAY = {"name": "replay", "args": {"epoch": 7, "from": 2, "to": 5}}


async def test_an_engineer_asks_and_reads_how_it_went(api: CityApi) -> None:
    engineer = await api.session(Role.ENGINEER, user="asel")
    answer = await api.web.post(PATH, json=REPLAY, headers=engineer)
    assert answer.status_code == 202, answer.text
    command = answer.json()
    assert (command["state"], command["asked_by"]) == ("waiting", "asel")
    assert command["expires_at"] == "2026-11-22T05:00:00.000Z"
    await api.database.execute(
        "UPDATE commands SET answered_at = now(), ok = false, detail = 'gone', sealed = 'x'"
    )
    path = f"{PATH}/{command['command_id']}"
    told = await api.read(path, await api.session(Role.VIEWER))
    assert (told["state"], told["detail"], "sealed" in told) == (
        "refused",
        "gone",
        False,
    )
    assert (await api.read(PATH, engineer))["items"] == [told]
    audited = "SELECT actor, entity_key FROM audit WHERE entity = 'commands'"
    assert tuple(await api.database.fetchrow(audited)) == ("asel", "air-1-dev")
    elsewhere = path.replace("air-1-dev", "meter-dev")
    assert (await api.get(elsewhere, engineer)).status_code == 404


@pytest.mark.parametrize(
    ("role", "domains", "body", "status"),
    [
        (Role.OPERATOR, None, REPLAY, 403),
        (Role.ENGINEER, ["power"], REPLAY, 404),
        (Role.ENGINEER, None, {"name": "rotate"}, 422),
        (Role.ENGINEER, None, {"name": "open_valve"}, 422),
        (Role.ENGINEER, None, {"name": "replay", "args": {"epoch": 1}}, 422),
        (Role.ENGINEER, None, {**REPLAY, "expires_in_seconds": 1e9}, 422),
    ],
)
async def test_what_is_refused(
    api: CityApi,
    role: Role,
    domains: list[str] | None,
    body: dict[str, object],
    status: int,
) -> None:
    session = await api.session(role, domains)
    answer = await api.web.post(PATH, json=body, headers=session)
    assert answer.status_code == status, answer.text
    assert await api.database.fetchval("SELECT count(*) FROM commands") == 0


async def test_who_asks_for_rotate_is_told_what_does_it(api: CityApi) -> None:
    engineer = await api.session(Role.ENGINEER)
    answer = await api.web.post(PATH, json={"name": "rotate"}, headers=engineer)
    assert "alatau devices rotate" in answer.json()["detail"], answer.text


async def test_a_gateway_is_asked_by_who_has_the_whole_city(api: CityApi) -> None:
    path = f"/api/v1/devices/gateway-{SECRET}/commands"
    limited = await api.session(Role.ENGINEER, domains=["power"])
    refused = await api.web.post(path, json={"name": "rebirth"}, headers=limited)
    assert refused.status_code == 403
    whole = await api.session(Role.ENGINEER)
    taken = await api.web.post(path, json={"name": "rebirth"}, headers=whole)
    assert taken.status_code == 202
