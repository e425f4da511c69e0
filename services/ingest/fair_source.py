"""A source in which one publisher's flood waits, and everyone else's messages do not.

Whatever the broker has is taken at once, so that nobody's message stands behind another's backlog there. Messages of a
publisher that is over (fairness) are set aside, in memory and then on disk; they are given out in turns, few at
a time as long as there are others, so that a batch takes no longer for them. Nothing is dropped: what is on disk is
acknowledged to the broker and comes again after a crash, until it is committed.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Self

import msgspec
import structlog

from services.core.broker.link import Publication
from services.core.clock import Clock
from services.core.storage.transient import is_transient
from services.ingest import metrics, set_aside_store
from services.ingest.fairness import Fairness
from services.ingest.set_aside import BOUNDS, OVER_BUDGET, SET_ASIDE, Bounds, SetAside
from services.ingest.side_connection import SideConnection
from services.ingest.source import Source

log = structlog.get_logger()

_AT_ONCE: Final = 500  # taken from the broker ahead of being asked for
_FEW: Final = 200  # of those set aside, given out at once while there are others
_BESIDE: Final = 100  # of them, with messages of others, which are written now anyway
_LATE_ENOUGH: Final = 0.001  # seconds; a timer may be early by less
_SHARE: Final = 0.2  # of the time, for them, while there are others
_MANY: Final = 20_000
_CALM_SECONDS: Final = 2.0  # without others
_PAGE: Final = 500  # messages written at once
_READ_AT_ONCE: Final = 200
_RETRY_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 5.0  # while there is a flood


class FairSource:
    """Enter it; it takes from source as long as it has room itself."""

    def __init__(
        self,
        source: Source,
        fairness: Fairness,
        publisher_of: Callable[[str], str],
        connection: SideConnection,
        clock: Clock,
        bounds: Bounds = BOUNDS,
    ) -> None:
        """publisher_of: a topic's."""
        self._source = source
        self._fairness = fairness
        self._publisher_of = publisher_of
        self._disk = connection
        self._clock = clock
        self._bounds = bounds
        self._aside = SetAside(bounds)
        self._live: list[Publication] = []
        self._refused: deque[Publication] = deque()
        self._out: dict[int, tuple[int | None, Publication]] = {}
        self._next = 0
        self._done: list[int] = []  # ids on disk
        self._live_at = -_CALM_SECONDS
        self._given_at = self._turn_at = 0.0
        self._told_at = -_TELL_SECONDS
        self._failure: BaseException | None = None
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._disk_due = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._count()
        work = (("ingest.fetch", self._fetch()), ("ingest.set_aside", self._keep()))
        self._tasks = [asyncio.create_task(task, name=name) for name, task in work]
        self._disk_due.set()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def connection(self) -> int:
        return self._source.connection

    def waiting(self) -> dict[str, int]:
        """Messages set aside and not given out, by publisher."""
        return self._aside.by_publisher()

    async def receive(self, limit: int) -> list[Publication]:
        """At least one; of those that are set aside, as many as the others do not mind.

        Raises:
            whatever broke the source or this beyond repair.
        """
        while not (taken := self._take(limit)):
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        return taken

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        if not self._out:
            self._source.acknowledge(publications)
            return
        known: list[Publication] = []
        for publication in publications:
            if publication.connection not in (SET_ASIDE, OVER_BUDGET):
                known.append(publication)
                continue
            row, message = self._out.pop(publication.mid)
            if row is None:
                known.append(message)
            else:
                self._done.append(row)
        self._source.acknowledge(known)
        self._disk_due.set()
        if not self._out:
            self._rest()

    def _rest(self) -> None:
        """What was given out is committed: the others have the rest of the time."""
        now = self._clock.monotonic()
        pause = (now - self._given_at) * (1 / _SHARE - 1)
        self._turn_at = now + pause
        asyncio.get_running_loop().call_later(
            0 if self._is_calm(now) else pause + _LATE_ENOUGH, self._arrived.set
        )

    def _is_calm(self, now: float) -> bool:
        """There are no others."""
        return now - self._live_at >= _CALM_SECONDS

    async def round_trip(self) -> int:
        """What is set aside does not count: its publishers are heard, and the others' silence means something."""
        return await self._source.round_trip() + len(self._live)

    def _take(self, limit: int) -> list[Publication]:
        few = self._give_out(limit // 2)
        taken = self._live[: limit - len(few)]
        del self._live[: len(taken)]
        more = self._give_out(limit - len(few) - len(taken))
        self._room.set()
        return taken + few + more

    def _give_out(self, limit: int) -> list[Publication]:
        """Of what is set aside, as much as may be on its way."""
        if not self._refused and not len(self._aside):
            return []
        now = self._clock.monotonic()
        limit = min(limit, self._most(now))
        if not self._out:
            self._given_at = now
        given: list[Publication] = []
        while self._refused and len(given) < limit:
            given.append(self._wrap(OVER_BUDGET, None, self._refused.popleft()))
        for _, row, message in self._aside.take(max(0, limit - len(given))):
            given.append(self._wrap(SET_ASIDE, row, message))
        self._disk_due.set()
        metrics.SET_ASIDE.set(len(self._aside) + len(self._refused))
        return given

    def _most(self, now: float) -> int:
        """How many of what is set aside may go now."""
        if self._is_calm(now):
            return _MANY - len(self._out)
        if self._out:
            return 0
        if self._live:
            return _BESIDE
        return _FEW if now >= self._turn_at else 0

    def _wrap(self, kind: int, row: int | None, message: Publication) -> Publication:
        self._next += 1
        self._out[self._next] = (row, message)
        return msgspec.structs.replace(message, connection=kind, mid=self._next)

    # From the broker

    async def _fetch(self) -> None:
        try:
            while True:
                publications = await self._source.receive(_AT_ONCE)
                self._sort(publications)
                self._arrived.set()
                await asyncio.sleep(0)  # a backlog leaves nothing to wait for
                while self._is_full:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:  # noqa: BLE001 # receive() raises it
            self._fail(error)

    @property
    def _is_full(self) -> bool:
        return (
            len(self._live) >= _AT_ONCE
            or len(self._refused) >= _AT_ONCE
            or self._aside.bytes >= 2 * self._bounds.memory_bytes
        )

    def _sort(self, publications: list[Publication]) -> None:
        publishers = [self._publisher_of(message.topic) for message in publications]
        self._fairness.note(publishers, self._clock.monotonic())
        over = self._fairness.over
        if not over and not len(self._aside):
            self._live += publications
            return
        for publisher, message in zip(publishers, publications, strict=True):
            if publisher not in over and publisher not in self._aside:
                self._live.append(message)
                self._live_at = self._clock.monotonic()
            elif self._aside.has_room(publisher, message):
                self._aside.put(publisher, message)
            else:
                self._refused.append(message)
        self._disk_due.set()

    # To disk and back

    async def _keep(self) -> None:
        try:
            while True:
                await self._disk_due.wait()
                self._disk_due.clear()
                await self._patiently_tidy()
        except Exception as error:  # noqa: BLE001 # receive() raises it
            self._fail(error)

    async def _patiently_tidy(self) -> None:
        try:
            while await self._tidy():
                self._arrived.set()
                self._room.set()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning(
                "what is set aside cannot be written or read; trying again",
                action="set_aside_retry",
                error=str(error),
            )
            await self._clock.sleep(_RETRY_SECONDS)
            await self._count()
            self._disk_due.set()

    async def _tidy(self) -> bool:
        """One step of what there is to do; False: nothing."""
        if floods := self._floods_to_tell():
            self._told_at = self._clock.monotonic()
            connection = await self._disk.get()
            await set_aside_store.tell_floods(connection, floods, self._clock.now())
            return True
        if self._done:
            done, self._done = self._done[:_PAGE], self._done[_PAGE:]
            try:
                await set_aside_store.forget(await self._disk.get(), done)
            except BaseException:
                self._done += done
                raise
            return True
        if going := self._aside.to_write(_PAGE):
            await self._write(going)
            return True
        room = self._aside.bytes < self._bounds.memory_bytes // 2
        if room and (publisher := self._aside.to_read()):
            await self._read(publisher)
            return True
        return False

    def _floods_to_tell(self) -> list[str]:
        if self._clock.monotonic() - self._told_at < _TELL_SECONDS:
            return []
        return sorted({*self._fairness.over, *self._aside.by_publisher()})

    async def _write(self, going: list[tuple[str, Publication]]) -> None:
        try:
            connection = await self._disk.get()
            await set_aside_store.append(connection, going, self._clock.now())
        except BaseException:
            self._aside.not_written()
            raise
        self._aside.written()
        self._source.acknowledge([message for _, message in going])

    async def _read(self, publisher: str) -> None:
        rows = await set_aside_store.read(
            await self._disk.get(),
            publisher,
            self._aside.read_through.get(publisher, 0),
            _READ_AT_ONCE,
        )
        messages = [
            (row, Publication(topic, payload, 0, 1, SET_ASIDE))
            for row, topic, payload in rows
        ]
        if not self._aside.was_read(publisher, messages):
            await self._count()

    async def _count(self) -> None:
        """What is on disk; also after trouble, which leaves open whether the last message was written."""
        while True:
            try:
                counts = await set_aside_store.count_by_publisher(
                    await self._disk.get(), self._aside.read_through
                )
            except Exception as error:
                if not is_transient(error):
                    raise
                await self._clock.sleep(_RETRY_SECONDS)
            else:
                self._aside.counted(counts)
                return

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._arrived.set()
