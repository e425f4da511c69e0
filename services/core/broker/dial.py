"""Opens the socket to a broker: TCP, TLS or a UNIX socket; never blocks the event loop."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from services.core.broker.options import Address, Trust
from services.core.errors import BrokerUnavailableError


async def dial(address: Address, trust: Trust) -> socket.socket:
    """A connected, non-blocking socket.

    Raises:
        OSError, BrokerUnavailableError: nobody answers there.
    """
    if address.scheme == "unix":
        return await _connect(socket.AF_UNIX, address.host)
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for family, _, _, _, target in await loop.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    ):
        try:
            stream = await _connect(family, target)
        except OSError as error:
            failure = error
            continue
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme == "mqtt":
            return stream
        return await _secure(stream, address, trust)
    raise failure or BrokerUnavailableError


async def _connect(family: int, target: Any) -> socket.socket:  # a path or a tuple
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.setblocking(False)  # noqa: FBT003 # socket's own shape
    try:
        await asyncio.get_running_loop().sock_connect(stream, target)
    except BaseException:
        stream.close()
        raise
    return stream


async def _secure(
    stream: socket.socket, address: Address, trust: Trust
) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=trust.authority)
    if trust.certificate is not None:
        context.load_cert_chain(trust.certificate, trust.key)
    secured = context.wrap_socket(
        stream, server_hostname=address.host, do_handshake_on_connect=False
    )
    loop = asyncio.get_running_loop()
    try:
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(secured, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _ready(secured, loop.add_writer, loop.remove_writer)
            else:
                return secured
    except BaseException:
        secured.close()
        raise


async def _ready(
    stream: socket.socket,
    watch: Callable[..., object],
    unwatch: Callable[[int], object],
) -> None:
    ready = asyncio.Event()
    watch(stream.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        unwatch(stream.fileno())
