"""The rules service: runs the engine for ever, begins again from the database after any trouble with it."""

import asyncio
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from services.core.clock import Clock
from services.core.errors import CursorTooOldError
from services.core.process import notify_supervisor, side_by_side, until_stopped
from services.core.storage.event_log import follow, tail
from services.core.storage.pool import Connection, connect
from services.core.storage.transient import is_transient
from services.rules import store
from services.rules.engine import Engine

log = structlog.get_logger()

_BATCHES = Counter("alatau_rules_batches_total", "Event log batches judged")
_MOVES = Counter("alatau_rules_moves_total", "Changes of alerts' states")
_BEHIND = Gauge("alatau_rules_batches_behind", "Event log batches not judged yet")
_TARGETS = Gauge("alatau_rules_targets", "Datastreams and devices that rules look at")
_FIRST_RETRY_SECONDS: Final = 0.2
_LONGEST_RETRY_SECONDS: Final = 10.0
_CHECK_SECONDS: Final = 1.0
_RELOAD_SHARE: Final = 10  # a reload that takes long is not repeated at once


async def run_rules(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    """Evaluate until stop is set. Database trouble that may pass is waited out; any other error ends the process."""
    pause = _FIRST_RETRY_SECONDS
    while not stop.is_set():
        began = clock.monotonic()
        try:
            await _evaluate_until_stopped(dsn, clock, stop)
        except CursorTooOldError:
            continue  # the engine begins again from the latest values
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "the database does not answer; the rules wait",
                action="retry",
                error=str(error),
            )
            if clock.monotonic() - began > _LONGEST_RETRY_SECONDS:
                pause = _FIRST_RETRY_SECONDS
            await clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_RETRY_SECONDS)


async def _evaluate_until_stopped(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    reader, writer = await connect(dsn, "rules"), await connect(dsn, "rules")
    try:
        await until_stopped(_evaluate(reader, writer, clock), stop)
    finally:
        reader.terminate()
        writer.terminate()


async def _evaluate(reader: Connection, writer: Connection, clock: Clock) -> None:
    await store.become_the_only_one(writer)
    engine = await Engine.begin(writer)
    notify_supervisor("READY=1")
    turn = asyncio.Lock()  # the engine and its connection do one thing at a time
    await side_by_side(
        _follow_log(engine, reader, turn), _look_after(engine, writer, clock, turn)
    )


async def _follow_log(engine: Engine, reader: Connection, turn: asyncio.Lock) -> None:
    async for entries in follow(reader, "observations", engine.cursor):
        async with turn:
            _MOVES.inc(await engine.take(entries))
        _BATCHES.inc(len(entries))


async def _look_after(
    engine: Engine, writer: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    """Every second: report, and take up rules and targets that have changed."""
    while True:
        _TARGETS.set(len(engine.targets))
        await clock.sleep(_CHECK_SECONDS)
        began = clock.monotonic()
        async with turn:
            newest = await tail(writer, "observations")
            _BEHIND.set(newest.batch - engine.cursor.batch)
            notify_supervisor("WATCHDOG=1")
            if await store.registry_revision(writer) == engine.revision:
                continue
            await engine.reload()
        await clock.sleep(_RELOAD_SHARE * (clock.monotonic() - began))
