"""Rejected messages and the ledger."""

import datetime as dt

import numpy as np
import pytest

from services.api.auth.permissions import Role
from services.core.storage.log_batch import Accounts, ObservationBatch, encode
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import HOUR, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/api/v1/rejected-messages"


async def reject(
    api: CityApi,
    publisher: str = "air-1-dev",
    reason: str = "range",
    at: dt.datetime = NOW - HOUR,
    payload: bytes | None = b'{"values": \xff}',
) -> int:
    rejected_id: int = await api.database.fetchval(
        """
        INSERT INTO rejected_messages (received_at, scope, reason, detail, topic, publisher, payload)
        VALUES ($1, 'message', $2, 'no', 'city/v1/' || $3 || '/data', $3, $4) RETURNING rejected_id
        """,
        at,
        reason,
        publisher,
        payload,
    )
    return rejected_id


async def test_refusals_are_listed_newest_first_and_filtered(api: CityApi) -> None:
    admin = await api.session()
    first = await reject(api)
    second = await reject(api, reason="malformed")
    third = await reject(api, publisher="unknown-dev", reason="unknown_device")
    old = await reject(api, at=NOW - 48 * HOUR)

    async def found(**query: object) -> list[int]:
        page = await api.read(PATH, admin, **query)
        return [item["rejected_id"] for item in page["items"]]

    assert await found() == [third, second, first]
    assert await found(reason="malformed") == [second]
    assert await found(publisher="unknown-dev") == [third]
    assert await found(scope="value") == []
    assert await found(start=(NOW - 49 * HOUR).isoformat()) == [
        old,
        third,
        second,
        first,
    ]
    assert await found(end=(NOW - 47 * HOUR).isoformat()) == [old]
    pages = await api.pages(PATH, admin, limit=1)
    assert [page["items"][0]["rejected_id"] for page in pages] == [third, second, first]


async def test_a_refusal_says_why_and_keeps_the_raw_bytes(api: CityApi) -> None:
    engineer = await api.session(Role.ENGINEER)
    rejected_id = await reject(api)
    found = await api.read(f"{PATH}/{rejected_id}", engineer)
    assert (found["reason"], found["topic"], found["payload_bytes"]) == (
        "range",
        "city/v1/air-1-dev/data",
        13,
    )
    answer = await api.get(f"{PATH}/{rejected_id}/payload", engineer)
    assert answer.content == b'{"values": \xff}'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_payload_is_kept_once_a_message_and_found_from_each_refusal(
    api: CityApi,
) -> None:
    engineer = await api.session(Role.ENGINEER)
    await reject(api)
    further = await reject(api, payload=None)
    answer = await api.get(f"{PATH}/{further}/payload", engineer)
    assert answer.content == b'{"values": \xff}'
    alone = await reject(api, payload=None, at=NOW - 2 * HOUR)
    assert (await api.get(f"{PATH}/{alone}/payload", engineer)).status_code == 404


async def test_refusals_are_in_the_scope_of_their_publishers_things(
    api: CityApi,
) -> None:
    mine = await reject(api)
    via_gateway = await reject(api, publisher=f"gateway-{SECRET}")
    unknown = await reject(api, publisher="unknown-dev")
    for domain, expected in (("environment", mine), ("power", via_gateway)):
        session = await api.session(Role.OPERATOR, domains=[domain])
        page = await api.read(PATH, session)
        assert [item["rejected_id"] for item in page["items"]] == [expected]
        assert (await api.get(f"{PATH}/{unknown}", session)).status_code == 404


async def test_the_ledger_is_read_with_what_history_has_not_folded(
    api: CityApi,
) -> None:
    device_id = await api.database.fetchval(
        "SELECT device_id FROM devices WHERE key = 'air-1-dev'"
    )
    accounts = Accounts(
        *(np.array([number], np.int32) for number in (device_id, 10, 6, 1, 2, 1, 3))
    )
    empty = ObservationBatch.empty()
    batch = ObservationBatch(
        empty.frame_ids,
        empty.times_ms,
        empty.flags,
        empty.offsets,
        empty.results,
        empty.quality,
        accounts,
    )
    await seed.log_body(api.database, encode(batch), NOW)
    ledger = await api.read("/api/v1/ledger", await api.session())
    expected = {
        "received": 10,
        "stored": 6,
        "merged": 1,
        "duplicate": 2,
        "rejected": 1,
        "waiting": 0,
        "rejected_values": 3,
    }
    assert ledger["total"] == expected
    assert ledger["balanced"] is True
    assert ledger["violations"] == []
    assert ledger["devices"] == [{"device": "air-1-dev", **expected, "messages": None}]


async def test_the_ledger_is_for_who_sees_the_whole_city(api: CityApi) -> None:
    limited = await api.session(Role.ADMIN, districts=["gate"])
    answer = await api.get("/api/v1/ledger", limited)
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/forbidden"
