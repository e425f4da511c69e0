"""The ledger's page: the law as a picture, who misses what, and that it follows what arrives."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_page import DESK, PHONE, Console, Look
from tests.browser.inspection import (
    accessibility_violations,
    cut_texts,
    texts_of,
    wrong_words,
)
from tests.browser.live_city import FINE, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


def number(text: str | None) -> int:
    return int(re.sub(r"\D", "", text or ""))


async def received(console: Console) -> int:
    return number(await console.part("received").text_content())


async def test_the_law_is_shown_and_follows(
    open_console: OpenConsole, city: LiveCity
) -> None:
    console = await open_console(Look(DESK))
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await console.enter("/ledger")
    law = console.part("law")
    await expect(law).to_have_attribute("data-balanced", "true")
    fates = await console.part("fate").all_text_contents()
    assert len(fates) == 5
    before = await received(console)
    for _ in range(20):
        await city.report_pressure(main, FINE)

    async def more() -> bool:
        return await received(console) >= before + 20

    await city.eventually("twenty more items in the picture", more)
    await console.page.get_by_role("searchbox").fill(main)
    row = console.part("publisher", device=main)
    await expect(row).to_have_attribute("data-balanced", "true")
    await expect(console.part("publisher")).to_have_count(1)
    await row.get_by_role("button").click()
    await expect(console.page.locator("tr.opened")).to_be_visible()
    assert await accessibility_violations(console.page) == []


async def test_it_fits_a_phone_in_the_dark(open_console: OpenConsole) -> None:
    console = await open_console(Look(PHONE, "dark", "kk"))
    await console.enter("/")
    await console.page.locator('nav a[href="/ledger"]').click()
    await expect(console.part("law")).to_be_visible()
    await expect(console.part("publisher").first).to_be_visible()
    page = console.page
    assert await accessibility_violations(page) == []
    assert await cut_texts(page) == []
    names = await page.locator("tbody th").all_text_contents()
    known = {"Asia/Almaty", "operator", *(name.strip() for name in names)}
    assert wrong_words(await texts_of(page), "kk", known) == []
