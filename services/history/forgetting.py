"""Bounds the rejected inbox: what is old goes by whole days, and raw messages when there are too many bytes of them."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog

from services.core.clock import Clock
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient

log = structlog.get_logger()

_EVERY_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Keep:
    """How long refusals are kept, and how many bytes of raw messages at most."""

    age: dt.timedelta = dt.timedelta(days=30)
    payload_bytes: int = 2_000_000_000


async def forget_for_ever(dsn: str, keep: Keep, clock: Clock) -> None:
    """Every ten minutes; trouble of the database is left for the next time."""
    while True:
        try:
            connection = await connect(dsn, "history-forgetting")
            try:
                await forget(connection, keep, clock.now())
            finally:
                await connection.close()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "old refusals are not forgotten yet",
                action="forget_retry",
                error=str(error),
            )
        await clock.sleep(_EVERY_SECONDS)


async def forget(connection: Connection, keep: Keep, now: dt.datetime) -> None:
    """Totals stay exact: they are the ledger's."""
    days = await connection.fetch("SELECT rejected_drop_old($1, $2)", keep.age, now)
    forgotten = await connection.fetchval(
        "SELECT rejected_forget_payloads($1)", keep.payload_bytes
    )
    if days or forgotten:
        log.info(
            "old refusals are forgotten",
            action="forget",
            days=len(days),
            payload_bytes=forgotten,
        )
