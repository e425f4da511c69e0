"""A proxy that can treat what passes through it badly: cut, hold, delay, reset, or lose one COMMIT's answer."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

Address = str | tuple[str, int]  # of a UNIX socket, or host and port

_CHUNK: Final = 1 << 16
_TICK: Final = 1e-5
_COMMIT: Final = b"COMMIT"
_AT_ONCE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


@dataclass(eq=False)
class _Passage:
    """One connection through the proxy. held: nothing passes any more, and neither side is told.

    due: when the last delayed bytes to a side go, on the loop's clock; later ones must not overtake them.
    """

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    held: bool = False
    due: dict[asyncio.StreamWriter, float] = field(default_factory=dict)

    def reset(self) -> None:
        for writer in self.writers:
            stream = writer.get_extra_info("socket")
            with suppress(OSError, AttributeError):
                if stream.family != socket.AF_UNIX:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()


@dataclass
class Proxy:
    """target: where to. refusing: newcomers are turned away. delay: seconds for each way.

    lose_commit: the next COMMIT passes, its answer does not.
    """

    target: Address
    refusing: bool = False
    delay: float = 0.0
    lose_commit: bool = False
    lost_commits: int = 0
    _passages: set[_Passage] = field(default_factory=set)

    def reset_all(self) -> None:
        for passage in tuple(self._passages):
            passage.reset()

    def close(self) -> None:
        """For good: also who is on the way in."""
        self.refusing = True
        self.reset_all()

    def hold_all(self) -> None:
        """Those of now stay half-open; newcomers pass."""
        for passage in self._passages:
            passage.held = True

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            far_reader, far_writer = await _open(self.target)
        except OSError:
            writer.transport.abort()
            return
        passage = _Passage((writer, far_writer))
        if self.refusing:
            passage.reset()
            return
        self._passages.add(passage)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(passage, reader, far_writer))
                group.create_task(self._pass(passage, far_reader, writer))
        except* (OSError, _EndedError):
            pass
        finally:
            passage.reset()
            self._passages.discard(passage)

    async def _ask(
        self,
        passage: _Passage,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.lose_commit and _COMMIT in data:
                self.lose_commit = False
                self.lost_commits += 1
                passage.held = True
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0.05)  # the server commits; nobody hears of it
                raise _EndedError
            await self._forward(passage, data, writer)
        raise _EndedError

    async def _pass(
        self,
        passage: _Passage,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._forward(passage, data, writer)
        raise _EndedError

    async def _forward(
        self, passage: _Passage, data: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if passage.held:
            return
        loop = asyncio.get_running_loop()
        last = passage.due.get(writer, 0.0)
        if self.delay or last > loop.time():
            due = max(loop.time() + self.delay, last + _TICK)
            passage.due[writer] = due
            loop.call_at(due, _write_later, writer, data)
            return
        writer.write(data)
        await writer.drain()


class _EndedError(Exception):
    """One side is gone."""


def _write_later(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)


async def _open(
    target: Address,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, str):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection(*target)


@asynccontextmanager
async def proxy_before(target: tuple[str, int]) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy on a free port of this machine, and that port."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        proxy.close()


@asynccontextmanager
async def proxy_in_place_of(path: str) -> AsyncIterator[Proxy]:
    """A proxy at a UNIX socket's own path; the socket is put aside meanwhile, for newcomers only."""
    aside = f"{path}.aside"
    os.rename(path, aside)  # noqa: PTH104 # local, and at once
    proxy = Proxy(aside)
    server = await asyncio.start_unix_server(proxy.serve, path)
    ours = _open_to_all(path)
    try:
        yield proxy
    finally:
        server.close()
        _put_back(aside, path, ours)
        proxy.close()


def _open_to_all(path: str) -> int:
    """Its folder decides who may come. Returns what makes it known again."""
    Path(path).chmod(0o666)
    return Path(path).stat().st_ino


def _put_back(aside: str, path: str, ours: int) -> None:
    """Unless the server has begun anew meanwhile, with a socket of its own."""
    place = Path(path)
    if not place.exists() or place.stat().st_ino == ours:
        Path(aside).replace(path)
    else:
        Path(aside).unlink(missing_ok=True)
