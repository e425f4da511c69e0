"""Bounds what only grows: refusals go by whole days, their raw messages by bytes, commands when they are long settled.

Corrections are kept for ever: with observation_changes they are the record of what was known before.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog

from services.core.clock import Clock
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient

log = structlog.get_logger()

_EVERY_SECONDS: Final = 600.0
_MOST_COMMANDS: Final = 20_000  # at once: a few seconds' work

# Ids rise with the time of asking, so what was asked since ends the walk. A rotation under way needs its command.
_FORGET_COMMANDS: Final = """
WITH old AS (
    SELECT command_id FROM commands c
    WHERE command_id < coalesce((SELECT command_id FROM commands WHERE asked_at >= $1 ORDER BY command_id LIMIT 1), 1::bigint << 62)
      AND coalesce(answered_at, expired_at) < $1
      AND NOT EXISTS (SELECT FROM rotations r WHERE r.command_id = c.command_id)
    ORDER BY command_id LIMIT $2)
DELETE FROM commands WHERE command_id IN (SELECT command_id FROM old)
"""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long refusals are kept, how many bytes of raw messages at most, and how long settled commands."""

    age: dt.timedelta = dt.timedelta(days=30)
    payload_bytes: int = 2_000_000_000
    commands: dt.timedelta = dt.timedelta(days=90)


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
                "what is old is not forgotten yet",
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
    done = await connection.execute(
        _FORGET_COMMANDS, now - keep.commands, _MOST_COMMANDS
    )
    commands = int(done.rpartition(" ")[2])
    if days or forgotten or commands:
        log.info(
            "what is old is forgotten",
            action="forget",
            days=len(days),
            payload_bytes=forgotten,
            commands=commands,
        )
