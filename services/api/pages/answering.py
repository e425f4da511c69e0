"""Pages as answers: their language, their headers, and problems as pages for those who read them in a browser."""

import json
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.failures import MEDIA_TYPE
from services.api.language import page_language
from services.api.pages.writing import failure_page
from services.core.city.language import Language

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# Programs ask here, even when a person has typed the address: a problem document says more.
_FOR_PROGRAMS: Final = ("/api", "/open", "/sta", "/health", "/metrics", "/openapi.json")


def _language(request: Request) -> Language:
    return _language_of(request.scope)


PageLanguage = Annotated[Language, Depends(_language)]


def _language_of(scope: Scope) -> Language:
    wish = QueryParams(scope["query_string"]).get("lang")
    return page_language(wish, Headers(scope=scope).get("accept-language"))


def page(
    html: str, language: Language, policy: str = PAGE_POLICY, status: int = 200
) -> HTMLResponse:
    return HTMLResponse(html, status, _headers(language, policy))


def _headers(language: Language, policy: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Content-Language": language,
        "Content-Security-Policy": policy,
        "Vary": "Accept-Language",
    }


class ProblemPages:
    """Turns problem documents into pages for browsers, outside of the doors that programs use."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_for_a_reader(scope):
            send = _ProblemPage(send, scope).take
        await self._app(scope, receive, send)


def _is_for_a_reader(scope: Scope) -> bool:
    path: str = scope["path"]
    if any(path == one or path.startswith(f"{one}/") for one in _FOR_PROGRAMS):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


class _ProblemPage:
    """Holds a problem document back until it is whole, and sends a page in its place."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send = send
        self._scope = scope
        self._start: Message | None = None
        self._body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type") == MEDIA_TYPE:
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start, json.loads(self._body))
            return
        await self._send(message)

    async def _send_page(self, start: Message, problem: dict[str, str]) -> None:
        language = _language_of(self._scope)
        html = failure_page(problem, language).encode()
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.update(_headers(language, PAGE_POLICY))
        headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Content-Length"] = str(len(html))
        headers.add_vary_header("Accept")
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": html})
