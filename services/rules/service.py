"""The rules service: runs the engine for ever, begins again from the database after any trouble with it."""

import asyncio
from typing import Final

from prometheus_client import Counter, Gauge

from services.core.clock import Clock
from services.core.process import notify_supervisor, side_by_side
from services.core.storage.event_log import follow, tail
from services.core.storage.follower import follow_for_ever
from services.core.storage.pool import Connection
from services.rules import store
from services.rules.engine import Engine
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
        await _evaluate(reader, writer, clock)

    await follow_for_ever(dsn, "rules", work, clock, stop)


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
    """Every second: report, and take up rules and targets that have changed; now and then look at ourselves."""
    watch, looked_at = PlatformWatch(clock), clock.monotonic()
    while True:
        _TARGETS.set(len(engine.targets))
        await clock.sleep(_CHECK_SECONDS)
        began = clock.monotonic()
        async with turn:
            newest = await tail(writer, "observations")
            _BEHIND.set(newest.batch - engine.cursor.batch)
            notify_supervisor("WATCHDOG=1")
            if clock.monotonic() - looked_at >= _PLATFORM_SECONDS:
                _MOVES.inc(await watch.look(writer))
                looked_at = clock.monotonic()
            if await store.registry_revision(writer) == engine.revision:
                continue
            await engine.reload()
        await clock.sleep(_RELOAD_SHARE * (clock.monotonic() - began))
