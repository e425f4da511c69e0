"""The API behind a real server on a free loopback port, for what needs a connection: streams and deadlines."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from services.api.app import create_app
from services.api.live.client import Pace
from services.core.http_server import listen, serve
from tests.integration.api.city_api import CityApi, city_api

FAST = Pace(heartbeat=0.2, together=0.05)


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str | None


@dataclass(frozen=True)
class Server:
    api: CityApi
    port: int
    stop: asyncio.Event

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str] | None = None, **query: Any
    ) -> AsyncIterator["Stream"]:
        async with (
            httpx2.AsyncClient(timeout=10) as web,
            web.stream(
                "GET",
                f"http://127.0.0.1:{self.port}{path}",
                params=query or None,
                headers=dict(headers or {}),
            ) as answer,
        ):
            yield Stream(answer)


class Stream:
    """Server-sent events as a browser reads them."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._events = self._read()

    async def _read(self) -> AsyncIterator[Event]:
        fields: dict[str, str] = {}
        async for line in self.answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield Event(
                    fields["event"], json.loads(fields["data"]), fields.get("id")
                )
                fields = {}

    async def next(self, name: str | None = None) -> Event:
        """The next event of a name; others are passed over. Without a name: the next that is no heartbeat."""
        async with asyncio.timeout(10):
            async for event in self._events:
                if event.name == name or (name is None and event.name != "heartbeat"):
                    return event
        raise EOFError

    async def end(self) -> list[str]:
        """The names of all events until the server ends the stream."""
        async with asyncio.timeout(10):
            return [event.name async for event in self._events]


@asynccontextmanager
async def served(database_url: str, **changes: Any) -> AsyncIterator[Server]:
    """changes: of the context. The feeds follow."""
    async with city_api(database_url, **{"pace": FAST, **changes}) as api:
        stop, started = asyncio.Event(), asyncio.Event()
        feeds = api.context.feeds
        following = asyncio.create_task(feeds.follow())
        with listen("127.0.0.1", 0) as listening:
            port = listening.getsockname()[1]
            serving = asyncio.create_task(
                serve(
                    create_app(api.context), listening, stop, started.set, feeds.close
                )
            )
            await started.wait()
            for feed in (feeds.latest, feeds.alerts):
                while not feed.ready:
                    await feed.bell.wait(10)
            try:
                yield Server(api, port, stop)
            finally:
                stop.set()
                await serving
                following.cancel()
                await asyncio.wait([following])
