"""Addresses: they can be shared, the back button works, and a wrong one says so."""

import pytest
from playwright.async_api import expect

from tests.browser.console_page import Console
from tests.browser.inspection import accessibility_violations
from tests.browser.live_city import FINE, HIGH, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

NOT_FOUND = r"status of 404"


async def test_links_lead_to_one_thing_and_one_alert(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await city.report_pressure(main, HIGH)
    alert = (await city.alert_of(main))["alert_id"]
    await console.enter(f"/?thing={main}")
    await expect(console.part("map-asset-card", thing=main)).to_be_visible()
    await console.enter(f"/alerts/{alert}")
    await expect(console.part("alert-detail", alert_id=alert)).to_be_visible()
    await console.enter(f"/assets/{main}")
    value = console.part("asset-value", datastream=f"{main}.pressure")
    await expect(value).to_be_visible()
    await console.page.reload()
    await expect(value).to_be_visible()
    assert await console.address() == f"/assets/{main}"


async def test_back_and_forward(console: Console) -> None:
    await console.enter("/about")
    for name, path in (("Alerts", "/alerts"), ("Assets", "/assets"), ("Map", "/")):
        await console.page.locator("nav").get_by_role("link", name=name).click()
        assert await console.address() == path
    await console.mark_document()
    for path, go in (
        ("/assets", console.page.go_back),
        ("/alerts", console.page.go_back),
        ("/assets", console.page.go_forward),
    ):
        await go()
        assert await console.address() == path
    here = console.page.locator("nav").get_by_role("link", name="Assets")
    await expect(here).to_have_attribute("aria-current", "page")
    assert await console.was_not_reloaded()


async def test_an_address_of_nothing(console: Console) -> None:
    """The server says it, in its own words; nobody need be logged in for that."""
    console.guard.expect(NOT_FOUND)
    await console.open("/no/such/page")
    await expect(console.page.locator("h1")).to_be_visible()
    assert await accessibility_violations(console.page) == []
    await console.page.locator('a[href="/"]').first.click()
    await expect(console.page.get_by_role("button", name="Log in")).to_be_visible()


@pytest.mark.parametrize("path", ["/?thing=no-such-thing", "/assets/no-such-thing"])
async def test_a_thing_that_there_is_not(console: Console, path: str) -> None:
    console.guard.expect(NOT_FOUND)
    await console.enter(path)
    await expect(console.page.locator("main")).to_contain_text("no-such-thing")
