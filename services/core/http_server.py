"""uvicorn as a part of a service: our signals, and a deadline for request headers."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import h11
import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.core.errors import ConfigurationError

_HEADER_SECONDS: Final = 10.0
_CONNECTIONS: Final = 2_000
_GRACE_SECONDS: Final = 5


class PunctualProtocol(H11Protocol):
    """uvicorn holds a half-sent request header for ever; here the connection is closed after ten seconds."""

    header_seconds = _HEADER_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._expect_header()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_header()
        else:
            self._disarm()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect_header()

    def _expect_header(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(
                self.header_seconds, self.transport.close
            )

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are core.process's."""
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


class PortTakenError(ConfigurationError):
    """The address cannot be listened on."""

    remedy = "Choose another with ALATAU_API_HOST and ALATAU_API_PORT (the ingest door's: ALATAU_DOOR_BIND), or stop what listens there."


class Certificate(NamedTuple):
    """PEM files: the chain, and its private key."""

    chain: Path
    key: Path


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any that is free.

    Raises:
        PortTakenError: somebody else has it, or it is not ours to have.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; else every second answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise PortTakenError(f"{host} port {port}: {error.strerror}.") from error
    return listening


async def serve(
    app: ASGIApp,
    listening: socket.socket,
    stop: asyncio.Event,
    on_started: Callable[[], None],
    on_stopping: Callable[[], None],
    certificate: Certificate | None = None,
) -> None:
    """Answer requests until stop is set; then let running ones end, at most five seconds."""
    server = _Server(_config(app, certificate), on_started)
    running = asyncio.create_task(server.serve([listening]), name="http")
    stopping = asyncio.create_task(stop.wait(), name="http.stop")
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        on_stopping()
        server.should_exit = True
        await running


def _config(app: ASGIApp, certificate: Certificate | None) -> uvicorn.Config:
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    return uvicorn.Config(
        app,
        http=PunctualProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # X-Forwarded-For is believed only from where FORWARDED_ALLOW_IPS says: no client chooses its own address.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        limit_concurrency=_CONNECTIONS,
        ssl_certfile=certificate and certificate.chain,
        ssl_keyfile=certificate and certificate.key,
    )
