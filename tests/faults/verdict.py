"""What the publishers know against what is stored: the promises, each with a figure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from typing_extensions import override

from services.core.reasons import Reason
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read
from services.core.storage.ledger import Account, Ledger, read_ledger
from services.core.storage.pool import Connection
from tests.faults.publishers import Publisher
from tests.faults.truth import Made

_SHOWN: Final = 5
_PAGE: Final = 1_000
_ROWS: Final = """
SELECT (extract(epoch FROM phenomenon_time) * 1000)::bigint AS time_ms, results
FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id) WHERE key = $1
"""
_REFUSED: Final = (
    "SELECT seq, reason FROM rejected_messages WHERE publisher = $1 AND seq IS NOT NULL"
)
_GAPS: Final = """
SELECT from_seq, to_seq FROM gaps JOIN devices ON device_id = publisher_id WHERE key = $1
"""
_SETTLED: Final = """
SELECT settled FROM publisher_sequences JOIN devices ON device_id = publisher_id WHERE key = $1
"""
_TWICE_OPEN: Final = """
SELECT count(*) FROM (SELECT fingerprint FROM alerts WHERE state IN ('pending', 'firing')
                      GROUP BY fingerprint HAVING count(*) > 1) AS twice
"""


class Company(Protocol):
    """Who published. forgiven: reasons for which good messages may have been refused."""

    forgiven: set[Reason]

    def all(self) -> list[Publisher]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """holds: None, it was not asked."""

    promise: str
    holds: bool | None
    figure: str

    @property
    def word(self) -> str:
        if self.holds is None:
            return "not asked"
        return "holds" if self.holds else "BROKEN"

    @override
    def __str__(self) -> str:
        return f"{self.word:9}  {self.promise}: {self.figure}"


@dataclass
class Findings:
    """Each complaint is one line for people; figures are counted over all publishers."""

    made: int = 0
    stored: int = 0
    refused_rightly: int = 0
    refused_for_a_fault: int = 0
    given_up: int = 0
    lost_plain: int = 0
    lost: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    uneven: list[str] = field(default_factory=list)


async def judge(connection: Connection, fleet: Company) -> list[Line]:
    """After the quiet end: outboxes are empty, everything is folded."""
    ledger = await read_ledger(connection)
    found = Findings()
    for publisher in fleet.all():
        await _judge_publisher(connection, publisher, fleet, found)
        rows = await _count_rows(connection, publisher)
        account = ledger.devices.get(publisher.key, Account())
        if account.stored != rows or not account.balanced:
            found.uneven.append(f"{publisher.key}: {account} and {rows} rows")
    return [*_lines(found), *await _law(connection, ledger, found)]


def _lines(found: Findings) -> Iterator[Line]:
    yield _line("no receipted message is lost", found.lost, f"of {found.made:,} items")
    yield _line(
        "nothing is stored that was not sent", found.foreign, f"of {found.stored:,}"
    )
    yield _line(
        "everything is stored as it was sent", found.wrong, f"of {found.stored:,}"
    )
    rightly = (
        f"{found.refused_rightly:,} rightly, {found.refused_for_a_fault:,} for a clock"
    )
    yield _line("what is refused has the right reason", found.refusals, rightly)
    lost = f"of {found.given_up:,} messages given up; without numbers {found.lost_plain:,} items lost"
    yield _line("what was given up and lost is a gap", found.unseen, lost)
    yield _line("every number is settled", found.unsettled, "over all publishers")


# One by one; beyond so many of a publisher and hour, by their number.
_TOLD_OF_REFUSED: Final = """
SELECT (SELECT count(*) FROM rejected_messages) + (SELECT coalesce(sum(refused), 0)::bigint FROM rejection_floods)
"""


async def _law(connection: Connection, ledger: Ledger, found: Findings) -> list[Line]:
    rows = await connection.fetchval("SELECT count(*) FROM observations")
    kept = await connection.fetchval(_TOLD_OF_REFUSED)
    total = ledger.total
    exact = (
        ledger.balanced and total.waiting == 0
        and (total.stored, total.rejected + total.rejected_values) == (rows, kept)
    )  # fmt: skip
    twice = await connection.fetchval(_TWICE_OPEN)
    return [
        Line(
            "the law is exact in total", exact, f"{total}; {rows} rows, {kept} refused"
        ),
        _line(
            "the law is exact for each publisher", found.uneven, "over all publishers"
        ),
        await _folded_as_logged(connection),
        Line("no alert is open twice", twice == 0, f"{twice}"),
    ]


def _line(promise: str, complaints: list[str], beside: str) -> Line:
    some = "".join(f"\n          {complaint}" for complaint in complaints[:_SHOWN])
    return Line(promise, not complaints, f"{len(complaints)} broken, {beside}{some}")


async def _judge_publisher(
    connection: Connection, publisher: Publisher, fleet: Company, found: Findings
) -> None:
    refused: dict[int, set[str]] = {}
    for seq, reason in await connection.fetch(_REFUSED, publisher.key):
        refused.setdefault(seq, set()).add(reason)
    gaps = _numbers(await connection.fetch(_GAPS, publisher.key))
    forgiven = {seq for seq, why in refused.items() if why <= fleet.forgiven}
    arrived: set[int] = set()
    missing: dict[int, int] = {}
    for made in publisher.made:
        stored = await _stored(connection, made, found)
        for time_ms, seq in zip(made.times, made.seqs, strict=True):
            if time_ms in stored:
                arrived.add(seq)
            else:
                missing[seq] = missing.get(seq, 0) + 1
        found.made += len(made.times)
        found.stored += len(stored)
    _judge_missing(publisher, missing, forgiven, gaps, found)
    _judge_refusals(publisher, refused, forgiven, found)
    found.given_up += len(publisher.dropped - arrived)
    if publisher.identity.numbered and publisher.last_seq:
        settled = _numbers(await _settled_ranges(connection, publisher))
        if unsettled := set(range(1, publisher.last_seq + 1)) - settled:
            found.unsettled.append(f"{publisher.key}: {sorted(unsettled)[:10]}")


def _judge_missing(
    publisher: Publisher,
    missing: dict[int, int],
    forgiven: set[int],
    gaps: set[int],
    found: Findings,
) -> None:
    """missing: by message, how many of its items are not stored."""
    for seq, items in missing.items():
        if not publisher.identity.numbered:
            found.lost_plain += items
        elif seq in forgiven:
            found.refused_for_a_fault += items
        elif seq not in publisher.dropped:
            found.lost.append(f"{publisher.key}: {items} items of message {seq}")
        elif seq not in gaps:
            found.unseen.append(f"{publisher.key}: message {seq}")


def _judge_refusals(
    publisher: Publisher,
    refused: dict[int, set[str]],
    forgiven: set[int],
    found: Findings,
) -> None:
    for seq, reason in publisher.expected.items():
        if refused.get(seq) == {reason.value}:
            found.refused_rightly += 1
        else:
            said = f"{refused.get(seq)}, not {reason}"
            found.refusals.append(
                f"{publisher.key}: message {seq} was refused for {said}"
            )
    for seq in refused.keys() - publisher.expected.keys() - forgiven:
        found.refusals.append(f"{publisher.key}: message {seq} for {refused[seq]}")


async def _stored(connection: Connection, made: Made, found: Findings) -> set[int]:
    device, stored = made.instrument.device, set()
    async with connection.transaction():
        async for time_ms, results in connection.cursor(_ROWS, device, prefetch=_PAGE):
            stored.add(time_ms)
            if made.seq_of(time_ms) is None:
                found.foreign.append(f"{device} at {time_ms}")
            elif not _agrees(results, made.instrument.results(time_ms)):
                found.wrong.append(f"{device} at {time_ms}: {results}")
    return stored


def _agrees(results: list[float | None], sent: dict[int, float]) -> bool:
    stored = {slot: value for slot, value in enumerate(results) if value is not None}
    return stored == sent


async def _count_rows(connection: Connection, publisher: Publisher) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM observations JOIN frames USING (frame_id) JOIN devices USING (device_id)"
        " WHERE key = ANY($1)",
        [made.instrument.device for made in publisher.made],
    )
    return count


async def _settled_ranges(
    connection: Connection, publisher: Publisher
) -> list[tuple[int, int]]:
    return await connection.fetchval(_SETTLED, publisher.key) or []


def _numbers(ranges: Iterable[Any]) -> set[int]:
    return {seq for first, last in ranges for seq in range(first, last + 1)}


async def _folded_as_logged(connection: Connection) -> Line:
    """The sums that history folded, against the log read anew from its beginning."""
    promise = "the log adds up to the totals"
    first = await connection.fetchval(
        "SELECT min(batch) FROM event_log WHERE stream = 'observations'"
    )
    if first != 1:
        return Line(promise, None, f"the log begins at batch {first} now")
    cursor, sums = Cursor(), np.zeros(5, np.int64)
    done = await connection.fetchval(
        "SELECT batch FROM log_cursors WHERE consumer = 'history' AND stream = 'observations'"
    )
    while entries := await read(connection, "observations", cursor, _PAGE):
        for entry in entries:
            if entry.batch <= done:
                sums += _sum_of(log_batch.decode(entry.body).accounts)
        cursor = entries[-1].cursor
    totals = await connection.fetchrow(
        "SELECT sum(received)::bigint, sum(stored)::bigint, sum(merged)::bigint, sum(duplicate)::bigint,"
        " sum(rejected)::bigint FROM publisher_totals"
    )
    agree = sums.tolist() == list(totals)
    return Line(promise, agree, f"{sums.tolist()} and {list(totals)}")


def _sum_of(accounts: log_batch.Accounts) -> "np.ndarray[Any, np.dtype[np.int64]]":
    columns = (
        accounts.received,
        accounts.stored,
        accounts.merged,
        accounts.duplicate,
        accounts.rejected,
    )
    return np.array([int(column.sum()) for column in columns], np.int64)
