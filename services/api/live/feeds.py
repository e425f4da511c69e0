"""The followers of the log: one for newest values, one for alerts; what they know is shared by all clients."""

import datetime as dt
import random
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import structlog
from prometheus_client import Gauge

from services.api.auth.permissions import Place
from services.api.failures import TooMuchError
from services.api.live.bell import Bell
from services.api.live.latest_table import LatestTable
from services.api.live.store import (
    AlertSubjects,
    cells_since,
    cursor_before,
    find_subjects,
    folded_cursor,
    household_cells,
    newest_batches,
    newest_frame,
    read_codings,
    read_public_ids,
    read_revision,
)
from services.api.moments import say_moment
from services.api.store import Database
from services.core.clock import Clock
from services.core.errors import CursorTooOldError, StorageUnavailableError
from services.core.process import side_by_side
from services.core.storage.alert_stream import AlertChange, decode_changes
from services.core.storage.event_log import Cursor, LogEntry, Stream, follow
from services.core.storage.log_batch import ObservationBatch, decode
from services.core.storage.pool import Connection

log = structlog.get_logger()

_RETRY_SECONDS: Final = (0.5, 2.0)
_REGISTRY_SECONDS: Final = 1.0
_ALERT_BATCHES: Final = 1_000
_HOMELESS_BATCHES: Final = 100
_MOST_NAMED: Final = 20_000

_position = Gauge(
    "alatau_api_live_batch", "Newest batch that the live streams know.", ("stream",)
)


class Feed:
    """What both feeds are: a place in a stream, and a bell that rings when it moves.

    begun_after: the batch whose successor is the first that this feed can repeat to a client.
    """

    rest = 0.0  # seconds between two looks into the log

    def __init__(self, stream: Stream, clock: Clock) -> None:
        self.stream = stream
        self.clock = clock
        self.bell = Bell()
        self.cursor: Cursor | None = None
        self.begun_after = 0
        self.following = False

    @property
    def batch(self) -> int:
        """The newest batch this feed knows; -1: it is not ready."""
        return self.cursor.batch if self.cursor else -1

    @property
    def ready(self) -> bool:
        return self.cursor is not None

    def can_resume(self, batch: int) -> bool:
        """Whether all that came after this batch is still known."""
        return self.ready and self.begun_after <= batch <= self.batch

    def begin(self, cursor: Cursor) -> None:
        self.begun_after = cursor.batch
        self.cursor = cursor
        self.tell()

    def tell(self) -> None:
        """Wake the clients."""
        _position.labels(self.stream).set(self.batch)
        self.bell.ring()


class LatestFeed(Feed):
    """Newest values of all datastreams, as of a batch of the observations stream."""

    rest = 0.05  # two frames of a screen: nobody sees the difference

    def __init__(self, clock: Clock) -> None:
        super().__init__("observations", clock)
        self.table = LatestTable()
        self.revision = -1
        self._looked_at = 0.0
        self._homeless: deque[ObservationBatch] = deque(maxlen=_HOMELESS_BATCHES)
        self._named: set[str] = set()
        self._to_load: set[str] = set()
        self.loads = 0  # how often named datastreams came to the table

    def name(self, names: Iterable[str]) -> None:
        """Hold the household datastreams of these things, keys or ids too: within a second they are there.

        Raises:
            TooMuchError: more than can be held have been named.
        """
        new = set(names) - self._named
        if len(self._named) + len(new) > _MOST_NAMED:
            raise TooMuchError("Too many households are being watched already.")
        self._named |= new
        self._to_load |= new

    async def prepare(self, connection: Connection) -> Cursor:
        """Stored newest values and the place in the log they stand for, in one snapshot."""
        self.table, self.revision = LatestTable(), -1
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await folded_cursor(connection)
            await self._load_registry(connection)
            await self._load_newest(connection, cursor.batch, self.table.frames())
        return cursor

    async def take(self, connection: Connection, entry: LogEntry) -> None:
        """Values of devices that were registered a moment ago wait until the registry is looked at again."""
        batch = decode(entry.body)
        if not self.table.apply(entry.batch, batch):
            self._homeless.append(batch)
        now = self.clock.monotonic()
        if now - self._looked_at >= _REGISTRY_SECONDS:
            self._looked_at = now
            await self._refresh(connection, entry.batch)
            while self._homeless:
                self.table.apply(entry.batch, self._homeless.popleft())

    async def _refresh(self, connection: Connection, number: int) -> None:
        named, self._to_load = self._to_load, set()
        if not named and await read_revision(connection) == self.revision:
            return
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await self._load_registry(connection)
            if named:
                new = self.table.cells_of(await household_cells(connection, named))
                frames = self.table.frames(new)
                await self._load_newest(connection, number, frames)
                self.loads += 1

    async def _load_newest(
        self, connection: Connection, number: int, frames: list[int]
    ) -> None:
        async for batch in newest_batches(connection, frames):
            self.table.apply(number, batch)

    async def _load_registry(self, connection: Connection) -> None:
        revision = await read_revision(connection)
        self.table.codings = await read_codings(connection)
        async for cells in cells_since(connection, self.revision):
            self.table.take_cells(cells)
        self.table.take_cells(await household_cells(connection, self._named))
        public = await read_public_ids(connection)
        self.table.settle(public, await newest_frame(connection))
        self.revision = revision


@dataclass(frozen=True, slots=True)
class SaidChange:
    """An alert's change, ready to be sent to whoever may see its place."""

    place: Place
    severity: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertBatch:
    batch: int
    changes: tuple[SaidChange, ...]


class AlertFeed(Feed):
    """The newest thousand batches of the alerts stream; who is further behind begins anew with a snapshot."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("alerts", clock)
        self._batches: deque[AlertBatch] = deque(maxlen=_ALERT_BATCHES)

    async def prepare(self, connection: Connection) -> Cursor:
        self._batches.clear()
        return await cursor_before(connection, "alerts", _ALERT_BATCHES)

    async def take(self, connection: Connection, entry: LogEntry) -> None:
        changes = decode_changes(entry.body)
        subjects = await find_subjects(connection, changes)
        said = tuple(_say(change, subjects) for change in changes)
        self._batches.append(AlertBatch(entry.batch, said))
        self.begun_after = max(self.begun_after, self._batches[0].batch - 1)

    def after(self, batch: int) -> list[AlertBatch]:
        """The batches after one that can_resume() allows."""
        return [one for one in self._batches if one.batch > batch]


def _say(change: AlertChange, subjects: AlertSubjects) -> SaidChange:
    district = subjects.districts.get(change.district_id or 0)
    place = Place(
        change.domain, district, household=change.datastream_id in subjects.household
    )
    document = {
        "alert_id": change.alert_id,
        "fingerprint": change.fingerprint,
        "version": change.version,
        "action": change.action,
        "at": say_moment(change.at),
        "actor": change.actor,
        "reason": change.reason,
        "state": change.state,
        "severity": change.severity,
        "class": change.alert_class,
        "rule": change.rule_key,
        "labels": change.labels,
        "domain": change.domain,
        "district": district,
        "thing": subjects.things.get(change.thing_id or 0),
        "datastream": subjects.datastreams.get(change.datastream_id or 0),
        "value": change.value,
        "starts_at": say_moment(change.starts_at),
        "detected_at": _maybe(change.detected_at),
        "ends_at": _maybe(change.ends_at),
        "acknowledged_at": _maybe(change.acknowledged_at),
        "acknowledged_by": change.acknowledged_by,
    }
    return SaidChange(place, change.severity, document)


def _maybe(moment: dt.datetime | None) -> str | None:
    return None if moment is None else say_moment(moment)


class Feeds:
    """Both feeds and the tasks that keep them up to date."""

    def __init__(self, database: Database, clock: Clock, chance: random.Random) -> None:
        self.latest = LatestFeed(clock)
        self.alerts = AlertFeed(clock)
        self.closing = False
        self._database = database
        self._clock = clock
        self._chance = chance

    async def follow(self) -> None:
        """For ever, through any trouble with the database."""
        await side_by_side(self._keep(self.latest), self._keep(self.alerts))

    def close(self) -> None:
        """Let all clients go: their streams end at once."""
        self.closing = True
        self.latest.bell.ring()
        self.alerts.bell.ring()

    async def _keep(self, feed: LatestFeed | AlertFeed) -> None:
        """Follow for ever; after any trouble with the database go on from where it was."""
        while True:
            try:
                await self._follow(feed)
            except StorageUnavailableError as error:
                log.warning(
                    "a live stream lost the database",
                    action="live_lost",
                    stream=feed.stream,
                    error=repr(error.__cause__),
                )
            except CursorTooOldError:
                log.warning(
                    "a live stream fell behind the log and begins anew",
                    action="live_reset",
                    stream=feed.stream,
                )
                feed.cursor = None
            finally:
                feed.following = False
                feed.bell.ring()
            await self._clock.sleep(self._chance.uniform(*_RETRY_SECONDS))

    async def _follow(self, feed: LatestFeed | AlertFeed) -> None:
        async with self._database.following() as connection:
            cursor = feed.cursor
            if cursor is None:
                cursor = await feed.prepare(connection)
                feed.begin(cursor)
            feed.following = True
            batches = follow(connection, feed.stream, cursor, rest=feed.rest)
            async with aclosing(batches):
                async for entries in batches:
                    for entry in entries:
                        await feed.take(connection, entry)
                        feed.cursor = entry.cursor
                    feed.tell()
