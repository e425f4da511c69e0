"""A publisher may begin as many boot epochs as it likes: memory and rows stay bounded, and the law stays exact."""

import datetime as dt
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import numpy as np
import pytest

from services.core.clock import SystemClock
from services.core.storage import event_log, log_batch
from services.core.storage.event_log import NewEntry
from services.core.storage.ledger import Numbering, read_balance, read_ledger
from services.core.storage.log_batch import (
    Notice,
    NumberedMessages,
    ObservationBatch,
)
from services.core.storage.pool import Connection, connect
from services.history import epoch_book, law, store
from services.history.epoch_book import KEPT
from services.history.folding import Folding
from services.ingest.lanes import NewestTimes
from services.ingest.recall import recall
from services.ingest.receipts import Receipts

pytestmark = pytest.mark.integration

START = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
CLOCK = SystemClock()
PUBLISHER = 1
LARGEST = 1 << 53  # number that there is
Sent = tuple[int, int]  # epoch, number


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    yield opened
    await opened.close()


def batch_of(sent: Iterable[Sent]) -> ObservationBatch:
    epochs, numbers = np.array(list(sent), np.int64).reshape(-1, 2).T
    publishers = np.full(len(epochs), PUBLISHER, np.int32)
    numbered = NumberedMessages(publishers, epochs, numbers)
    return replace(ObservationBatch.empty(), numbered=numbered)


def birth_of(epoch: int, oldest_seq: int) -> ObservationBatch:
    birth = Notice(
        kind="birth",
        device_id=PUBLISHER,
        publisher_id=PUBLISHER,
        time_ms=0,
        epoch=epoch,
        oldest_seq=oldest_seq,
    )
    return replace(ObservationBatch.empty(), notices=(birth,))


async def begin(connection: Connection) -> Folding:
    return await Folding.begin(connection, CLOCK)


async def fold(
    connection: Connection, folding: Folding, *batches: ObservationBatch, after: int = 0
) -> None:
    """Logged so many seconds after the start, folded and flushed."""
    for batch in batches:
        entry = NewEntry(log_batch.encode(batch), START + dt.timedelta(seconds=after))
        async with connection.transaction():
            await event_log.append(connection, "observations", entry)
    entries = await event_log.read(connection, "observations", folding.cursor, 1000)
    await folding.fold(entries)
    await folding.flush()


async def numbering(connection: Connection) -> Numbering:
    balance = await read_balance(connection)
    assert balance.violations == ()
    whole = balance.numbering
    assert whole.numbers == whole.messages + whole.missing + whole.lost
    return whole


async def rows(connection: Connection, table: str) -> int:
    counts = {
        "publisher_sequences": "SELECT count(*) FROM publisher_sequences",
        "gaps": "SELECT count(*) FROM gaps",
    }
    counted: int = await connection.fetchval(counts[table])
    return counted


async def test_an_epoch_a_message_costs_neither_memory_nor_rows(
    connection: Connection,
) -> None:
    folding, a_batch = await begin(connection), 4_000
    for first in range(0, 20_000, a_batch):
        epochs = range(first, first + a_batch)
        await fold(connection, folding, batch_of((epoch, 1) for epoch in epochs))
        assert len(folding._epochs) <= KEPT
        assert await rows(connection, "publisher_sequences") <= KEPT + 1
    falling = batch_of((epoch, 1) for epoch in range(15_000, 10_000, -1))
    await fold(connection, folding, falling)
    assert len(folding._epochs) <= KEPT
    assert await rows(connection, "publisher_sequences") == KEPT + 1
    assert await numbering(connection) == Numbering(25_000, 25_000)
    receipts = Receipts()
    await recall(connection, NewestTimes(), receipts)
    assert set(receipts._sequences[PUBLISHER]) == set(range(14_993, 15_001))


async def test_a_gap_in_each_is_missing_or_given_up_whatever_is_killed(
    connection: Connection,
) -> None:
    folding, a_batch = await begin(connection), 4_000
    for place, first in enumerate(range(0, 12_000, a_batch)):
        sent = [(first + n, seq) for n in range(a_batch) for seq in (1, 3)]
        await fold(connection, folding, batch_of(sent), after=12 * place)
        killed = await begin(connection)
        await killed.fold(
            await event_log.read(connection, "observations", event_log.Cursor(), 1)
        )
        folding = await begin(connection)
        assert len(folding._epochs) <= KEPT
    await fold(connection, folding, ObservationBatch.empty(), after=80)
    await fold(connection, folding, ObservationBatch.empty(), after=91)
    assert await numbering(connection) == Numbering(36_000, 24_000, KEPT, 12_000 - KEPT)
    assert await rows(connection, "gaps") == KEPT + 1
    former = await connection.fetchrow("SELECT * FROM gaps WHERE epoch < 0")
    assert (former["from_seq"], former["to_seq"]) == (1, 12_000 - KEPT)
    assert former["lost"]
    assert len((await begin(connection))._epochs) == 0  # nothing is still to be noticed


async def test_a_former_epoch_of_which_something_comes_begins_anew(
    connection: Connection,
) -> None:
    """And takes the place of the one that was used longest ago."""
    folding = await begin(connection)
    for epochs in (range(KEPT), range(KEPT, KEPT + 10)):
        sent = [(epoch, seq) for epoch in epochs for seq in (1, 3)]
        await fold(connection, folding, batch_of(sent))
    assert await numbering(connection) == Numbering(
        3 * (KEPT + 10), 2 * (KEPT + 10), KEPT, 10
    )
    for times in (1, 2):
        await fold(connection, folding, batch_of([(5, 2), (5, 3)]))
        assert await numbering(connection) == Numbering(
            3 * (KEPT + 10) + 2, 2 * (KEPT + 10) + 2, KEPT - 1, 11
        ), times
        folding = await begin(connection)
    assert await rows(connection, "publisher_sequences") == KEPT + 1


async def test_epochs_that_are_put_away_go_on_where_they_were(
    connection: Connection,
) -> None:
    folding = await begin(connection)
    sent = [(epoch, seq) for epoch in range(10) for seq in (1, 3)]
    await fold(connection, folding, batch_of(sent))
    assert len(folding._epochs) == 10  # gaps are still to be recorded
    await fold(connection, folding, ObservationBatch.empty(), after=11)
    assert len(folding._epochs) == 2
    closing = batch_of([(0, 2), (0, 3), (0, 4), (1, 2)])
    await fold(connection, folding, closing, birth_of(2, 3), after=12)
    assert await numbering(connection) == Numbering(31, 23, 7, 1)
    states = await connection.fetch(
        "SELECT epoch, lost, closed_at IS NOT NULL AS closed FROM gaps WHERE lost OR closed_at IS NOT NULL ORDER BY 1"
    )
    assert [tuple(row) for row in states] == [
        (0, False, True),
        (1, False, True),
        (2, True, False),
    ]


async def test_an_installation_that_kept_every_epoch_is_summed_up_and_hides_nothing(
    connection: Connection,
) -> None:
    await connection.execute(
        """
        INSERT INTO publisher_sequences
        SELECT 1, epoch, 1, '[[1, 2], [4, 4], [6, 6]]', $1, 1, 6, 4, 1, 1 FROM generate_series(1, 1000) AS epoch;
        """,
        START,
    )
    await connection.execute(
        """
        INSERT INTO gaps SELECT 1, epoch, missing, missing, missing = 3, $1, NULL
        FROM generate_series(1, 1000) AS epoch, unnest('{3, 5}'::bigint[]) AS missing
        """,
        START,
    )
    assert await numbering(connection) == Numbering(6_000, 4_000, 1_000, 1_000)
    await connection.execute(
        "UPDATE publisher_sequences SET messages = 7 WHERE epoch = 9;"
        "DELETE FROM gaps WHERE epoch = 8 AND lost"
    )
    wrong = {
        (v.what, v.difference) for v in (await read_balance(connection)).violations
    }
    assert wrong == {("messages", -3), ("gaps", 1)}
    await begin(connection)
    balance = await read_balance(connection)
    assert {(v.epoch, v.what, v.difference) for v in balance.violations} == {
        (-1, "messages", -3),
        (-1, "gaps", 1),
    }
    assert balance.numbering == Numbering(6_000, 4_003, KEPT, 2_000 - KEPT)
    assert await rows(connection, "publisher_sequences") == KEPT + 1


async def test_epochs_that_miss_nearly_every_number_there_is_overflow_nothing(
    connection: Connection,
) -> None:
    folding = await begin(connection)
    for first in (0, 3_000, 3_000 + KEPT):
        epochs = range(first, first + (KEPT if first else 3_000))
        sent = [(epoch, seq) for epoch in epochs for seq in (1, LARGEST)]
        await fold(connection, folding, batch_of(sent))
    whole = await numbering(connection)
    assert whole.messages == 2 * (3_000 + 2 * KEPT)
    assert whole.numbers == (KEPT + 1) * LARGEST
    missed = LARGEST - 2  # by the epoch that makes room for a new one
    await fold(connection, folding, batch_of([(0, 1)]))
    assert await numbering(connection) == Numbering(
        whole.numbers - LARGEST + 1,
        whole.messages + 1,
        whole.missing - missed,
        whole.lost - 2,
    )
    await law.measure(connection)
    ledger = await read_ledger(connection)
    assert ledger.numbering.messages == whole.messages + 1


async def test_losses_beyond_count_are_summed_up_and_the_epoch_goes_on(
    connection: Connection,
) -> None:
    folding, pages = await begin(connection), 3
    for page in range(pages):
        first = 10_000 * page
        odd = batch_of((7, first + n) for n in range(1, 8_000, 2))
        await fold(connection, folding, odd, birth_of(7, first + 10_000))
    await fold(connection, folding, batch_of([(7, 30_000), (7, 30_002)]))
    lost = pages * 6_000 - 1  # 8,001 … 10,000 and the even ones; it began at 1
    assert await numbering(connection) == Numbering(30_002, 12_002, 1, lost)
    assert await rows(connection, "gaps") < 6_000
    await fold(connection, await begin(connection), batch_of([(7, 30_001)]))
    assert await numbering(connection) == Numbering(30_002, 12_003, 0, lost)


async def test_whatever_comes_and_whenever_it_is_killed_the_law_holds(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three epochs are kept here, of nine that speak at random."""
    monkeypatch.setattr(epoch_book, "KEPT", 3)
    monkeypatch.setattr(store, "KEPT", 3)
    chance, folding = random.Random(7), await begin(connection)
    ever: set[Sent] = set()
    for step in range(25):
        sent = [
            (chance.randrange(9), chance.randrange(12))
            for _ in range(chance.randrange(12))
        ]
        ever.update(sent)
        birth = birth_of(chance.randrange(9), chance.randrange(12))
        await fold(connection, folding, batch_of(sent), birth, after=4 * step)
        whole = await numbering(connection)
        assert whole.messages >= len(ever)
        assert await rows(connection, "publisher_sequences") <= 3 + 1
        if chance.random() < 0.3:
            folding = await begin(connection)
