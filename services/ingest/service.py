"""The ingest service: what is opened in which order, and closed in reverse."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
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
_FIRST_PAUSE: Final = (
    0.1  # a database that recovers from a crash is often back within half a second
)
_LONGEST_PAUSE: Final = 1.0


async def run_ingest(
    settings: Settings, clock: Clock, chance: random.Random, stop: asyncio.Event
) -> None:
    """Begin, be ready, and store until stop is set. Database trouble is waited out; any other error ends it."""
    pipelines: list[Pipeline] = []
    async with contextlib.AsyncExitStack() as opened:
        opening = _Opening(settings, clock, chance, opened)

        async def begin() -> None:
            pipelines.append(await opening.pipeline())

        await until_stopped(begin(), stop)
        for pipeline in pipelines:
            announce_ready()
            log.info("ingest is ready", action="ready")
            await pipeline.run(stop)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What earlier runs left in the store. clock: of the log, not behind its newest entry."""

    store: Store
    clock: SteadyClock
    newest: NewestTimes
    receipts: Receipts
    decoder: Decoder


@dataclass(frozen=True, slots=True)
class _Opening:
    """All that ingest opens, and who gets it. opened: closes it, in reverse."""

    settings: Settings
    clock: Clock
    chance: random.Random
    opened: contextlib.AsyncExitStack

    async def pipeline(self) -> Pipeline:
        """Become the one writer, learn what is known, then subscribe.

        The broker comes last: a second ingest that waits for the lock must not take the first one's session away.
        """
        learned, clock = await self._learned(), self.clock
        registry = Registry(self._side("registry"), clock)
        waker = Waker(self._side("wake"), clock)
        await _patiently(registry.refresh, clock)
        intake = await self._intake(learned.decoder, registry)
        log_time = learned.clock.now
        writer = Writer(learned.store, learned.newest, clock, self.chance, log_time)
        pipeline = Pipeline(intake, registry, writer, learned.receipts, waker, clock)
        self._put_beside(pipeline)
        return pipeline

    async def _learned(self) -> _Learned:
        store = Store(self.settings.dsn)
        self.opened.push_async_callback(store.close)
        await _patiently(store.open, self.clock)
        logged = await tail(store.connection, "observations")
        newest, receipts, decoder = NewestTimes(), Receipts(), Decoder()
        await recall(store.connection, newest, receipts)
        await count_from_now(store.connection)
        decoder.remember(await recall_formats(store.connection))
        log_clock = SteadyClock(not_before=logged.logged_at)
        return _Learned(store, log_clock, newest, receipts, decoder)

    async def _intake(self, decoder: Decoder, registry: Registry) -> Intake:
        """The broker, read fairly, and the HTTPS door beside it."""
        commands = self._side("commands")
        standings = Standings(decoder, self.clock)
        client = await self.opened.enter_async_context(self._client(standings))
        await client.subscribe(decoder.filters)
        await self.opened.enter_async_context(standings.kept(client))
        fair = FairSource(
            client,
            Fairness(registry.messages_a_second),
            decoder.publisher_of,
            self._side("set-aside"),
            self.clock,
        )
        intake = Intake(
            await self.opened.enter_async_context(fair),
            await self._outlet(client),
            decoder,
            Commands(commands, client, self.clock),
            fair.waiting,
        )
        if self.settings.door_bind is None:
            return intake
        return await self._with_door(intake, registry)

    async def _with_door(self, intake: Intake, registry: Registry) -> Intake:
        door = open_door(self.settings, intake.decoder, registry, self.clock)
        room = await self.opened.enter_async_context(door)
        merged = MergedSource(intake.source, room)
        source = await self.opened.enter_async_context(merged)
        return replace(intake, source=source, explain=room.explain)

    def _put_beside(self, pipeline: Pipeline) -> None:
        """Replays of what was refused, corrections, and what watchers are told."""
        clock, watchers = self.clock, self._side("watch")
        replays = Replays(self._side("replays"), clock, pipeline.take_in_again)
        take_in = pipeline.take_in_revision
        corrections = Corrections(self._side("corrections"), clock, take_in)
        pipeline.beside("replays", replays.run)
        pipeline.beside("corrections", corrections.run)
        pipeline.beside("watch", lambda: pipeline.tap.run(watchers))

    def _side(self, name: str) -> SideConnection:
        side = SideConnection(self.settings.dsn, f"ingest-{name}")
        self.opened.callback(side.terminate)
        return side

    def _client(self, standings: Standings) -> BrokerClient:
        broker_url = self.settings.broker_url
        options = ClientOptions(
            broker_url.unicode_string(),
            client_id=broker_url.username or users.INGEST,
            clean_session=False,
            manual_ack=True,
            keepalive=_KEEPALIVE_SECONDS,
            longest_pause=2.0,
            rest=_REST_SECONDS,
            fresh_will=standings.will,
        )
        return BrokerClient(options, clock=self.clock, chance=self.chance)

    async def _outlet(self, client: BrokerClient) -> Outlet:
        """A broker that somebody else runs knows one user of ours, so there is one connection then."""
        broker_url = self.settings.broker_url
        if broker_url.username != users.INGEST:
            return client
        options = ClientOptions(
            as_user(broker_url.unicode_string(), users.DOWNLINK),
            keepalive=_DOWNLINK_KEEPALIVE_SECONDS,
            send_buffer=_DOWNLINK_BYTES,
            longest_pause=2.0,
        )
        own = BrokerClient(options, clock=self.clock, chance=self.chance)
        downlink = Downlink(await self.opened.enter_async_context(own), client)
        return await self.opened.enter_async_context(downlink)


async def _patiently(open_it: Callable[[], Awaitable[Opened]], clock: Clock) -> Opened:
    pause = _FIRST_PAUSE
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
        await clock.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
