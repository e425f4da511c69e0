"""The console in a browser, as an operator uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Browser, Locator, Page, expect
from typing_extensions import override

from tests.browser.guard import Gate, Guard

Language = Literal["kk", "ru", "en"]
Theme = Literal["light", "dark"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")
THEMES: tuple[Theme, ...] = ("light", "dark")
DRAWING_MS = 60_000
TAGS = {"kk": "kk-KZ", "ru": "ru-RU", "en": "en-GB"}


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    @override
    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


DESK, PHONE = Size(1440, 900), Size(390, 844)
SMALL_DESK = Size(1024, 700)


@dataclass(frozen=True)
class Look:
    size: Size = DESK
    theme: Theme = "light"
    language: Language = "en"


AT_A_DESK = Look()


@dataclass
class Console:
    """One tab. token: of the session that enter() signs in with."""

    page: Page
    guard: Guard
    token: str

    async def open(self, path: str = "/") -> None:
        """Without a session, unless the tab has one."""
        await self.page.goto(self.guard.origin + path)

    async def enter(self, path: str = "/") -> None:
        """By a sign-in link; returns when what is shown is live."""
        await self.open(f"{path}#session={self.token}")
        await self.is_live()

    async def is_live(self) -> None:
        await expect(self.part("live")).to_have_attribute("data-state", "live")

    async def map_is_drawn(self) -> None:
        """By the processor alone, which takes its time when others want it too."""
        await expect(self.part("map")).to_have_attribute(
            "data-state", "ready", timeout=DRAWING_MS
        )

    def part(self, test_id: str, **attributes: object) -> Locator:
        """By its data-testid, and further data attributes: thing="x" is data-thing."""
        further = "".join(
            f'[data-{name.replace("_", "-")}="{value}"]'
            for name, value in attributes.items()
        )
        return self.page.locator(f'[data-testid="{test_id}"]{further}')

    def alert_row(self, alert_id: int) -> Locator:
        return self.part("alert-row", alert_id=alert_id)

    async def choose_language(self, language: Language) -> None:
        """At once and for the next visit; the login page has buttons, the others a list."""
        button = self.page.locator(f'button[lang="{language}"]')
        if await button.count():
            await button.click()
        else:
            await self.page.locator("header select").first.select_option(language)
        await expect(self.page.locator("html")).to_have_attribute("lang", language)

    async def go(self, path: str) -> None:
        """By the console's own router: no new document is loaded."""
        await self.page.evaluate(
            "(path) => { const link = document.createElement('a'); link.href = path;"
            " document.body.append(link); link.click(); link.remove(); }",
            path,
        )

    async def is_painted(self) -> None:
        """What was changed just now is on the screen."""
        await self.page.evaluate(
            "async () => { for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame); }"
        )

    async def mark_document(self) -> None:
        """What was_not_reloaded() looks for."""
        await self.page.evaluate("window.sameDocument = true")

    async def was_not_reloaded(self) -> bool:
        return bool(await self.page.evaluate("window.sameDocument === true"))

    async def address(self) -> str:
        """Path, query and fragment, as the address bar shows them."""
        href: str = await self.page.evaluate("location.href")
        return href.removeprefix(self.guard.origin)


@dataclass(frozen=True)
class Doorway:
    """Where consoles are opened: a browser, the API's address, a session."""

    browser: Browser
    gate: Gate
    url: str
    token: str

    @asynccontextmanager
    async def console(self, look: Look = AT_A_DESK) -> AsyncIterator[Console]:
        """A new tab with a profile of its own; its guard must find nothing when it is closed."""
        context = await self.browser.new_context(
            viewport={"width": look.size.width, "height": look.size.height},
            color_scheme=look.theme,
            locale=TAGS[look.language],
            reduced_motion="reduce",
        )
        guard = Guard(self.url, self.gate)
        await guard.watch(context)
        page = await context.new_page()
        try:
            yield Console(page, guard, self.token)
            # When this is answered, all that the page did before has been told.
            await page.evaluate("new Promise(requestAnimationFrame)")
        finally:
            await context.close()
        assert not guard.offences, "\n".join(guard.offences)
