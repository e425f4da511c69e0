"""What a client of a live stream gets: a snapshot, then changes, a heartbeat, and a reset when it is too far behind."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi.sse import format_sse_event

from services.api.live.feeds import Feed, Feeds
from services.api.moments import say_moment
from services.core.errors import StorageUnavailableError

_EVENT_ID: Final = re.compile(r"(alerts|observations):(\d{1,18})", re.ASCII)
_RECONNECT_MS: Final = 2_000
_CATCH_UP_SECONDS: Final = 2.0
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. heartbeat: between signs of life; together: changes of so long come in one event."""

    heartbeat: float = 5.0
    together: float = 1.0


def event(
    name: str, data: Any, feed: Feed | None = None, batch: int | None = None
) -> bytes:
    """An event; with a batch it is a place to resume from."""
    place = None if feed is None or batch is None else f"{feed.stream}:{batch}"
    return format_sse_event(
        event=name,
        id=place,
        retry=_RECONNECT_MS if name == "hello" else None,
        data_str=_encoder.encode(data).decode(),
    )


def last_batch(feed: Feed, last_event_id: str | None) -> int | None:
    """The batch that a client of this feed has seen; -1 for an id that is none of ours; None: it is new."""
    if not last_event_id:
        return None
    found = _EVENT_ID.fullmatch(last_event_id)
    return int(found[2]) if found and found[1] == feed.stream else -1


class Client(ABC):
    """One client's way through a feed: nothing is kept for it but its place. Subclasses say what it gets."""

    def __init__(self, feeds: Feeds, feed: Feed, pace: Pace) -> None:
        self._feeds = feeds
        self._feed = feed
        self._pace = pace
        self._batch = -1

    @property
    def stream(self) -> str:
        return self._feed.stream

    @abstractmethod
    async def snapshot(self) -> Sequence[bytes]:
        """All there is now; moves the client to the place it stands for."""

    @abstractmethod
    def changes(self) -> bytes | None:
        """What came after the client's place, and moves it there; None: nothing for this client."""

    async def events(
        self, last_event_id: str | None, still_welcome: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Until the process stops, the database goes, or the client is not welcome any more."""
        try:
            async for one in self._events(last_event_id, still_welcome):
                yield one
        except StorageUnavailableError:
            yield event(
                "goodbye",
                {"detail": "The database does not answer: come back in a moment."},
            )

    async def _events(
        self, last_event_id: str | None, still_welcome: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        yield event(
            "hello",
            {
                "time": self._now(),
                "heartbeat_seconds": self._pace.heartbeat,
                "following": self._feed.following,
            },
        )
        for one in await self._begin(last_batch(self._feed, last_event_id)):
            yield one
        beat_at = loop.time() + self._pace.heartbeat
        send_at = loop.time()
        while not self._feeds.closing:
            if self._lost:
                for one in await self._begin(-1):
                    yield one
            if self._behind and loop.time() >= send_at and (changes := self.changes()):
                yield changes
                send_at = loop.time() + self._pace.together
            if loop.time() >= beat_at:
                if not await still_welcome():
                    yield event(
                        "goodbye", {"detail": "The session has ended: log in again."}
                    )
                    return
                yield self._heartbeat()
                beat_at = loop.time() + self._pace.heartbeat
            # The bell may have rung during a send: wait only for what is not there yet.
            due = min(beat_at, send_at) if self._behind else beat_at
            if due > loop.time():
                await self._feed.bell.wait(due - loop.time())

    @property
    def _lost(self) -> bool:
        return self._feed.ready and not self._feed.can_resume(self._batch)

    @property
    def _behind(self) -> bool:
        return self._feed.ready and self._feed.batch > self._batch

    async def _begin(self, last: int | None) -> Sequence[bytes]:
        """Go on from the last batch seen, where that is possible; else everything anew."""
        if last is not None and last > self._feed.batch:
            # This process has just started and is still reading what the client already knows.
            await self._feed.bell.wait(_CATCH_UP_SECONDS)
        if last is not None and self._feed.can_resume(last):
            self._batch = last
            return ()
        reset = (
            ()
            if last is None
            else (event("reset", {"detail": "Too far behind: all follows anew."}),)
        )
        return (*reset, *await self.snapshot())

    def _heartbeat(self) -> bytes:
        logged_at = self._feed.cursor.logged_at if self._feed.cursor else None
        document = {
            "time": self._now(),
            "log_time": say_moment(logged_at)
            if logged_at and logged_at.year > 1
            else None,
            "following": self._feed.following,
        }
        return event("heartbeat", document, self._feed, self._batch)

    def _now(self) -> str:
        return say_moment(self._feed.clock.now())
