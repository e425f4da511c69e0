"""Before there is a city: what to do next, and the city appears by itself once that is done."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.console_page import DESK, Doorway, Look
from tests.browser.empty_city import CITY, empty_city
from tests.browser.guard import Gate

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

LOOK_AGAIN_MS = 20_000
NO_CITY = r"status of 404.*/api/v1/city|status of 503.*/api/v1/"


async def test_it_says_what_to_do_and_then_shows_the_city(
    browser: Browser, gate: Gate, database_url: str
) -> None:
    async with empty_city(database_url) as empty:
        token = await empty.token_of_a_new_operator()
        doorway = Doorway(browser, gate, empty.url, token)
        async with doorway.console(Look(DESK)) as console:
            console.guard.expect(NO_CITY)
            await console.open(f"/#session={token}")
            page = console.part("empty")
            await expect(page).to_contain_text("alatau city apply")
            await console.mark_document()
            await empty.command("city", "apply", str(CITY))
            await expect(page).to_have_count(0, timeout=LOOK_AGAIN_MS)
            await console.map_is_drawn()
            assert await console.was_not_reloaded()
