"""Debian's Chromium, headless, with a fresh profile and nothing of its own to tell anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

PROGRAM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The map draws with WebGL; no machine here has a graphics card.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


@asynccontextmanager
async def running_chromium(proxy: str) -> AsyncIterator[Browser]:
    """proxy: where every request goes that is not for this machine."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=PROGRAM, args=[*FLAGS, f"--proxy-server={proxy}"]
        )
        try:
            yield browser
        finally:
            await browser.close()
