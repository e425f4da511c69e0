"""The door as a part of ingest: opened once all behind it stands, closed before it goes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from services.core.clock import Clock
from services.core.errors import ConfigurationError
from services.core.http_server import Certificate, listen, serve
from services.core.settings import Settings
from services.ingest.decode import Decoder
from services.ingest.door.app import Counter, create_app
from services.ingest.door.bodies import BodyReader
from services.ingest.door.callers import Callers
from services.ingest.door.store import ProofStore
from services.ingest.door.waiting import WaitingRoom
from services.ingest.registry import Registry
from services.ingest.side_connection import SideConnection

log = structlog.get_logger()


@asynccontextmanager
async def open_door(
    settings: Settings, decoder: Decoder, registry: Registry, clock: Clock
) -> AsyncIterator[WaitingRoom]:
    """What comes through it waits in the room. At the end, what is not committed is answered with 503.

    Raises:
        ConfigurationError: its address or its certificate cannot be used.
    """
    host, _, port = (settings.door_bind or "").rpartition(":")
    certificate = _certificate(settings)
    connection = SideConnection(settings.dsn, "ingest-door")
    room = WaitingRoom()
    callers = Callers(ProofStore(connection).load, lambda: registry.revision, clock)
    app = create_app(Counter(room, callers, BodyReader(), decoder.reads, clock))
    stop, started = asyncio.Event(), asyncio.Event()
    with listen(host.strip("[]"), int(port)) as listening:
        serving = asyncio.create_task(
            serve(app, listening, stop, started.set, room.close, certificate),
            name="ingest.door",
        )
        serving.add_done_callback(lambda task: _tell_of_end(task, room))
        log.info(
            "the HTTPS door is open",
            action="door_open",
            address=settings.door_bind,
            tls=certificate is not None,
        )
        try:
            yield room
        finally:
            stop.set()
            await serving
            connection.terminate()


def _certificate(settings: Settings) -> Certificate | None:
    chain, key = settings.door_certificate, settings.door_key
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise ConfigurationError(
            "ALATAU_DOOR_CERTIFICATE and ALATAU_DOOR_KEY belong together."
        )
    unread = [str(path) for path in (chain, key) if not path.is_file()]
    if unread:
        raise ConfigurationError(f"The door's certificate is not here: {unread[0]}.")
    return Certificate(chain, key)


def _tell_of_end(task: asyncio.Task[None], room: WaitingRoom) -> None:
    """A door that failed must end ingest, not stand there closed."""
    if not task.cancelled() and (error := task.exception()) is not None:
        room.fail(error)
