"""Everything can be done without a pointer."""

import pytest
from playwright.async_api import expect

from tests.browser.console_page import Console
from tests.browser.live_city import FINE, HIGH, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

MOST_STOPS = 60
# What has the focus: what it is, whether it can be seen, whether one can see that it has the focus.
FOCUS = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { width, height, left, top } = element.getBoundingClientRect();
  element.dataset.stop ??= String(document.querySelectorAll("[data-stop]").length);
  return {
    name: `${element.localName} ${element.dataset.stop} “${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40)}”`,
    seen: width > 1 && height > 1 && left + width > 0 && top + height > 0 && left < innerWidth && top < innerHeight,
    marked: getComputedStyle(element).outlineStyle !== "none",
  };
}
"""


async def press(console: Console, *keys: str) -> None:
    for key in keys:
        await console.page.keyboard.press(key)


async def has_focus(console: Console, selector: str) -> bool:
    return bool(
        await console.page.evaluate(
            "(selector) => document.activeElement?.matches(selector)", selector
        )
    )


async def tab_to(console: Console, selector: str) -> None:
    for _ in range(MOST_STOPS):
        await press(console, "Tab")
        if await has_focus(console, selector):
            return
    pytest.fail(f"{MOST_STOPS} times Tab do not lead to {selector}")


async def test_the_first_stop_leads_past_the_header(console: Console) -> None:
    await console.enter("/alerts")
    await press(console, "Tab")
    skip = console.page.get_by_role("link", name="Skip to content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await press(console, "Enter")
    await expect(console.page.locator("main")).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/alerts", "/assets", "/about"])
async def test_every_stop_can_be_seen_and_none_holds_the_focus(
    console: Console, path: str
) -> None:
    await console.enter(path)
    names: list[str] = []
    for _ in range(MOST_STOPS):
        await press(console, "Tab")
        stop = await console.page.evaluate(FOCUS)
        if stop is None:
            break
        assert stop["seen"], f"the focus is out of sight: {stop['name']}"
        assert stop["marked"], f"nobody sees that it has the focus: {stop['name']}"
        names.append(stop["name"])
    assert len(set(names)) == len(names), f"the focus comes back: {names}"
    assert len(names) > 5


async def test_an_alert_is_opened_acknowledged_and_left(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await city.report_pressure(main, HIGH)
    alert = await city.alert_of(main)
    row = f'[data-row="{alert["alert_id"]}"]'
    await console.enter("/alerts")
    await expect(console.alert_row(alert["alert_id"])).to_be_visible()
    await tab_to(console, "[data-row]")
    for _ in range(await console.part("alert-row").count()):
        if await has_focus(console, row):
            break
        await press(console, "ArrowDown")
    await press(console, "Enter")
    await expect(console.part("alert-detail").locator("h1")).to_be_focused()
    await tab_to(console, "[data-testid=acknowledge]")
    await press(console, "Enter")
    await expect(console.alert_row(alert["alert_id"])).to_have_attribute(
        "data-acknowledged", "true"
    )
    await expect(console.part("alert-detail").locator("h1")).to_be_focused()
    await press(console, "Escape")
    await expect(console.page.locator(row)).to_be_focused()
    assert await console.address() == "/alerts"


async def test_an_asset_is_found_on_the_map(console: Console) -> None:
    station = "air-growing-3"
    await console.enter()
    await console.map_is_drawn()
    await tab_to(console, "#map-search")
    await console.page.keyboard.type(station)
    await expect(
        console.page.locator("#map-found [role=option]").first
    ).to_contain_text(station)
    await press(console, "Enter")
    await expect(console.part("map-asset-card", thing=station)).to_be_visible()
    await press(console, "Escape")
    await expect(console.part("map-asset-card")).to_have_count(0)
