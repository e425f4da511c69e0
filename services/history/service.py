"""The history service: runs the folding for ever, begins again from the cursor after any database trouble."""

import asyncio
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from services.core.clock import Clock
from services.core.process import notify_supervisor, side_by_side, until_stopped
from services.core.storage.event_log import follow, tail
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient
from services.history import store
from services.history.folding import KEEP_LOG, Folding

log = structlog.get_logger()

_BATCHES = Counter("alatau_history_batches_total", "Event log batches folded")
_BEHIND = Gauge("alatau_history_batches_behind", "Event log batches not folded yet")
_FLUSH_SECONDS: Final = 0.4
_TRIM_SECONDS: Final = 60.0
_TRIM_BEHIND: Final = 1_000
_FIRST_RETRY_SECONDS: Final = 0.2
_LONGEST_RETRY_SECONDS: Final = 10.0


async def run_history(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    """Fold until stop is set. Database trouble that may pass is waited out; any other error ends the process."""
    pause = _FIRST_RETRY_SECONDS
    while not stop.is_set():
        began = clock.monotonic()
        try:
            await _fold_until_stopped(dsn, clock, stop)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "the database does not answer; history waits",
                action="retry",
                error=str(error),
            )
            if clock.monotonic() - began > _LONGEST_RETRY_SECONDS:
                pause = _FIRST_RETRY_SECONDS
            await clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)


async def _fold_until_stopped(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    reader, writer = await connect(dsn, "history"), await connect(dsn, "history")
    try:
        folding = await Folding.begin(writer, clock)
        notify_supervisor("READY=1")
        await until_stopped(_fold(folding, reader, writer, clock), stop)
    finally:
        reader.terminate()
        writer.terminate()


async def _fold(
    folding: Folding, reader: Connection, writer: Connection, clock: Clock
) -> None:
    turn = asyncio.Lock()  # the folding and its connection do one thing at a time
    await side_by_side(
        _follow_log(folding, reader, turn), _flush(folding, writer, clock, turn)
    )


async def _follow_log(folding: Folding, reader: Connection, turn: asyncio.Lock) -> None:
    async for entries in follow(reader, "observations", folding.cursor):
        async with turn:
            await folding.fold(entries)
        _BATCHES.inc(len(entries))


async def _flush(
    folding: Folding, writer: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    """Write what has changed, a few times a second at the most; now and then make room in the log."""
    trimmed_at = clock.monotonic()
    while True:
        await clock.sleep(_FLUSH_SECONDS)
        async with turn:
            await folding.flush()
            behind = (await tail(writer, "observations")).batch - folding.cursor.batch
            _BEHIND.set(behind)
            notify_supervisor("WATCHDOG=1")
            now = clock.monotonic()
            # Totals exist only in the log until they are folded: while behind, nothing is dropped.
            if now - trimmed_at >= _TRIM_SECONDS and behind < _TRIM_BEHIND:
                await store.drop_passed_log(writer, KEEP_LOG, clock.now())
                trimmed_at = now
