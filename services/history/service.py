"""The history service: runs the folding for ever, begins again from the cursor after any database trouble."""

import asyncio
from typing import Final

from prometheus_client import Counter, Gauge

from services.core.clock import Clock
from services.core.process import announce_ready, notify_supervisor, side_by_side
from services.core.storage.event_log import follow, tail
from services.core.storage.follower import follow_for_ever
from services.core.storage.pool import Connection
from services.history import law, store
from services.history.folding import KEEP_LOG, Folding

_BATCHES = Counter("alatau_history_batches_total", "Event log batches folded")
_BEHIND = Gauge("alatau_history_batches_behind", "Event log batches not folded yet")
_SHORTEST_PAUSE: Final = 0.4  # between two flushes
_LONGEST_PAUSE: Final = 1.0
_FLUSH_SHARE: Final = (
    4  # a flush that takes long is not repeated at once: more is coalesced
)
_REST_SECONDS: Final = 0.1  # nobody waits for the ledger
_TRIM_SECONDS: Final = 60.0
_LAW_SECONDS: Final = 5.0
_TRIM_BEHIND: Final = 1_000


async def run_history(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    """Fold until stop is set."""

    async def work(reader: Connection, writer: Connection) -> None:
        folding = await Folding.begin(writer, clock)
        announce_ready()
        await _fold(folding, reader, writer, clock)

    await follow_for_ever(dsn, "history", work, clock, stop)


async def _fold(
    folding: Folding, reader: Connection, writer: Connection, clock: Clock
) -> None:
    turn = asyncio.Lock()  # the folding and its connection do one thing at a time
    await side_by_side(
        _follow_log(folding, reader, turn), _flush(folding, writer, clock, turn)
    )


async def _follow_log(folding: Folding, reader: Connection, turn: asyncio.Lock) -> None:
    batches = follow(reader, "observations", folding.cursor, rest=_REST_SECONDS)
    async for entries in batches:
        async with turn:
            await folding.fold(entries)
        _BATCHES.inc(len(entries))


async def _flush(
    folding: Folding, writer: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    """Write what has changed, a few times a second at the most; now and then make room in the log."""
    trimmed_at = looked_at = clock.monotonic()
    pause = _SHORTEST_PAUSE
    while True:
        await clock.sleep(pause)
        async with turn:
            began = clock.monotonic()
            rested = await folding.flush()
            took = clock.monotonic() - began - rested
            pause = min(max(_SHORTEST_PAUSE, _FLUSH_SHARE * took), _LONGEST_PAUSE)
            behind = (await tail(writer, "observations")).batch - folding.cursor.batch
            _BEHIND.set(behind)
            notify_supervisor("WATCHDOG=1")
            now = clock.monotonic()
            if now - looked_at >= _LAW_SECONDS and behind < _TRIM_BEHIND:
                await law.ask_for_missing(writer, clock.now())
                await law.measure(writer)
                looked_at = now
            # Totals exist only in the log until they are folded: while behind, nothing is dropped.
            if now - trimmed_at >= _TRIM_SECONDS and behind < _TRIM_BEHIND:
                await store.drop_passed_log(writer, KEEP_LOG, clock.now())
                await law.forget_closed(writer, clock.now())
                trimmed_at = now
