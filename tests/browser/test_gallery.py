"""Every view on a desk and on a phone, light and dark, in every language: pictures for people, and what a program can judge.

The pictures are kept in .screenshots/ (or $ALATAU_SCREENSHOTS), to be looked at.
"""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.conftest import ARTEFACTS, OpenConsole
from tests.browser.console_page import (
    DESK,
    LANGUAGES,
    PHONE,
    THEMES,
    Console,
    Language,
    Look,
    Size,
)
from tests.browser.inspection import (
    accessibility_violations,
    cut_texts,
    texts_of,
    wrong_words,
)
from tests.browser.live_city import CRITICAL, FINE, HIGH, OPERATOR, LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

# The same in every language.
NAMES = {
    "Alatau",
    "Gate",
    "Golden",
    "Growing",
    "Green",
    "SensorThings",
    "MapLibre",
    "Asia/Almaty",
    OPERATOR,
}
REFUSED = r"status of (404|500)"
PROBLEM = "application/problem+json"
HISTORY_MINUTES = 90


@dataclass(frozen=True)
class Scene:
    """A city in which something has happened."""

    city: LiveCity
    thing: str
    alert: int

    async def show(self, console: Console, view: str) -> None:
        """Lead a fresh console to a view, and wait until it shows what it is for."""
        await SHOWS[view](self, console)

    async def map(self, console: Console) -> None:
        await console.enter("/")
        await console.map_is_drawn()

    async def map_card(self, console: Console) -> None:
        await console.enter(f"/?thing={self.thing}")
        await console.map_is_drawn()
        await expect(console.part("map-asset-card")).to_be_visible()

    async def inbox(self, console: Console) -> None:
        await console.enter("/alerts")
        await expect(console.alert_row(self.alert)).to_be_visible()

    async def alert_page(self, console: Console) -> None:
        await console.enter(f"/alerts/{self.alert}")
        await expect(console.part("acknowledge")).to_be_visible()

    async def assets(self, console: Console) -> None:
        await console.enter("/assets")
        await expect(console.part("asset-row").first).to_be_visible()

    async def asset(self, console: Console) -> None:
        await console.enter(f"/assets/{self.thing}")
        await expect(console.part("chart").first).not_to_have_attribute(
            "data-points", "0"
        )

    async def about(self, console: Console) -> None:
        await console.enter("/about")
        await expect(console.page.locator("main h1")).to_be_visible()

    async def nowhere(self, console: Console) -> None:
        await console.enter("/about")
        await console.page.evaluate(
            "history.pushState(null, '', '/about/nothing'); dispatchEvent(new PopStateEvent('popstate'))"
        )
        await expect(console.part("nowhere")).to_be_visible()

    async def login(self, console: Console) -> None:
        await console.open()
        await expect(console.page.locator("form")).to_be_visible()

    async def empty(self, console: Console) -> None:
        await self._refused(console, "**/api/v1/city", 404, "no-city")
        await expect(console.part("empty")).to_be_visible()

    async def failed(self, console: Console) -> None:
        await self._refused(console, "**/api/v1/things?*", 500, "internal-error")
        await expect(console.part("failed")).to_be_visible()

    async def not_live(self, console: Console) -> None:
        """The API is frozen; whoever asked for this lets it go on."""
        await console.enter("/alerts")
        os.kill(self.city.api_process, signal.SIGSTOP)
        await expect(console.part("not-live")).to_be_visible()

    async def _refused(
        self, console: Console, url: str, status: int, kind: str
    ) -> None:
        async def refuse(route: Route) -> None:
            problem = {
                "type": f"/problems/{kind}",
                "title": "No",
                "detail": "503",
            }
            await route.fulfill(status=status, json=problem, content_type=PROBLEM)

        console.guard.expect(REFUSED)
        await console.page.route(url, refuse)
        await console.enter()


SHOWS: dict[str, Callable[[Scene, Console], Awaitable[None]]] = {
    "login": Scene.login,
    "map": Scene.map,
    "map-card": Scene.map_card,
    "inbox": Scene.inbox,
    "alert": Scene.alert_page,
    "assets": Scene.assets,
    "asset": Scene.asset,
    "about": Scene.about,
    "empty": Scene.empty,
    "failed": Scene.failed,
    "nowhere": Scene.nowhere,
    "not-live": Scene.not_live,
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(city: LiveCity) -> Scene:
    """Alerts of every kind: new, acknowledged, ended unseen, critical, low; and a thing with a past."""
    known, ended, worst = (city.unused_main() for _ in range(3))
    await city.report_past(worst, HISTORY_MINUTES, pressure=590, flow=310, battery=3.6)
    for main, bar in ((known, HIGH), (ended, HIGH), (worst, CRITICAL)):
        await city.report_pressure(main, FINE)
        await city.report_pressure(main, bar)
    await city.report("air-gate-2", pm2_5=48.0, pm10=61.5, temperature=-3.4)
    alerts = {thing: await city.alert_of(thing) for thing in (known, ended, worst)}
    await city.acknowledge(alerts[known])
    await city.report_pressure(ended, FINE)
    await city.alert_of(ended, "resolved")
    await city.alert_of("air-gate-2")
    return Scene(city, worst, int(alerts[worst]["alert_id"]))


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def api_goes_on(city: LiveCity) -> AsyncIterator[None]:
    yield
    os.kill(city.api_process, signal.SIGCONT)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=str)
@pytest.mark.parametrize("view", SHOWS)
async def test_a_view(
    view: str, size: Size, scene: Scene, open_console: OpenConsole
) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    console = await open_console(Look(size))
    await scene.show(console, view)
    found: list[str] = []
    for theme in THEMES:
        await console.page.emulate_media(color_scheme=theme)
        for language in LANGUAGES:
            await console.choose_language(language)
            await console.is_painted()
            found += await flaws(console, f"{view}-{size}-{theme}-{language}", language)
        violations = await accessibility_violations(console.page)
        found += [f"{view}-{size}-{theme}: {violation}" for violation in violations]
    assert not found, "\n".join(found)


async def flaws(console: Console, name: str, language: Language) -> list[str]:
    """Takes the picture, too."""
    await console.page.screenshot(path=ARTEFACTS / f"{name}.png")
    texts = await texts_of(console.page)
    foreign = wrong_words(texts, language, NAMES)
    return [
        *(f"{name}: {cut}" for cut in await cut_texts(console.page)),
        *(f"{name}: not {language}: {text}" for text in foreign),
    ]
