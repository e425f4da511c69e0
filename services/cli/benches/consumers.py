"""The platform's services as a supervisor runs them, and one operator who watches the live stream."""

import asyncio
import contextlib
import datetime as dt
import os
import re
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final

from services.api.auth.passwords import (
    hash_password,
    new_password,
    new_token,
    token_hash,
)
from services.api.auth.permissions import Role
from services.api.auth.store import User, add_user, find_credentials, open_session
from services.cli.benches.private_servers import Servers
from services.core.clock import Clock
from services.core.errors import PlatformError
from services.core.storage.event_log import load_cursor, tail
from services.core.storage.pool import Connection

SERVICES: Final = ("ingest", "rules", "history", "api")
_FOLLOWERS: Final = ("rules", "history")
_READY_SECONDS: Final = 600.0  # with millions of datastreams
_NOTICE_BYTES: Final = 4096
_POLL_SECONDS: Final = 0.05
_READ_BYTES: Final = 1 << 18
_EVENT_ID: Final = re.compile(rb"id: observations:(\d+)\n")
_LONGEST_ID: Final = 64
_ALATAU: Final = "from services.cli.app import main; main()"
_OPERATOR: Final = "bench"


class ServiceEndedError(PlatformError):
    """A service ended before its time; what it said is above."""


@asynccontextmanager
async def running_services(
    servers: Servers, api_port: int, names: Sequence[str] = SERVICES
) -> AsyncIterator[Mapping[str, int]]:
    """`alatau NAME` of each, started in order and ready; gives their process ids."""
    async with AsyncExitStack() as opened:
        yield {
            name: await opened.enter_async_context(_service(servers, name, api_port))
            for name in names
        }


@asynccontextmanager
async def _service(servers: Servers, name: str, api_port: int) -> AsyncIterator[int]:
    with _notices() as (address, ready):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ALATAU, name),
            env={
                **os.environ,
                "ALATAU_DATABASE_URL": servers.database_url,
                "ALATAU_BROKER_URL": servers.service_url,
                "ALATAU_LOG_LEVEL": "warning",
                "ALATAU_API_PORT": str(api_port),
                "NOTIFY_SOCKET": address,
            },
        )
        async with _while_it_runs(process, name):
            async with asyncio.timeout(_READY_SECONDS):
                await ready.wait()
            yield process.pid


@asynccontextmanager
async def _while_it_runs(
    process: asyncio.subprocess.Process, name: str
) -> AsyncIterator[None]:
    """The process is ended with the block, and the block with the process."""
    owner = asyncio.current_task()

    def interrupt(_ended: object) -> None:
        if owner is not None:
            owner.cancel()

    ended = asyncio.create_task(process.wait(), name=name)
    ended.add_done_callback(interrupt)
    try:
        yield
    except asyncio.CancelledError:
        if owner is None or process.returncode is None:
            raise
        owner.uncancel()
        raise ServiceEndedError(f"{name}: {process.returncode}") from None
    finally:
        ended.remove_done_callback(interrupt)
        if process.returncode is None:
            process.terminate()
        await ended


@contextmanager
def _notices() -> Iterator[tuple[str, asyncio.Event]]:
    """A supervisor's socket, read to the end of the block: a full one would make the service wait."""
    ready, loop = asyncio.Event(), asyncio.get_running_loop()
    with (
        tempfile.TemporaryDirectory(prefix="alatau-bench-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
    ):
        notices.bind(f"{folder}/notify")
        notices.setblocking(False)  # socket's own shape

        def read() -> None:
            if b"READY=1" in notices.recv(_NOTICE_BYTES):
                ready.set()

        loop.add_reader(notices, read)
        try:
            yield f"{folder}/notify", ready
        finally:
            loop.remove_reader(notices)


class Watcher:
    """What an operator's console has got of the live stream."""

    def __init__(self) -> None:
        self.batch = 0
        self.events = 0

    def take(self, text: bytes) -> None:
        for found in _EVENT_ID.finditer(text):
            self.batch = int(found[1])
            self.events += 1


@asynccontextmanager
async def live_watcher(
    connection: Connection, api_port: int, query: str, clock: Clock
) -> AsyncIterator[Watcher]:
    """A client of /api/v1/live/latest, reading all the time."""
    token = await _log_in(connection, clock)
    request = (
        f"GET /api/v1/live/latest?{query} HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    async with asyncio.timeout(_READY_SECONDS):
        while (opened := await _open_stream(api_port, request)) is None:
            await clock.sleep(_POLL_SECONDS)
    reader, writer = opened
    watcher = Watcher()

    async def read() -> None:
        rest = b""
        while text := await reader.read(_READ_BYTES):
            rest += text
            watcher.take(rest)
            rest = (
                rest[-_LONGEST_ID:]
                if not _EVENT_ID.search(rest[-_LONGEST_ID:])
                else b""
            )

    reading = asyncio.create_task(read(), name="watch")
    try:
        yield watcher
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        writer.close()


async def _open_stream(
    api_port: int, request: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """None: the API is still reading the newest values."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api_port)
    writer.write(request)
    answer = await reader.readuntil(b"\r\n\r\n")
    status = answer.split(b" ", 2)[1]
    if status == b"200":
        return reader, writer
    writer.close()
    if status != b"503":
        raise ConnectionRefusedError(answer.decode())
    return None


async def _log_in(connection: Connection, clock: Clock) -> str:
    password, token = hash_password(new_password()), new_token()
    await add_user(connection, User(_OPERATOR, Role.OPERATOR), password, _OPERATOR)
    found = await find_credentials(connection, _OPERATOR)
    assert found is not None  # noqa: S101 # just added
    now = clock.now()
    await open_session(
        connection, found[0], token_hash(token), now, now + dt.timedelta(days=1)
    )
    return token


async def seconds_behind(
    connection: Connection, watcher: Watcher, clock: Clock, patience: float
) -> dict[str, float]:
    """How long each follower of the log needs from now to get where the log ends now.

    Raises:
        TimeoutError: one does not get there.
    """
    began, newest = clock.monotonic(), (await tail(connection, "observations")).batch
    behind: dict[str, float] = {}
    async with asyncio.timeout(patience):
        while len(behind) <= len(_FOLLOWERS):
            places = {"api": watcher.batch}
            for name in _FOLLOWERS:
                cursor = await load_cursor(connection, name, "observations")
                places[name] = cursor.batch if cursor else 0
            for name, batch in places.items():
                if batch >= newest:
                    behind.setdefault(name, round(clock.monotonic() - began, 2))
            await clock.sleep(_POLL_SECONDS)
    return behind
