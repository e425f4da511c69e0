"""One browser and one running city for all browser tests; a console of its own for each test."""

import os
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from services.api.console.files import BUILT
from tests.browser.chromium import PROGRAM, running_chromium
from tests.browser.console_page import AT_A_DESK, SMALL_DESK, Console, Doorway, Look
from tests.browser.guard import Gate, closed_gate
from tests.browser.inspection import AXE
from tests.browser.live_city import LiveCity, live_city

PATIENCE_MS = 15_000
ARTEFACTS = Path(
    os.environ.get("ALATAU_SCREENSHOTS", Path(__file__).parents[2] / ".screenshots")
)
FAILED = pytest.StashKey[bool]()

expect.set_options(timeout=PATIENCE_MS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="package", autouse=True)
def what_is_needed() -> None:
    """`make test` installs all of it; without it nothing here can be judged."""
    if not (BUILT / "index.html").is_file():
        pytest.fail(f"The console is not built ({BUILT}): make install builds it.")
    if not AXE.is_file():
        pytest.fail(f"There is no {AXE}: make test installs the console's packages.")
    if not Path(PROGRAM).is_file():
        pytest.fail(f"There is no {PROGRAM}: make test installs Debian's Chromium.")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def gate() -> AsyncIterator[Gate]:
    async with closed_gate() as closed:
        yield closed


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser(gate: Gate) -> AsyncIterator[Browser]:
    async with running_chromium(f"http://127.0.0.1:{gate.port}") as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def city() -> AsyncIterator[LiveCity]:
    async with live_city() as running:
        yield running


@pytest.fixture
def doorway(browser: Browser, gate: Gate, city: LiveCity) -> Doorway:
    return Doorway(browser, gate, city.url, city.token)


class OpenConsole(Protocol):
    async def __call__(self, look: Look = ...) -> Console: ...


@pytest_asyncio.fixture(loop_scope="session")
async def open_console(
    doorway: Doorway, request: pytest.FixtureRequest
) -> AsyncIterator[OpenConsole]:
    """Opens tabs that are closed, and judged, at the end of the test."""
    opened: list[Console] = []
    async with AsyncExitStack() as exits:

        async def open_one(look: Look = AT_A_DESK) -> Console:
            opened.append(await exits.enter_async_context(doorway.console(look)))
            return opened[-1]

        yield open_one
        if request.node.stash.get(FAILED, False):
            await _keep_what_was_seen(request.node.name, opened)


@pytest_asyncio.fixture(loop_scope="session")
async def console(open_console: Any) -> Console:
    """On a small desk (a map is drawn by the processor, pixel by pixel), in English, not signed in yet."""
    opened: Console = await open_console(Look(SMALL_DESK))
    return opened


async def _keep_what_was_seen(test: str, consoles: list[Console]) -> None:
    folder = ARTEFACTS / "failed"
    folder.mkdir(parents=True, exist_ok=True)
    for number, console in enumerate(consoles):
        name = f"{test}-{number}".replace("/", "_")
        await console.page.screenshot(path=folder / f"{name}.png")
        html = await console.page.content()
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
