"""A service that follows the log: a reading and a writing connection, and patience with the database."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from services.core.clock import Clock
from services.core.errors import CursorTooOldError
from services.core.process import until_stopped
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient

log = structlog.get_logger()

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0

Work = Callable[[Connection, Connection], Coroutine[object, object, None]]


async def follow_for_ever(
    dsn: str, service: str, work: Work, clock: Clock, stop: asyncio.Event
) -> None:
    """Run work(reader, writer) until stop is set, and begin it again after trouble that may pass.

    Such trouble: the database's, and a log that was dropped behind the service. Any other error is raised.
    """
    pause = _FIRST_PAUSE
    while not stop.is_set():
        began = clock.monotonic()
        try:
            await _with_connections(dsn, service, work, stop)
        except Exception as error:
            if not (is_transient(error) or isinstance(error, CursorTooOldError)):
                raise
            log.warning(
                "trouble with the database; beginning again",
                action="retry",
                service=service,
                error=str(error),
            )
            if clock.monotonic() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await until_stopped(clock.sleep(pause), stop)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _with_connections(
    dsn: str, service: str, work: Work, stop: asyncio.Event
) -> None:
    reader = await connect(dsn, service)
    try:
        writer = await connect(dsn, service)
        try:
            await until_stopped(work(reader, writer), stop)
        finally:
            writer.terminate()
    finally:
        reader.terminate()
