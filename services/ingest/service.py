"""The ingest service: what is opened in which order, and closed in reverse."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from services.core.broker import users
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.options import as_user
from services.core.clock import Clock, SteadyClock
from services.core.process import announce_ready, until_stopped
from services.core.settings import Settings
from services.core.storage.event_log import tail
from services.core.storage.transient import is_transient
from services.ingest.commands import Commands
from services.ingest.corrections import Corrections
from services.ingest.decode import Decoder
from services.ingest.door.service import open_door
from services.ingest.downlink import Downlink, Outlet
from services.ingest.fair_source import FairSource
from services.ingest.fairness import Fairness
from services.ingest.lanes import NewestTimes
from services.ingest.merged_source import MergedSource
from services.ingest.pipeline import Pipeline
from services.ingest.recall import count_from_now, recall, recall_formats
from services.ingest.receipts import Receipts
from services.ingest.registry import Registry
from services.ingest.replay import Replays
from services.ingest.side_connection import SideConnection
from services.ingest.source import Intake
from services.ingest.standings import Standings
from services.ingest.store import Store
from services.ingest.waker import Waker
from services.ingest.writer import Writer

log = structlog.get_logger()

Opened = TypeVar("Opened")
_KEEPALIVE_SECONDS: Final = 8  # a half-open connection is found in half as much again
# Its signs of life wait behind receipts; a broker that is gone is found by the other connection.
_DOWNLINK_KEEPALIVE_SECONDS: Final = 60
# Some hundred receipts. What waits in ingest meanwhile becomes one receipt a publisher; in the socket it would not.
_DOWNLINK_BYTES: Final = 16_384
_REST_SECONDS: Final = 0.005
_RETRY_SECONDS: Final = 1.0


async def run_ingest(
    settings: Settings, clock: Clock, chance: random.Random, stop: asyncio.Event
) -> None:
    """Begin, be ready, and store until stop is set. Database trouble is waited out; any other error ends it."""
    pipelines: list[Pipeline] = []
    async with contextlib.AsyncExitStack() as opened:

        async def begin() -> None:
            pipeline = await _begin(settings, clock, chance, opened)
            _open_inbox(pipeline, settings, clock, opened)
            pipelines.append(pipeline)

        await until_stopped(begin(), stop)
        for pipeline in pipelines:
            announce_ready()
            log.info("ingest is ready", action="ready")
            await pipeline.run(stop)


async def _begin(
    settings: Settings,
    clock: Clock,
    chance: random.Random,
    opened: contextlib.AsyncExitStack,
) -> Pipeline:
    """Become the one writer, learn what is known, then subscribe.

    The broker comes last: a second ingest that waits for the lock must not take the first one's session away.
    """
    store = Store(settings.dsn)
    opened.push_async_callback(store.close)
    await _patiently(store.open, clock)
    logged = await tail(store.connection, "observations")
    log_clock = SteadyClock(not_before=logged.logged_at)
    newest, receipts, decoder = NewestTimes(), Receipts(), Decoder()
    await recall(store.connection, newest, receipts)
    await count_from_now(store.connection)
    decoder.remember(await recall_formats(store.connection))
    registry_connection = SideConnection(settings.dsn, "ingest-registry")
    wake_connection = SideConnection(settings.dsn, "ingest-wake")
    command_connection = SideConnection(settings.dsn, "ingest-commands")
    opened.callback(registry_connection.terminate)
    opened.callback(wake_connection.terminate)
    opened.callback(command_connection.terminate)
    registry = Registry(registry_connection, clock)
    await _patiently(registry.refresh, clock)
    standings = Standings(decoder, clock)
    client = await opened.enter_async_context(
        _client(settings, clock, chance, standings)
    )
    await client.subscribe(decoder.filters)
    await opened.enter_async_context(standings.kept(client))
    fair = FairSource(
        client,
        Fairness(registry.messages_a_second),
        decoder.publisher_of,
        SideConnection(settings.dsn, "ingest-set-aside"),
        clock,
    )
    broker = await opened.enter_async_context(fair)
    intake = Intake(
        broker,
        await _outlet(settings, client, clock, chance, opened),
        decoder,
        Commands(command_connection, client, clock),
        fair.waiting,
    )
    if settings.door_bind is not None:
        room = await opened.enter_async_context(
            open_door(settings, decoder, registry, clock)
        )
        source = await opened.enter_async_context(MergedSource(broker, room))
        intake = replace(intake, source=source, explain=room.explain)
    return Pipeline(
        intake,
        registry,
        Writer(store, newest, clock, chance, log_clock.now),
        receipts,
        Waker(wake_connection, clock),
        clock,
    )


def _open_inbox(
    pipeline: Pipeline,
    settings: Settings,
    clock: Clock,
    opened: contextlib.AsyncExitStack,
) -> None:
    """Beside the pipeline: replays of what was refused, corrections, and what watchers are told."""
    replay_connection = SideConnection(settings.dsn, "ingest-replays")
    watch_connection = SideConnection(settings.dsn, "ingest-watch")
    opened.callback(replay_connection.terminate)
    opened.callback(watch_connection.terminate)
    replays = Replays(replay_connection, clock, pipeline.take_in_again)
    pipeline.beside("replays", replays.run)
    correction_connection = SideConnection(settings.dsn, "ingest-corrections")
    opened.callback(correction_connection.terminate)
    take_in = pipeline.take_in_revision
    corrections = Corrections(correction_connection, clock, take_in)
    pipeline.beside("corrections", corrections.run)
    pipeline.beside("watch", lambda: pipeline.tap.run(watch_connection))


def _client(
    settings: Settings, clock: Clock, chance: random.Random, standings: Standings
) -> BrokerClient:
    options = ClientOptions(
        settings.broker_url.unicode_string(),
        client_id=settings.broker_url.username or users.INGEST,
        clean_session=False,
        manual_ack=True,
        keepalive=_KEEPALIVE_SECONDS,
        longest_pause=2.0,
        rest=_REST_SECONDS,
        fresh_will=standings.will,
    )
    return BrokerClient(options, clock=clock, chance=chance)


async def _outlet(
    settings: Settings,
    client: BrokerClient,
    clock: Clock,
    chance: random.Random,
    opened: contextlib.AsyncExitStack,
) -> Outlet:
    """A broker that somebody else runs knows one user of ours, so there is one connection then."""
    if settings.broker_url.username != users.INGEST:
        return client
    options = ClientOptions(
        as_user(settings.broker_url.unicode_string(), users.DOWNLINK),
        keepalive=_DOWNLINK_KEEPALIVE_SECONDS,
        send_buffer=_DOWNLINK_BYTES,
        longest_pause=2.0,
    )
    own = BrokerClient(options, clock=clock, chance=chance)
    downlink = Downlink(await opened.enter_async_context(own), client)
    return await opened.enter_async_context(downlink)


async def _patiently(open_it: Callable[[], Awaitable[Opened]], clock: Clock) -> Opened:
    while True:
        try:
            return await open_it()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "the database does not answer; ingest waits",
                action="retry",
                error=str(error),
            )
        await clock.sleep(_RETRY_SECONDS)
