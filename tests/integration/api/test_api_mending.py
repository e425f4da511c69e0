"""What engineers do about rejected messages: mend the cause, have them read again, dismiss."""

from typing import Any

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import HOUR, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/api/v1/rejected-messages"


async def reject(
    api: CityApi,
    reason: str = "unknown_channel",
    channel: str | None = "PM25",
    publisher: str = "air-1-dev",
    device: str | None = None,
) -> int:
    rejected_id: int = await api.database.fetchval(
        """
        INSERT INTO rejected_messages (received_at, scope, reason, detail, topic, publisher, device, channel, payload)
        VALUES ($1, 'value', $2, 'no', 't', $3, $4, $5, '{}') RETURNING rejected_id
        """,
        NOW - HOUR,
        reason,
        publisher,
        device,
        channel,
    )
    return rejected_id


async def post(
    api: CityApi, path: str, session: dict[str, str], **body: Any
) -> tuple[int, Any]:
    answer = await api.web.post(path, json=body, headers=session)
    return answer.status_code, answer.json()


async def test_refusals_are_counted_by_reason_device_and_channel(
    own_api: CityApi,
) -> None:
    operator = await own_api.session(Role.OPERATOR)
    newest = [await reject(own_api) for _ in range(3)][-1]
    await reject(own_api, "not_hosted", None, device="other-dev")
    await own_api.database.execute(
        "INSERT INTO rejection_floods VALUES ('air-1-dev', date_trunc('hour', $1::timestamptz), 'malformed', 900)",
        NOW - HOUR,
    )
    counts = await own_api.read(f"{PATH}/counts", operator)
    first, second = counts["groups"]
    assert (first["reason"], first["device"], first["channel"]) == (
        "unknown_channel",
        "air-1-dev",
        "PM25",
    )
    assert (first["open"], first["refused"], first["newest_id"]) == (3, 3, newest)
    assert second["device"] == "other-dev"
    assert counts["floods"] == [
        {"publisher": "air-1-dev", "reason": "malformed", "refused": 900}
    ]
    narrowed = await own_api.read(f"{PATH}/counts", operator, device="other-dev")
    assert [group["reason"] for group in narrowed["groups"]] == ["not_hosted"]


async def test_an_unknown_channel_gets_its_meaning_and_is_read_again(
    own_api: CityApi,
) -> None:
    engineer = await own_api.session(Role.ENGINEER, user="ann")
    rejected_id = await reject(own_api)
    remedy = await own_api.read(f"{PATH}/{rejected_id}/remedy", engineer)
    assert remedy["kind"] == "channel"
    channel = remedy["facts"]["channels"][0]
    path = f"{PATH}/{rejected_id}/remedy"
    assert (await post(own_api, path, engineer))[0] == 422
    assert (await post(own_api, path, engineer, channel="nonsense"))[0] == 409
    status, mended = await post(own_api, path, engineer, channel=channel)
    assert (status, mended["kind"]) == (200, "channel")
    assert (
        await own_api.database.fetchval("SELECT channel FROM channel_aliases")
        == channel
    )
    status, replay = await post(
        own_api, "/api/v1/replays", engineer, **mended["replay"]
    )
    assert (status, replay["asked_by"], replay["finished_at"]) == (202, "ann", None)
    found = await own_api.read(f"/api/v1/replays/{replay['replay_id']}", engineer)
    assert found == replay
    status, _ = await post(own_api, "/api/v1/replays", engineer, ids=[10**9])
    assert status == 409
    assert (await post(own_api, "/api/v1/replays", engineer))[0] == 422


async def test_a_hard_range_is_widened_and_never_narrowed(own_api: CityApi) -> None:
    engineer = await own_api.session(Role.ENGINEER)
    channel, high = await own_api.database.fetchrow(
        """
        SELECT channel, hard_max FROM devices JOIN device_type_channels USING (device_type_id)
        JOIN observed_properties USING (observed_property_id) WHERE devices.key = 'air-1-dev' AND hard_max IS NOT NULL
        """
    )
    path = f"{PATH}/{await reject(own_api, 'range', channel)}/remedy"
    assert (await post(own_api, path, engineer, high=high - 1))[0] == 409
    assert (await post(own_api, path, engineer, high=high * 2))[0] == 200
    remedy = await own_api.read(path, engineer)
    assert remedy["facts"]["hard_max"] == high * 2


async def test_devices_are_registered_and_tied_to_their_gateway(
    own_api: CityApi,
) -> None:
    engineer = await own_api.session(Role.ENGINEER)
    gateway = f"gateway-{SECRET}"
    unknown = await reject(own_api, "unknown_device", None, gateway, "air-9-dev")
    row = await own_api.database.fetchrow(
        "SELECT y.key FROM devices d JOIN device_types y USING (device_type_id) WHERE d.key = 'air-1-dev'"
    )
    wanted = {"device_type": row["key"], "thing": "nowhere"}
    path = f"{PATH}/{unknown}/remedy"
    status, problem = await post(own_api, path, engineer, **wanted)
    assert (status, "nowhere" in problem["detail"]) == (409, True)
    foreign = await reject(own_api, "not_hosted", None, gateway, "air-1-dev")
    status, mended = await post(own_api, f"{PATH}/{foreign}/remedy", engineer, tie=True)
    assert (status, mended["kind"]) == (200, "host")
    assert mended["replay"] == {"reasons": ["not_hosted"], "devices": ["air-1-dev"]}


async def test_only_engineers_of_the_whole_city_mend(own_api: CityApi) -> None:
    mine = await reject(own_api)
    other = await reject(own_api, publisher="unknown-dev")
    operator = await own_api.session(Role.OPERATOR)
    limited = await own_api.session(Role.ENGINEER, domains=["environment"])
    path = f"{PATH}/{mine}/remedy"
    for session in (operator, limited):
        assert (await post(own_api, path, session, channel="pm2_5"))[0] == 403
    assert (await post(own_api, "/api/v1/replays", operator, ids=[mine]))[0] == 403
    status, replay = await post(own_api, "/api/v1/replays", limited, ids=[mine, other])
    assert (status, replay["chosen"]["publishers"]) == (202, ["air-1-dev"])
    assert (await post(own_api, "/api/v1/replays", limited, ids=[other]))[0] == 409
    dismissal = {"reasons": ["unknown_channel"], "note": "a test rig"}
    status, done = await post(own_api, f"{PATH}/dismissals", limited, **dismissal)
    assert (status, done) == (200, {"dismissed": 1})
    found = await own_api.read(f"{PATH}/{mine}", operator)
    assert (found["state"], found["note"]) == ("dismissed", "a test rig")
