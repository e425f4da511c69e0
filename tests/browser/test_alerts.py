"""Alerts as an operator meets them: they come, are acknowledged, worsen, end; nothing is loaded anew."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Route, expect

from tests.browser.console_page import Console
from tests.browser.live_city import CRITICAL, FINE, HIGH, OPERATOR, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

CAUSE = "Pressure in the main has fallen far below its working value"
CONFLICT = r"status of 409.*/acknowledge"


async def says(row: Locator, **attributes: str) -> None:
    for name, value in attributes.items():
        await expect(row).to_have_attribute(f"data-{name}", value)


async def burst(city: LiveCity, bar: float = HIGH) -> dict[str, Any]:
    """A new firing alert of a main that no other test knows."""
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await city.report_pressure(main, bar)
    return await city.alert_of(main)


async def test_it_appears_by_itself(console: Console, city: LiveCity) -> None:
    await console.enter("/assets")
    await console.mark_document()
    alert = await burst(city)
    announcement = console.part("announcement")
    await expect(announcement).to_contain_text(CAUSE)
    await expect(announcement.get_by_role("img", name="High")).to_be_visible()
    await expect(console.part("inbox-count")).to_be_visible()
    await announcement.get_by_role("link").click()
    assert await console.address() == f"/alerts/{alert['alert_id']}"
    await says(
        console.alert_row(alert["alert_id"]),
        state="firing",
        severity="high",
        acknowledged="false",
    )
    await expect(console.part("alert-detail")).to_contain_text(
        "send the emergency crew"
    )
    assert await console.was_not_reloaded()


async def test_the_things_page_begins_with_the_chart_of_what_it_is_about(
    console: Console, city: LiveCity
) -> None:
    alert = await burst(city)
    await console.enter("/alerts")
    await expect(console.alert_row(alert["alert_id"])).to_be_visible()
    await console.go(f"/assets/{alert['thing']}")
    row = console.page.locator("tr").filter(
        has=console.part("asset-value", datastream=alert["datastream"])
    )
    await expect(row.get_by_role("checkbox")).to_be_checked()


async def test_it_is_acknowledged_and_everybody_knows(
    console: Console, open_console: Callable[[], Awaitable[Console]], city: LiveCity
) -> None:
    alert = await burst(city)
    elsewhere = await open_console()
    await elsewhere.enter("/alerts")
    await console.enter(f"/alerts/{alert['alert_id']}")
    await console.page.get_by_label("Note").fill("The crew is on its way")
    await console.part("acknowledge").click()
    await expect(console.part("alert-detail")).to_contain_text("The crew is on its way")
    for screen in (console, elsewhere):
        await says(screen.alert_row(alert["alert_id"]), acknowledged="true")
    told = await city.ask(f"/alerts/{alert['alert_id']}")
    assert told["acknowledged"]["by"] == OPERATOR
    assert told["acknowledged"]["note"] == "The crew is on its way"


async def test_resolved_before_anybody_saw_it_it_stays_until_it_is_acknowledged(
    console: Console, city: LiveCity
) -> None:
    alert = await burst(city)
    row = console.alert_row(alert["alert_id"])
    await console.enter("/alerts")
    await says(row, state="firing")
    await city.report_pressure(alert["thing"], FINE)
    await says(row, state="resolved", acknowledged="false")
    await console.page.reload()
    await says(row, state="resolved", acknowledged="false")
    await row.get_by_role("link").click()
    await console.part("acknowledge").click()
    await expect(row).to_have_count(0)


async def test_acknowledged_it_goes_when_it_resolves(
    console: Console, city: LiveCity
) -> None:
    alert = await burst(city)
    row = console.alert_row(alert["alert_id"])
    await console.enter("/alerts")
    await city.acknowledge(alert)
    await says(row, acknowledged="true", state="firing")
    await city.report_pressure(alert["thing"], FINE)
    await expect(row).to_have_count(0)


async def test_when_it_worsens_it_wants_to_be_acknowledged_again(
    console: Console, city: LiveCity
) -> None:
    alert = await burst(city)
    row = console.alert_row(alert["alert_id"])
    await console.enter(f"/alerts/{alert['alert_id']}")
    await console.part("acknowledge").click()
    await says(row, acknowledged="true", severity="high")
    await city.report_pressure(alert["thing"], CRITICAL)
    await says(row, acknowledged="false", severity="critical")
    await expect(console.part("acknowledge")).to_be_enabled()


async def test_what_was_acknowledged_had_just_changed(
    console: Console, city: LiveCity
) -> None:
    """It worsens while the word is on its way: the server refuses, and the operator sees why and decides anew."""
    console.guard.expect(CONFLICT)
    alert = await burst(city)
    path = f"/alerts/{alert['alert_id']}"

    async def overtaken(route: Route) -> None:
        await city.report_pressure(alert["thing"], CRITICAL)
        await city.eventually("it is critical", lambda: is_critical(city, path))
        await route.continue_()

    await console.enter(path)
    await console.page.route("**/acknowledge", overtaken, times=1)
    await console.part("acknowledge").click()
    outcome = console.part("acknowledge-outcome")
    await expect(outcome).to_have_attribute("data-outcome", "changed")
    await expect(outcome).to_contain_text("Critical")
    assert (await city.ask(path))["acknowledged"] is None
    await console.part("acknowledge").click()
    await says(console.alert_row(alert["alert_id"]), acknowledged="true")


async def is_critical(city: LiveCity, path: str) -> bool:
    return bool((await city.ask(path))["severity"] == "critical")


async def test_the_worst_and_newest_come_first(
    console: Console, city: LiveCity
) -> None:
    high, critical, newer = await burst(city), await burst(city, CRITICAL), await burst(city)  # fmt: skip
    await console.enter("/alerts")
    await expect(console.alert_row(newer["alert_id"])).to_be_visible()
    rows = await console.part("alert-row").all()
    order = [int(await row.get_attribute("data-alert-id") or 0) for row in rows]
    ours = [one["alert_id"] for one in (critical, newer, high)]
    assert [one for one in order if one in ours] == ours


async def test_an_alert_that_there_is_not(console: Console) -> None:
    console.guard.expect(r"status of 404.*/api/v1/alerts/")
    await console.enter("/alerts/999999999")
    await expect(console.part("alert-detail").get_by_role("heading")).to_have_text(
        "There is no such alert"
    )
