"""Rejected messages and the watch of a device, as an engineer works with them."""

import asyncio
import json

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_page import DESK, PHONE, Console, Look
from tests.browser.inspection import accessibility_violations, cut_texts
from tests.browser.live_city import FINE, KILOPASCALS_A_BAR, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


async def session_of(city: LiveCity, role: str) -> str:
    """The token of a new user of this role."""
    words = ("users", "add", f"rejected-{role}", "--role", role, "--json")
    made = await asyncio.to_thread(city.installation.command, *words)
    login = {"name": words[2], "password": json.loads(made)["password"]}
    answer = await city.web.post(f"{city.url}/api/v1/login", json=login)
    return str(answer.raise_for_status().json()["token"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engineer(city: LiveCity) -> str:
    """The token of an engineer of the whole city."""
    return await session_of(city, "engineer")


async def enter_as(console: Console, token: str, path: str) -> None:
    console.token = token
    await console.enter(path)


async def test_an_unknown_channel_is_given_its_meaning_and_read_again(
    console: Console, city: LiveCity, engineer: str
) -> None:
    main = city.unrefused_main()
    await city.report(main, P_kPa=FINE * KILOPASCALS_A_BAR)
    await enter_as(console, engineer, "/rejected")
    group = console.part("rejected-group", device=main, reason="unknown_channel")
    await group.click()
    detail = console.part("rejected-detail")
    await expect(detail.locator("pre")).to_contain_text('"P_kPa": 600')
    remedy = console.part("remedy", kind="channel")
    await remedy.get_by_label("Channel").select_option("pressure")
    await remedy.get_by_role("button", name="Save").click()
    await expect(detail).to_contain_text("The registry is mended")
    await console.part("replay").click()
    await expect(console.part("outcome")).to_contain_text("Mended: 1")
    await expect(group).to_have_count(0)
    await console.go(f"/assets/{main}")
    value = console.part("asset-value", datastream=f"{main}.pressure")
    await expect(value).to_contain_text("6 bar")


async def test_a_device_is_watched_and_judged(
    console: Console, city: LiveCity, engineer: str
) -> None:
    main = city.unrefused_main()
    await enter_as(console, engineer, f"/devices/{main}/watch")
    await expect(console.part("watching")).to_have_attribute("data-alive", "true")

    async def seen() -> bool:
        await city.report(main, pressure=FINE * KILOPASCALS_A_BAR, nonsense=1.0)
        return await console.part("watched", kind="message").count() > 0

    await city.eventually("a watched message", seen)
    event = console.part("watched", kind="message").first
    await expect(event).to_contain_text("stored 1")
    await expect(event).to_contain_text("Unknown channel")
    await console.part("judge").click()
    row = console.page.locator('tr[data-check="channels"]')
    await expect(row).to_have_attribute("data-verdict", "failed")
    await expect(row).to_contain_text("nonsense")


@pytest.mark.parametrize(
    "look",
    [Look(DESK, "dark", "kk"), Look(PHONE, "light", "ru")],
    ids=str,
)
async def test_both_pages_can_be_read_by_everybody(
    open_console: OpenConsole, city: LiveCity, engineer: str, look: Look
) -> None:
    main = city.unrefused_main()
    await city.report(main, unheard_of=1.0)
    console = await open_console(look)
    await enter_as(console, engineer, "/rejected")
    await console.part("rejected-group", device=main).click()
    await expect(console.part("rejected-detail").locator("pre")).to_be_visible()
    assert await accessibility_violations(console.page) == []
    assert await cut_texts(console.page) == []
    await console.go(f"/devices/{main}/watch")
    await expect(console.part("watching")).to_have_attribute("data-alive", "true")
    await console.part("judge").click()
    await expect(console.part("conformance")).to_be_visible()
    assert await accessibility_violations(console.page) == []
    assert await cut_texts(console.page) == []


async def test_operators_see_what_was_refused_and_mend_nothing(
    console: Console, city: LiveCity
) -> None:
    main = city.unrefused_main()
    await city.report(main, unheard_of=1.0)
    await enter_as(console, await session_of(city, "operator"), "/rejected")
    await console.part("rejected-group", device=main).click()
    detail = console.part("rejected-detail")
    await expect(detail).to_contain_text("Only engineers see the raw message")
    await expect(console.part("replay")).to_have_count(0)
    await console.go(f"/devices/{main}/watch")
    await expect(console.page.locator("main")).to_contain_text("Only engineers watch")
