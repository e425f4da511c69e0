"""The map: everything the API knows is on it, it lives, and it shows what is wrong where."""

import pytest
from playwright.async_api import expect

from tests.browser.console_page import Console
from tests.browser.live_city import CRITICAL, FINE, HIGH, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

WITHOUT_WEBGL = """
HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, {
  apply: (get, canvas, [kind, ...more]) => kind.startsWith("webgl") ? null : Reflect.apply(get, canvas, [kind, ...more]),
});
"""


async def test_all_districts_and_assets_are_drawn(
    console: Console, city: LiveCity
) -> None:
    districts = (await city.ask("/districts"))["items"]
    things = await city.all_of("/things")
    await console.enter()
    await console.map_is_drawn()
    drawn = console.part("map")
    await expect(drawn).to_have_attribute("data-districts", str(len(districts)))
    await expect(drawn).to_have_attribute("data-assets", str(len(things)))


async def test_a_value_changes_on_the_card_by_itself(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await console.enter(f"/?thing={main}")
    await console.mark_document()
    value = console.part("map-asset-card").locator(
        f'[data-testid="asset-value"][data-datastream="{main}.pressure"]'
    )
    await expect(value).to_have_text("6 bar")
    await city.report_pressure(main, FINE + 0.25)
    await expect(value).to_have_text("6.25 bar")
    await city.report_pressure(main, FINE + 0.5)
    await expect(value).to_have_text("6.5 bar")
    assert await console.was_not_reloaded()


async def test_an_alert_is_marked_on_the_map_while_it_lasts(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await console.enter()
    await console.map_is_drawn()
    await console.mark_document()
    mark = console.part("map-alerts").locator(f'[data-thing="{main}"]')
    await city.report_pressure(main, HIGH)
    await expect(mark).to_have_attribute("data-severity", "high")
    await expect(console.part("announcement")).to_be_visible()
    alert = await city.alert_of(main)
    wanted = console.part("map-attention", alert_id=alert["alert_id"])
    await expect(wanted).to_be_visible()
    await city.report_pressure(main, CRITICAL)
    await expect(mark).to_have_attribute("data-severity", "critical")
    await city.report_pressure(main, FINE)
    await city.acknowledge(await city.alert_of(main, "resolved"))
    await expect(mark).to_have_count(0)
    await expect(wanted).to_have_count(0)
    assert await console.was_not_reloaded()


async def test_what_wants_attention_leads_to_its_card(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await city.report_pressure(main, HIGH)
    alert = await city.alert_of(main)
    await console.enter()
    await console.part("map-attention", alert_id=alert["alert_id"]).click()
    await expect(console.part("map-asset-card", thing=main)).to_be_visible()
    assert await console.address() == f"/?thing={main}"


async def test_without_webgl_the_list_still_works(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await console.page.add_init_script(WITHOUT_WEBGL)
    await console.enter(f"/?thing={main}")
    await expect(console.part("no-webgl")).to_be_visible()
    await expect(console.part("map-asset-card", thing=main)).to_be_visible()
