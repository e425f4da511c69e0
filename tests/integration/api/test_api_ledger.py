"""The ledger by publisher, and the gaps."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import NOW

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def fill(api: CityApi) -> None:
    """air-1-dev numbers and misses; the gateway's account does not add up; somebody is unknown."""
    await api.database.execute(
        """
        INSERT INTO publisher_totals
        SELECT device_id, 10, CASE WHEN key = 'air-1-dev' THEN 10 ELSE 9 END, 0, 0, 0, 0, $1
        FROM devices WHERE publishes ORDER BY key LIMIT 2
        """,
        NOW,
    )
    await api.database.execute(
        "INSERT INTO publisher_totals VALUES (0, 3, 0, 0, 0, 3, 0, $1)", NOW
    )
    await api.database.execute(
        """
        INSERT INTO publisher_sequences
        SELECT device_id, 7, 1, '[[1, 4], [7, 9]]', $1, 1, 9, 6, 2, 1 FROM devices WHERE key = 'air-1-dev'
        """,
        NOW,
    )
    await api.database.execute(
        """
        INSERT INTO gaps SELECT device_id, 7, first, last, lost, $1::timestamptz, CASE WHEN closed THEN $1::timestamptz END FROM devices,
        (VALUES (2, 2, true, false), (5, 6, false, false), (8, 8, false, true)) AS g (first, last, lost, closed)
        WHERE key = 'air-1-dev'
        """,
        NOW,
    )


async def test_publishers_are_listed_with_what_they_miss(api: CityApi) -> None:
    await fill(api)
    viewer = await api.session(Role.VIEWER)
    everyone = (await api.read("/api/v1/ledger/publishers", viewer))["items"]
    assert everyone[0]["device"] is None
    assert len(everyone) == 3
    pages = await api.pages("/api/v1/ledger/publishers", viewer, limit=1)
    assert [page["items"][0] for page in pages] == everyone
    [missing] = (await api.read("/api/v1/ledger/publishers", viewer, with_gaps=True))[
        "items"
    ]
    assert missing["device"] == "air-1-dev"
    assert missing["messages"] == {
        "numbers": 9, "messages": 6, "missing": 2, "lost": 1,
    }  # fmt: skip
    assert (missing["gaps"], missing["balanced"]) == (1, True)
    [wrong] = (await api.read("/api/v1/ledger/publishers", viewer, unbalanced=True))[
        "items"
    ]
    assert not wrong["balanced"]
    balance = await api.read("/api/v1/ledger/balance", viewer)
    assert not balance["balanced"]
    assert balance["violations"] == [
        {"device": wrong["device"], "epoch": None, "what": "fates", "difference": 1}
    ]
    assert balance["total"]["received"] == 23
    whole = await api.read("/api/v1/ledger", viewer)
    assert {key: whole[key] for key in balance} == balance


async def test_gaps_are_listed_by_publisher_and_state(api: CityApi) -> None:
    await fill(api)
    viewer = await api.session(Role.VIEWER)
    pages = await api.pages("/api/v1/gaps", viewer, limit=1)
    told = [(gap["from_seq"], gap["state"]) for page in pages for gap in page["items"]]
    assert told == [(2, "lost"), (5, "open"), (8, "closed")]
    still = await api.read("/api/v1/gaps", viewer, state=["open"], device=["air-1-dev"])
    assert [gap["to_seq"] for gap in still["items"]] == [6]
    assert still["items"][0]["recorded_at"] == "2026-11-22T04:00:00.000Z"
    none = await api.read("/api/v1/gaps", viewer, device=["nobody"])
    assert none["items"] == []


@pytest.mark.parametrize("path", ["ledger/balance", "ledger/publishers", "gaps"])
async def test_they_are_about_the_whole_city(api: CityApi, path: str) -> None:
    limited = await api.session(Role.ADMIN, domains=["water"])
    assert (await api.get(f"/api/v1/{path}", limited)).status_code == 403
