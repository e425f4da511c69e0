"""A view that is no longer live says so within ten seconds, and mends itself without being loaded anew."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from services.core.clock import SystemClock
from tests.browser.console_page import Console
from tests.browser.live_city import FINE, LiveCity
from tests.installation import kill

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

MOST_MS = 10_000
START_MS = 60_000  # of a new API process
NO_ANSWER = r"net::ERR_|status of 50\d"
# The page measures: how long after this moment the banner stands on the screen.
WATCH_FOR_BANNER = """
() => {
  const began = performance.now();
  const banner = () => document.querySelector('[data-testid="not-live"]');
  window.bannerAfter = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no banner")), 20_000);
    const watcher = new MutationObserver(() => {
      if (!banner()) return;
      watcher.disconnect();
      resolve(performance.now() - began);
    });
    watcher.observe(document.body, { childList: true, subtree: true });
  });
}
"""


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process lives, its connections stand, and it does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def is_live_again(console: Console) -> None:
    await expect(console.part("live")).to_have_attribute(
        "data-state", "live", timeout=START_MS
    )
    await expect(console.part("not-live")).to_have_count(0)
    assert await console.was_not_reloaded()


async def test_a_frozen_server_is_told_within_ten_seconds(
    console: Console, city: LiveCity
) -> None:
    console.guard.expect(NO_ANSWER)
    await console.enter()
    await console.mark_document()
    server = city.api_process
    await console.page.evaluate(WATCH_FOR_BANNER)
    last_moment = SystemClock().now().astimezone(ZoneInfo("Asia/Almaty"))
    with frozen(server):
        assert await console.page.evaluate("window.bannerAfter") <= MOST_MS
        banner = console.part("not-live")
        await expect(banner).to_contain_text("This screen is not live")
        since = re.search(r"\d\d:\d\d:\d\d", await banner.inner_text())
        assert since
        assert since.group() <= f"{last_moment:%H:%M:%S}"
        await expect(console.part("live")).to_have_attribute("data-state", "lost")
    await is_live_again(console)


async def test_a_killed_server_is_told_and_its_successor_found(
    console: Console, city: LiveCity
) -> None:
    console.guard.expect(NO_ANSWER)
    main = city.unused_main()
    await city.report_pressure(main, FINE)
    await console.enter(f"/assets/{main}")
    await console.mark_document()
    server = city.api_process
    await console.page.evaluate(WATCH_FOR_BANNER)
    kill(server)
    assert await console.page.evaluate("window.bannerAfter") <= MOST_MS
    await is_live_again(console)
    await city.report_pressure(main, FINE + 1.25)
    value = console.part("asset-value", datastream=f"{main}.pressure")
    await expect(value).to_contain_text("7.25")
