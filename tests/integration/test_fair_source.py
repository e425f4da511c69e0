"""A publisher that floods waits, in memory and on disk; nobody else does, and nothing is lost."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import pytest
from typing_extensions import override

from services.core.broker.link import Publication
from services.core.broker.topics import up_topic
from services.core.clock import Clock, SystemClock
from services.core.reasons import Reason
from services.core.storage.pool import connect
from services.ingest.decode import Decoder
from services.ingest.fair_source import FairSource
from services.ingest.fairness import Fairness
from services.ingest.messages import Unusable
from services.ingest.set_aside import OVER_BUDGET, Bounds
from services.ingest.set_aside_store import append, tell_floods
from services.ingest.side_connection import SideConnection
from tests.integration.api.city_api import as_role
from tests.integration.ingest_stage import until

pytestmark = pytest.mark.integration


class Inbox:
    """A broker: gives out what is put in, and knows what was acknowledged."""

    connection = 1

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Publication] = asyncio.Queue()
        self._mid = 0
        self.unacknowledged: dict[int, Publication] = {}

    def put(self, publisher: str, *numbers: int) -> None:
        for number in numbers:
            self._mid += 1
            topic = up_topic(publisher, "data")
            message = Publication(topic, str(number).encode(), self._mid, 1, 1)
            self.unacknowledged[self._mid] = message
            self._arrived.put_nowait(message)

    async def receive(self, limit: int) -> list[Publication]:
        taken = [await self._arrived.get()]
        while len(taken) < limit and not self._arrived.empty():
            taken.append(self._arrived.get_nowait())
        return taken

    def acknowledge(self, publications: Sequence[Publication]) -> None:
        for publication in publications:
            del self.unacknowledged[publication.mid]

    async def round_trip(self) -> int:
        return 0


class Verdict(Fairness):
    """Who is over is said."""

    def __init__(self, *over: str) -> None:
        super().__init__(lambda _publisher: 0.0)
        self.over = frozenset(over)

    @override
    def note(self, publishers: Iterable[str], now: float) -> None:
        pass


class Stopwatch(SystemClock):
    """Its monotonic time is set."""

    seconds = 0.0

    @override
    def monotonic(self) -> float:
        return self.seconds


@asynccontextmanager
async def fair(
    inbox: Inbox,
    database_url: str,
    *over: str,
    bounds: Bounds | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[FairSource]:
    connection = SideConnection(database_url, "test")
    source = FairSource(
        inbox,
        Verdict(*over),
        Decoder().publisher_of,
        connection,
        clock or SystemClock(),
        bounds or Bounds(),
    )
    try:
        async with source:
            yield source
    finally:
        connection.terminate()


def said(publications: Iterable[Publication]) -> list[tuple[str, int]]:
    return [(p.topic.split("/")[2], int(p.payload)) for p in publications]


async def drain(source: FairSource, count: int) -> list[Publication]:
    """So many, acknowledged as they come."""
    taken: list[Publication] = []
    async with asyncio.timeout(30):
        while len(taken) < count:
            some = await source.receive(100)
            source.acknowledge(some)
            taken += some
    return taken


async def test_others_pass_those_that_are_set_aside(database_url: str) -> None:
    inbox = Inbox()
    inbox.put("flood", *range(400))
    inbox.put("calm", 1)
    async with fair(inbox, database_url, "flood") as source:
        first = await source.receive(100)
        assert ("calm", 1) in said(first)
        source.acknowledge(first)
        rest = await drain(source, 401 - len(first))
    everything = said([*first, *rest])
    assert [n for name, n in everything if name == "flood"] == list(range(400))
    assert not inbox.unacknowledged


async def test_who_floods_is_told(database_url: str) -> None:
    inbox = Inbox()
    inbox.put("flood", *range(10))
    inbox.put("calm", 1)
    connection = await connect(as_role(database_url, "alatau_ingest"), "test")

    async def told() -> bool:
        rows = await connection.fetch("SELECT publisher FROM floods")
        return [row["publisher"] for row in rows] == ["flood"]

    async with fair(inbox, database_url, "flood") as source:
        await drain(source, 11)
        await until(told)
    now = await connection.fetchval("SELECT told_at FROM floods")
    for minutes, lasts in ((0.5, True), (2, False)):
        now += dt.timedelta(minutes=minutes)
        await tell_floods(connection, ["flood"], now)
        query = "SELECT since < told_at FROM floods WHERE told_at = $1"
        assert await connection.fetchval(query, now) is lasts
    await connection.close()


async def test_few_are_on_their_way_while_there_are_others(database_url: str) -> None:
    inbox = Inbox()
    inbox.put("flood", *range(450))
    inbox.put("calm", 1)
    async with fair(inbox, database_url, "flood") as source:
        given: list[Publication] = []
        async with asyncio.timeout(30):
            while len(given) < 101:
                given += await source.receive(200)
            waiting = asyncio.ensure_future(source.receive(100))
            inbox.put("calm", 2)
            assert said(await waiting) == [("calm", 2)]
        source.acknowledge(given)
        async with asyncio.timeout(30):
            assert 0 < len(await source.receive(200)) <= 200


async def test_some_go_with_the_others_also_when_it_is_not_their_turn(
    database_url: str,
) -> None:
    inbox, clock = Inbox(), Stopwatch()
    inbox.put("flood", *range(450))
    inbox.put("calm", 1)
    async with fair(inbox, database_url, "flood", clock=clock) as source:
        given = await source.receive(1000)
        clock.seconds = 1.0
        source.acknowledge(given)  # by themselves, their next turn is in four seconds
        inbox.put("calm", 2)
        async with asyncio.timeout(30):
            beside = said(await source.receive(1000))
    assert ("calm", 2) in beside
    assert [n for name, n in beside if name == "flood"] == list(range(100, 200))


async def test_what_is_too_much_for_memory_waits_on_disk_and_survives_a_crash(
    database_url: str,
) -> None:
    inbox, small = Inbox(), Bounds(memory_bytes=20_000)
    inbox.put("flood", *range(450))
    async with fair(inbox, database_url, "flood", bounds=small) as source:
        given = await source.receive(100)

        async def most_is_on_disk() -> bool:
            return len(inbox.unacknowledged) <= 150

        await until(most_is_on_disk)
    # What was given out was not acknowledged: the broker gives it again, or the disk has it.
    connection = await connect(database_url, "test")

    async def disk_is_empty() -> bool:
        return not await connection.fetchval("SELECT count(*) FROM set_aside")

    try:
        async with fair(Inbox(), database_url, bounds=small) as source:
            again = said(await drain(source, 450 - len(inbox.unacknowledged)))
            await until(disk_is_empty)
    finally:
        await connection.close()
    unacknowledged = said(inbox.unacknowledged.values())
    assert sorted(again + unacknowledged) == [("flood", n) for n in range(450)]
    assert set(said(given)) <= {*unacknowledged, *again}


async def test_what_a_broken_connection_wrote_late_comes_too(database_url: str) -> None:
    inbox, small = Inbox(), Bounds(memory_bytes=2_000)
    connection = await connect(database_url, "test")
    async with fair(inbox, database_url, "flood", bounds=small) as source:
        late = [
            Publication(up_topic("flood", "data"), b"%d" % n, 0, 1, 1)
            for n in range(30)
        ]
        rows = [("flood", one) for one in late]
        await append(connection, rows, SystemClock().now())
        inbox.put("flood", *range(50))

        async def written() -> bool:
            return not inbox.unacknowledged

        await until(written)
        taken = said(await drain(source, 80))
    await connection.close()
    assert sorted(taken) == sorted(("flood", n) for n in [*range(30), *range(50)])


async def test_beyond_what_the_disk_may_hold_it_is_refused(database_url: str) -> None:
    inbox = Inbox()
    tight = Bounds(memory_bytes=2_000, most_messages=100)
    async with fair(inbox, database_url, "flood", bounds=tight) as source:
        inbox.put("flood", *range(450))
        held: list[Publication] = []

        async def written() -> bool:
            return len(inbox.unacknowledged) <= 450 - 100

        await until(written)
        inbox.put("flood", 450)
        async with asyncio.timeout(30):
            while not any(p.connection == OVER_BUDGET for p in held):
                held += await source.receive(100)
        refused = next(p for p in held if p.connection == OVER_BUDGET)
        content = Decoder().decode(refused).content
        assert isinstance(content, Unusable)
        assert content.reason is Reason.OVER_BUDGET
        source.acknowledge(held)
        assert int(refused.payload) not in [
            int(p.payload) for p in inbox.unacknowledged.values()
        ]


async def test_beyond_the_bytes_that_the_disk_may_hold_it_is_refused(
    database_url: str,
) -> None:
    """Also by an ingest that finds them there."""
    query = "SELECT coalesce(sum(octet_length(payload) + length(topic) + 300), 0) FROM set_aside"
    connection = await connect(database_url, "test")
    tight = Bounds(memory_bytes=2_000, most_bytes=20_000)

    inbox = Inbox()
    inbox.put("flood", *range(450))

    async def most_is_on_disk() -> bool:
        on_disk = await connection.fetchval(query)
        return len(inbox.unacknowledged) < 450 and 15_000 < on_disk <= 20_000

    async with fair(inbox, database_url, "flood", bounds=tight):
        await until(most_is_on_disk)
    second = Inbox()
    for message in said(inbox.unacknowledged.values()):
        second.put(*message)
    async with fair(second, database_url, "flood", bounds=tight) as source:
        taken = await drain(source, 450)
        assert await connection.fetchval(query) <= 20_000
    await connection.close()
    assert sorted(said(taken)) == [("flood", number) for number in range(450)]
    refused = [one for one in taken if one.connection == OVER_BUDGET]
    assert 300 < len(refused) < 450
    assert not second.unacknowledged
