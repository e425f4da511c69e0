"""What people ask of ingest by rows: the oldest open one is carried out, then the next, for ever."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from services.core.clock import Clock
from services.core.storage.pool import Connection
from services.core.storage.transient import is_transient
from services.ingest.side_connection import SideConnection

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0

CarryOut = Callable[[Connection, Mapping[str, Any]], Awaitable[None]]


async def carry_out_errands(
    connection: SideConnection, clock: Clock, oldest: str, carry_out: CarryOut
) -> None:
    """oldest: SQL of the oldest open row; carry_out closes it. Trouble of the database is for the next look."""
    while True:
        try:
            session = await connection.get()
            while row := await session.fetchrow(oldest):
                await carry_out(session, row)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "what was asked for waits for the database",
                action="errand_retry",
                error=str(error),
            )
        await clock.sleep(_LOOK_SECONDS)
