"""A screen in a control room is open for weeks: going from view to view leaves nothing behind.

A browser has sixteen WebGL contexts and complains at the seventeenth, which the guard would see.
"""

from dataclasses import dataclass

import pytest
from playwright.async_api import CDPSession, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console_page import PHONE, Console, Look

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

FIRST_ROUNDS, ROUNDS = 2, 15
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Held:
    heap: int
    listeners: int
    nodes: int


async def held(devtools: CDPSession) -> Held:
    """What the page holds once all that it let go of has been collected."""
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
    answer = await devtools.send("Performance.getMetrics")
    figures = {one["name"]: int(one["value"]) for one in answer["metrics"]}
    return Held(
        figures["JSHeapUsedSize"], figures["JSEventListeners"], figures["Nodes"]
    )


async def go_round(console: Console, thing: str) -> None:
    await console.go("/alerts")
    await expect(console.part("map")).to_have_count(0)
    await console.go(f"/assets/{thing}")
    await expect(console.page.locator("main h1")).to_be_visible()
    await console.go(f"/?thing={thing}")
    await console.map_is_drawn()


@pytest.mark.timeout(400)
async def test_fifty_changes_of_view(open_console: OpenConsole) -> None:
    console = await open_console(Look(PHONE))
    await console.enter()
    devtools = await console.page.context.new_cdp_session(console.page)
    await devtools.send("Performance.enable")
    for _ in range(FIRST_ROUNDS):
        await go_round(console, "air-growing-2")
    before = await held(devtools)
    for _ in range(ROUNDS):
        await go_round(console, "air-growing-2")
    after = await held(devtools)
    assert after.listeners - before.listeners < ROUNDS
    assert after.nodes - before.nodes < 10 * ROUNDS
    assert after.heap - before.heap < 3 * MEGABYTE
