"""Kazakh, Russian and English: the browser's first, then whatever the operator chose; every text: test_gallery."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_page import LANGUAGES, Console, Language, Look
from tests.browser.live_city import LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

ALERTS = {"kk": "Дабылдар", "ru": "Тревоги", "en": "Alerts"}
PRESSURE = {"kk": "6,25 бар", "ru": "6,25 бар", "en": "6.25 bar"}


async def speaks(console: Console, language: Language) -> None:
    await expect(console.page.locator("html")).to_have_attribute("lang", language)
    await expect(console.page.locator("nav")).to_contain_text(ALERTS[language])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_begins_in_the_browsers_language(
    language: Language, open_console: OpenConsole
) -> None:
    console = await open_console(Look(language=language))
    await console.enter("/about")
    await speaks(console, language)


async def test_a_choice_changes_words_numbers_and_units_and_is_remembered(
    console: Console, city: LiveCity
) -> None:
    main = city.unused_main()
    await city.report_pressure(main, 6.25)
    await console.enter(f"/assets/{main}")
    await console.mark_document()
    value = console.part("asset-value", datastream=f"{main}.pressure")
    for language in LANGUAGES:
        await console.choose_language(language)
        await speaks(console, language)
        await expect(value).to_have_text(PRESSURE[language])
    assert await console.was_not_reloaded()
    await console.choose_language("kk")
    await console.page.reload()
    await speaks(console, "kk")
