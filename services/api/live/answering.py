"""A live stream as an HTTP answer, and how many there may be at once."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import Header
from fastapi.responses import StreamingResponse
from prometheus_client import Gauge

from services.api.failures import TooManyRequestsError, UnavailableError
from services.api.live.client import Client
from services.api.live.feeds import Feed

_MOST: Final = 500
_MOST_EACH: Final = 20
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx: pass every event on at once
}

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=64,
        description="Id of the last event received, such as `observations:5531`; browsers send it by themselves.",
    ),
]

_open = Gauge("alatau_api_live_clients", "Open live streams.", ("stream",))


class Doors:
    """Counts open streams, in all and of each client."""

    def __init__(self, most: int = _MOST, most_each: int = _MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._open: Counter[str] = Counter()

    def check(self, who: str) -> None:
        """Raises TooManyRequestsError."""
        if self._open[who] >= self._most_each or self._open.total() >= self._most:
            raise TooManyRequestsError(
                "Too many live streams are open: close some.", retry_after=10
            )

    async def counted(
        self, who: str, stream: str, events: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        self._open[who] += 1
        try:
            with _open.labels(stream).track_inprogress():
                async for event in events:
                    yield event
        finally:
            self._open -= Counter({who: 1})


def require_ready(feed: Feed) -> None:
    """Raises UnavailableError, shortly after a start or while the database is away."""
    if not feed.ready:
        raise UnavailableError("The live stream is not ready yet.")


def stream_answer(
    doors: Doors,
    who: str,
    client: Client,
    last_event_id: str | None,
    still_welcome: Callable[[], Awaitable[bool]],
) -> StreamingResponse:
    doors.check(who)
    events = client.events(last_event_id, still_welcome)
    return StreamingResponse(
        doors.counted(who, client.stream, events),
        media_type="text/event-stream",
        headers=HEADERS,
    )


def documented_stream(example: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a stream of server-sent events."""
    return {
        200: {
            "description": (
                "Server-sent events, for ever: `hello`; `reset` where Last-Event-ID was too old; `snapshot` (in "
                "parts) unless resumed; then changes; every 5 s `heartbeat` with the server's time; `goodbye` when "
                "the session has ended. Ids are `stream:batch`: give the last one back as Last-Event-ID."
            ),
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "examples": {"events": {"value": example}},
                }
            },
        }
    }
