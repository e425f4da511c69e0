"""What surrounds every request: deadlines, security headers, CORS and the allowance of the open doors, counters."""

import asyncio
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram
from starlette.datastructures import Address, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.failures import (
    InternalError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
    problem_response,
)
from services.core.addresses import client_of
from services.core.clock import Clock
from services.core.throttle import Throttle

log = structlog.get_logger()

_OPEN_PREFIXES: Final = ("/open", "/sta")
_REQUEST_SECONDS: Final = 20.0
_SEND_SECONDS: Final = 30.0
_LARGEST_BODY: Final = 64 * 1024
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_requests = Counter(
    "alatau_api_requests", "Answered requests.", ("method", "operation", "status")
)
_seconds = Histogram(
    "alatau_api_request_seconds",
    "From a request to the start of its answer.",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
_running = Gauge("alatau_api_requests_running", "Requests that are being answered now.")


class _Answer:
    """Watches what is sent: whether an answer has begun, and with which status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    return any(path == one or path.startswith(f"{one}/") for one in _OPEN_PREFIXES)


class Counted:
    """Counts requests by the operation they asked for, never by path: paths are without number."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                operation = getattr(scope.get("route"), "name", "none")
                _seconds.labels(operation).observe(self._clock.monotonic() - began)
                _requests.labels(_method(scope), operation, message["status"]).inc()
            await send(message)

        with _running.track_inprogress():
            await self._app(scope, receive, watch)


def _method(scope: Scope) -> str:
    known = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}
    return scope["method"] if scope["method"] in known else "other"


class Plain500:
    """The last net: what nobody expected is logged whole, and said to the client without a word of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except Exception:
            log.exception(
                "a request failed",
                action="request_failed",
                method=scope["method"],
                path=scope["path"],
            )
            if answer.status is not None:
                raise  # the connection is cut: half an answer must not look whole
            await problem_response(scope["path"], InternalError())(scope, receive, send)


class Deadlines:
    """An answer begins in time, and a client that does not read it is let go. Streams may last."""

    def __init__(
        self,
        app: ASGIApp,
        seconds: float = _REQUEST_SECONDS,
        send_seconds: float = _SEND_SECONDS,
    ) -> None:
        self._app = app
        self._seconds = seconds
        self._send_seconds = send_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._seconds)

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            async with asyncio.timeout(self._send_seconds):
                await send(message)

        try:
            async with deadline:
                await self._app(scope, receive, send_in_time)
        except TimeoutError:
            if not deadline.expired():
                raise
            problem = UnavailableError(
                "The answer did not come in time; ask for less, or try again."
            )
            await problem_response(scope["path"], problem)(scope, receive, send)


class SmallBodies:
    """Refuses a larger body before it is read, and one that does not say its size while it is."""

    def __init__(self, app: ASGIApp, largest: int = _LARGEST_BODY) -> None:
        self._app = app
        self._largest = largest
        self._detail = f"The body of a request has at most {largest // 1024} KB."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdecimal() or int(said) > self._largest:
            refusal = TooLargeError(self._detail)
            await problem_response(scope["path"], refusal)(scope, receive, send)
            return
        read = 0

        async def receive_little() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._largest:
                # The framework lets only its own exceptions out of reading a body.
                raise HTTPException(TooLargeError.status, self._detail)
            return message

        await self._app(scope, receive_little, send)


class HeadAsGet:
    """HEAD is GET without the body, on every path that has a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def send_head(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})

        await self._app({**scope, "method": "GET"}, receive, send_head)


class SecurityHeaders:
    """Adds what is missing; a page that needs more than nothing brings its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        public = is_open(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault(
                    "Cross-Origin-Resource-Policy",
                    "cross-origin" if public else "same-origin",
                )
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class OpenDoors:
    """/open and /sta: any origin may read them, without credentials; each address has an allowance."""

    def __init__(self, app: ASGIApp, throttle: Throttle, clock: Clock) -> None:
        self._app = app
        self._cors = CORSMiddleware(
            self._allowance,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["*"],
            expose_headers=[
                "Link",
                "ETag",
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
            ],
        )
        self._throttle = throttle
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._cors if scope["type"] == "http" and is_open(scope) else self._app
        await app(scope, receive, send)

    async def _allowance(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = client_of(Address(*scope["client"]) if scope.get("client") else None)
        answer = self._throttle.ask(client, self._clock.monotonic())
        policy = f'"address";q={self._throttle.burst};w={self._throttle.seconds:.0f}'

        async def send_with_allowance(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = policy
                headers["RateLimit"] = f'"address";r={answer.remaining}'
            await send(message)

        if answer.allowed:
            await self._app(scope, receive, send_with_allowance)
            return
        problem = TooManyRequestsError(
            f"More than {self._throttle.burst} requests in {self._throttle.seconds:.0f} s: "
            f"wait {answer.retry_after} s.",
            retry_after=answer.retry_after,
        )
        await problem_response(scope["path"], problem)(
            scope, receive, send_with_allowance
        )
