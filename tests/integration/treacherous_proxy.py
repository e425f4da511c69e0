"""A TCP proxy before PostgreSQL that cuts a connection around a COMMIT."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

_COMMIT = b"COMMIT"
Cut = Literal["before", "after"]


@dataclass
class Proxy:
    """cut: what to do at the next COMMIT of the application: lose it, or lose its reply."""

    dsn: str
    cut: Cut | None = None
    cuts: int = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        parts = urlsplit(self.dsn)
        server_reader, server_writer = await asyncio.open_connection(
            parts.hostname, parts.port
        )
        back = asyncio.create_task(_forward(server_reader, writer))
        try:
            while data := await reader.read(1 << 16):
                if self.cut and _COMMIT in data:
                    cut, self.cut = self.cut, None
                    self.cuts += 1
                    back.cancel()
                    if cut == "after":
                        server_writer.write(data)
                        await server_reader.read(1 << 16)
                    break
                server_writer.write(data)
                await server_writer.drain()
        except ConnectionError:
            pass
        finally:
            back.cancel()
            server_writer.close()
            writer.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def treacherous_proxy(dsn: str) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy, and the DSN that goes through it."""
    proxy = Proxy(dsn)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(dsn)
    user = f"{parts.username}@" if parts.username else ""
    async with server:
        yield (
            proxy,
            urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port}")),
        )
