"""The rules service: runs the engine for ever, begins again from the database after any trouble with it."""

import asyncio
from typing import Final

from prometheus_client import Counter, Gauge

from services.core.clock import Clock
from services.core.process import announce_ready, notify_supervisor, side_by_side
from services.core.storage.event_log import follow, tail
from services.core.storage.follower import follow_for_ever
from services.core.storage.pool import Connection, connect
from services.core.unhurried import Unhurried
from services.rules import store
from services.rules.engine import Engine, load_watch
from services.rules.platform import PlatformWatch

_BATCHES = Counter("alatau_rules_batches_total", "Event log batches judged")
_MOVES = Counter("alatau_rules_moves_total", "Changes of alerts' states")
_BEHIND = Gauge("alatau_rules_batches_behind", "Event log batches not judged yet")
_TARGETS = Gauge("alatau_rules_targets", "Datastreams and devices that rules look at")
_CHECK_SECONDS: Final = 1.0
_PLATFORM_SECONDS: Final = 10.0
_RELOAD_SHARE: Final = 10  # a reload that takes long is not repeated at once


async def run_rules(dsn: str, clock: Clock, stop: asyncio.Event) -> None:
    """Evaluate until stop is set; a rules service that the log was dropped behind begins from the latest values."""

    async def work(reader: Connection, writer: Connection) -> None:
        side = await connect(dsn, "rules-side")
        try:
            await _evaluate(reader, writer, side, clock)
        finally:
            side.terminate()

    await follow_for_ever(dsn, "rules", work, clock, stop)


async def _evaluate(
    reader: Connection, writer: Connection, side: Connection, clock: Clock
) -> None:
    """side: for what takes long and needs no turn."""
    await store.become_the_only_one(writer)
    engine = await Engine.begin(writer)
    announce_ready()
    turn = asyncio.Lock()  # the engine and its connection do one thing at a time
    await side_by_side(
        _follow_log(engine, reader, turn),
        _look_after(engine, writer, clock, turn),
        _keep(engine, side, clock, turn),
    )


async def _follow_log(engine: Engine, reader: Connection, turn: asyncio.Lock) -> None:
    async for entries in follow(reader, "observations", engine.cursor):
        async with turn:
            _MOVES.inc(await engine.take(entries))
        _BATCHES.inc(len(entries))


async def _look_after(
    engine: Engine, writer: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    """Every second: report; now and then look at ourselves."""
    watch, looked_at = PlatformWatch(clock), clock.monotonic()
    while True:
        _TARGETS.set(len(engine.targets))
        await clock.sleep(_CHECK_SECONDS)
        async with turn:
            newest = await tail(writer, "observations")
            _BEHIND.set(newest.batch - engine.cursor.batch)
            notify_supervisor("WATCHDOG=1")
            if clock.monotonic() - looked_at >= _PLATFORM_SECONDS:
                _MOVES.inc(await watch.look(writer))
                looked_at = clock.monotonic()


async def _keep(
    engine: Engine, side: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    """Every second: take up rules and targets that have changed; now and then store the memory.

    Both are loaded and written beside the judging, which goes on meanwhile.
    """
    while True:
        await clock.sleep(_CHECK_SECONDS)
        began = clock.monotonic()
        await _follow_registry(engine, side, turn)
        await _store_memory(engine, side, clock, turn)
        await clock.sleep(_RELOAD_SHARE * (clock.monotonic() - began))


async def _follow_registry(
    engine: Engine, side: Connection, turn: asyncio.Lock
) -> None:
    revision = await store.registry_revision(side)
    if revision == engine.revision:
        return
    if not await store.has_changed(side, engine.revision):
        engine.pass_over(revision)
        return
    watch = await load_watch(side)
    async with turn:
        await engine.reload(watch)


async def _store_memory(
    engine: Engine, side: Connection, clock: Clock, turn: asyncio.Lock
) -> None:
    async with turn:
        remembered = await engine.remember()
    if remembered is not None:
        async with side.transaction():
            await remembered.save(side, Unhurried(clock))
