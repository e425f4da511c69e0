"""Coming in, and going out."""

import pytest
from playwright.async_api import expect

from tests.browser.console_page import Console
from tests.browser.live_city import OPERATOR, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

UNAUTHORISED = r"status of 401.*/api/v1/"


async def log_in(console: Console, password: str) -> None:
    await console.page.get_by_label("Name").fill(OPERATOR)
    await console.page.get_by_label("Password").fill(password)
    await console.page.get_by_role("button", name="Log in").click()


async def test_a_wrong_password_is_told(console: Console) -> None:
    console.guard.expect(UNAUTHORISED)
    await console.open()
    await log_in(console, "not the password")
    told = console.page.get_by_role("alert")
    await expect(told).to_have_text("The name or the password is wrong.")
    await expect(console.page.get_by_label("Password")).to_have_value("")
    await expect(console.page.get_by_label("Name")).to_have_value(OPERATOR)


async def test_the_right_one_leads_to_the_map(console: Console, city: LiveCity) -> None:
    await console.open()
    await log_in(console, city.password)
    await console.is_live()
    await console.map_is_drawn()


async def test_the_right_one_leads_to_what_was_asked_for(
    console: Console, city: LiveCity
) -> None:
    await console.open("/about")
    await log_in(console, city.password)
    await console.is_live()
    assert await console.address() == "/about"


async def test_a_sign_in_link_signs_in_and_leaves_no_token_in_the_address(
    console: Console,
) -> None:
    await console.enter("/assets")
    assert await console.address() == "/assets"
    await console.page.go_back()
    assert console.token not in console.page.url


async def test_the_token_goes_to_no_address_that_is_sent(console: Console) -> None:
    await console.enter()
    await console.map_is_drawn()
    assert [url for url in console.guard.requests if console.token in url] == []


async def test_the_session_outlives_a_reload_but_not_the_tab(
    console: Console, open_console: Console
) -> None:
    await console.enter("/about")
    await console.page.reload()
    await console.is_live()
    other = await console.page.context.new_page()
    await other.goto(console.guard.origin)
    await expect(other.get_by_role("button", name="Log in")).to_be_visible()


async def test_an_ended_session_is_said(console: Console, city: LiveCity) -> None:
    console.token = await city.log_in()
    console.guard.expect(UNAUTHORISED)
    await console.enter("/about")
    await city.web.post(
        f"{city.url}/api/v1/logout",
        headers={"Authorization": f"Bearer {console.token}"},
    )
    told = console.page.get_by_role("alert")
    await expect(told).to_have_text("The session has ended. Log in again.")
    await log_in(console, city.password)
    await console.is_live()


async def test_logging_out_ends_the_session(console: Console, city: LiveCity) -> None:
    console.token = await city.log_in()
    await console.enter("/about")
    await console.page.get_by_role("button", name="Log out").click()
    await expect(console.page.get_by_role("button", name="Log in")).to_be_visible()
    answer = await city.web.get(
        f"{city.url}/api/v1/city", headers={"Authorization": f"Bearer {console.token}"}
    )
    assert answer.status_code == 401
