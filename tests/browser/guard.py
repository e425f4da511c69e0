"""What no page may do: ask another host for anything, write an error to the console, offend its own policy, crash."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
    WebSocket,
)

# Chromium's own errands, which no flag ends. (A page that went there would still be seen by its requests.)
_ERRANDS = re.compile(
    r"(?<!fonts)\.(googleapis|google)\.com[:/]|\.gvt1\.com[:/]", re.IGNORECASE
)
# What a machine without a graphics card says of drawing; it is no fault of the page.
_SLOW_DRAWING = re.compile("GL Driver Message")
# None of these leaves the page.
_INNER_SCHEMES = ("data", "blob", "about")
_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  tellViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ""}`));
"""


@dataclass
class Gate:
    """The proxy of the browser: whoever comes here wanted to leave this machine."""

    port: int = 0
    wanted: list[str] = field(default_factory=list)

    async def turn_away(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = (await reader.readline()).decode("latin-1").strip()
        if not _ERRANDS.search(line):
            self.wanted.append(line)
        writer.write(_REFUSAL)
        writer.close()


@asynccontextmanager
async def closed_gate() -> AsyncIterator[Gate]:
    gate = Gate()
    server = await asyncio.start_server(gate.turn_away, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    try:
        yield gate
    finally:
        server.close()
        await server.wait_closed()


@dataclass
class Guard:
    """Watches a browser context, workers included. origin: the only one that it may ask."""

    origin: str
    gate: Gate
    requests: list[str] = field(default_factory=list)
    _earlier: int = 0
    _offences: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=lambda: [_SLOW_DRAWING])

    def __post_init__(self) -> None:
        self.forgive()

    async def watch(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("page", self._page)
        await context.expose_binding("tellViolation", self._violation)
        await context.add_init_script(_TELL_VIOLATIONS)

    def expect(self, pattern: str) -> None:
        """This test provokes console errors like this one; other offences are never excused."""
        self._expected.append(re.compile(pattern))

    def forgive(self) -> None:
        """Begin anew: what was seen until now was what the test wanted to be seen."""
        self._offences.clear()
        self._earlier = len(self.gate.wanted)

    @property
    def offences(self) -> list[str]:
        """Also what the whole browser asked of other hosts meanwhile."""
        left = self.gate.wanted[self._earlier :]
        return [*self._offences, *(f"left for {line}" for line in left)]

    def _ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in _INNER_SCHEMES:
            return
        self.requests.append(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            self._offences.append(f"asked {url}")

    def _request(self, request: Request) -> None:
        self._ask(request.url)

    def _socket(self, socket: WebSocket) -> None:
        self._ask(socket.url)

    def _page(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("crash", lambda _page: self._offences.append("the page crashed"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        told = f"{message.text} {message.location.get('url', '')}"
        if not any(pattern.search(told) for pattern in self._expected):
            self._offences.append(f"console {message.type}: {told}")

    def _error(self, error: WebError) -> None:
        self._offences.append(f"uncaught: {error.error}")

    async def _violation(self, _source: object, told: str) -> None:
        self._offences.append(f"against its policy: {told}")
