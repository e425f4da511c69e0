"""Alerts: the list, the inbox, the journal, and an operator's word."""

import pytest

from services.api.auth.permissions import Role
from services.core.alerting.alert import AlertState, Severity
from tests.integration.api.alerts import move, subject, whole_city
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import MINUTE, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_an_alert_says_what_where_why_and_what_to_do(api: CityApi) -> None:
    about = await subject(api.database, "air-1", "air-1.pm25")
    alert_id = await move(api.database, about)
    alert = await api.read(f"/api/v1/alerts/{alert_id}", await api.session(), lang="kk")
    assert alert == {
        "alert_id": alert_id,
        "fingerprint": about.fingerprint,
        "version": 1,
        "state": "firing",
        "severity": "high",
        "class": "process",
        "rule": "too-high",
        "labels": {"rule": "too-high", "thing": "air-1"},
        "domain": "environment",
        "district": "gate",
        "thing": "air-1",
        "datastream": "air-1.pm25",
        "value": 7.5,
        "cause": "қаз",
        "consequence": "қаз",
        "action": "қаз",
        "respond_within": "PT15M",
        "starts_at": "2026-11-22T04:00:00.000Z",
        "detected_at": "2026-11-22T04:00:00.000Z",
        "ends_at": None,
        "acknowledged": None,
        "in_inbox": True,
        "updated_at": "2026-11-22T04:00:00.000Z",
    }


async def test_an_acknowledgement_names_the_version_it_saw(api: CityApi) -> None:
    about = await subject(api.database, "air-1")
    alert_id = await move(api.database, about)
    operator = await api.session(Role.OPERATOR, user="dana")
    path = f"/api/v1/alerts/{alert_id}"
    word = {"version": 1, "note": "Crew is on its way."}
    answer = await api.web.post(f"{path}/acknowledge", json=word, headers=operator)
    assert answer.status_code == 200
    assert answer.json()["version"] == 2
    assert answer.json()["acknowledged"] == {
        "at": "2026-11-22T04:00:00.000Z",
        "by": "dana",
        "version": 1,
        "note": "Crew is on its way.",
    }
    assert (await api.read(path, operator))["acknowledged"]["by"] == "dana"
    again = await api.web.post(f"{path}/acknowledge", json=word, headers=operator)
    assert (again.status_code, again.json()["version"]) == (200, 2)
    journal = (await api.read(f"{path}/journal", operator))["items"]
    assert [(e["action"], e["actor"], e["version"]) for e in journal] == [
        ("firing", "rule:too-high", 1),
        ("acknowledged", "dana", 2),
    ]
    assert journal[1]["note"] == "Crew is on its way."


async def test_an_outdated_acknowledgement_is_refused_with_the_current_version(
    api: CityApi,
) -> None:
    about = await subject(api.database, "air-1")
    alert_id = await move(api.database, about)
    await move(api.database, about, severity=Severity.CRITICAL, at=NOW + MINUTE)
    answer = await api.web.post(
        f"/api/v1/alerts/{alert_id}/acknowledge",
        json={"version": 1},
        headers=await api.session(),
    )
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "/problems/outdated-version"
    assert (problem["current_version"], problem["current_state"]) == (2, "firing")


async def test_what_another_has_acknowledged_is_a_conflict(api: CityApi) -> None:
    alert_id = await move(api.database, await subject(api.database, "air-1"))
    path = f"/api/v1/alerts/{alert_id}/acknowledge"
    first = await api.session(user="first")
    await api.web.post(path, json={"version": 1}, headers=first)
    answer = await api.web.post(path, json={"version": 2}, headers=await api.session())
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/conflict"
    assert answer.json()["acknowledged_by"] == "first"


async def test_a_pending_alert_cannot_be_acknowledged(api: CityApi) -> None:
    about = await subject(api.database, "air-1")
    alert_id = await move(api.database, about, AlertState.PENDING)
    answer = await api.web.post(
        f"/api/v1/alerts/{alert_id}/acknowledge",
        json={"version": 1},
        headers=await api.session(),
    )
    assert answer.status_code == 409


async def test_a_viewer_may_not_acknowledge(api: CityApi) -> None:
    alert_id = await move(api.database, await subject(api.database, "air-1"))
    answer = await api.web.post(
        f"/api/v1/alerts/{alert_id}/acknowledge",
        json={"version": 1},
        headers=await api.session(Role.VIEWER),
    )
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]


async def test_the_inbox_holds_what_resolved_before_anybody_looked(
    api: CityApi,
) -> None:
    admin = await api.session()
    about = await subject(api.database, "air-1")
    alert_id = await move(api.database, about)
    await move(api.database, about, AlertState.RESOLVED, at=NOW + MINUTE)
    pending = await subject(api.database, "feeder")
    await move(api.database, pending, AlertState.PENDING)
    inbox = await api.read("/api/v1/alerts", admin, inbox=True)
    assert [alert["alert_id"] for alert in inbox["items"]] == [alert_id]
    await api.web.post(
        f"/api/v1/alerts/{alert_id}/acknowledge", json={"version": 2}, headers=admin
    )
    assert (await api.read("/api/v1/alerts", admin, inbox=True))["items"] == []
    assert len((await api.read("/api/v1/alerts", admin))["items"]) == 2


async def test_alerts_are_filtered_and_paged_newest_first(api: CityApi) -> None:
    admin = await api.session()
    ids = [
        await move(api.database, await subject(api.database, thing), severity=severity)
        for thing, severity in (
            ("air-1", Severity.LOW),
            ("feeder", Severity.HIGH),
            (f"pump-{SECRET}", Severity.HIGH),
        )
    ]

    async def found(**query: object) -> list[int]:
        page = await api.read("/api/v1/alerts", admin, **query)
        return [alert["alert_id"] for alert in page["items"]]

    assert await found() == ids[::-1]
    assert await found(severity="high", domain="power") == [ids[1]]
    assert await found(district="golden") == [ids[2]]
    assert await found(thing="air-1") == [ids[0]]
    assert await found(rule="none") == []
    assert await found(state=["resolved", "pending"]) == []
    assert await found(**{"class": "equipment"}) == []
    pages = await api.pages("/api/v1/alerts", admin, limit=2)
    assert [len(page["items"]) for page in pages] == [2, 1]


async def test_alerts_outside_the_scope_do_not_exist(api: CityApi) -> None:
    mine = await move(api.database, await subject(api.database, f"pump-{SECRET}"))
    other = await move(api.database, await subject(api.database, "air-1"))
    city_wide = await move(api.database, whole_city())
    operator = await api.session(Role.OPERATOR, districts=["golden"])
    page = await api.read("/api/v1/alerts", operator)
    assert [alert["alert_id"] for alert in page["items"]] == [mine]
    for hidden in (other, city_wide):
        path = f"/api/v1/alerts/{hidden}"
        assert (await api.get(path, operator)).status_code == 404
        assert (await api.get(f"{path}/journal", operator)).status_code == 404
        answer = await api.web.post(
            f"{path}/acknowledge", json={"version": 1}, headers=operator
        )
        assert answer.status_code == 404
    assert (
        await api.get(f"/api/v1/alerts/{city_wide}", await api.session())
    ).status_code == 200


async def test_alerts_about_a_household_are_not_for_viewers(api: CityApi) -> None:
    house = f"house-{SECRET}"
    about = await subject(api.database, house, f"{house}.energy")
    alert_id = await move(api.database, about)
    viewer, operator = await api.session(Role.VIEWER), await api.session(Role.OPERATOR)
    assert (await api.read("/api/v1/alerts", viewer))["items"] == []
    assert (await api.get(f"/api/v1/alerts/{alert_id}", viewer)).status_code == 404
    assert len((await api.read("/api/v1/alerts", operator))["items"]) == 1


async def test_the_rulebook_is_shown_whole(api: CityApi) -> None:
    await api.database.execute(
        """
        INSERT INTO rules (key, version, document, enabled, retired_at, revision) VALUES
        ('burst', 2, '{"severity": "high"}', true, NULL, 1), ('old', 1, '{}', true, now(), 1)
        """
    )
    admin = await api.session()
    rules = await api.read("/api/v1/rules", admin)
    assert [rule["key"] for rule in rules["items"]] == ["burst"]
    assert (await api.read("/api/v1/rules/burst", admin))["document"] == {
        "severity": "high"
    }
    assert len((await api.read("/api/v1/rules", admin, retired=True))["items"]) == 2
    assert (await api.get("/api/v1/rules/none", admin)).status_code == 404
