"""What was sent against what is stored, and whether anything still waits."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from services.core.clock import Clock
from services.core.storage.event_log import load_cursor, tail
from services.core.storage.ledger import Account, Ledger, read_ledger
from services.core.storage.pool import Connection
from services.ingest.decode import FAULT
from tests.faults.verdict import Company, Line, judge
from tests.fuzz_ingest.report import Outcome

_QUICKLY: Final = 10.0
_PATIENCE: Final = 600.0  # history has all of the log to read
_LOOK_SECONDS: Final = 0.1
_REASONS: Final = (
    "SELECT reason, count(*) FROM rejected_messages GROUP BY 1 ORDER BY 2 DESC"
)
_CULPRITS: Final = """
SELECT topic, payload, detail FROM rejected_messages WHERE starts_with(detail, $1) LIMIT 10
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """threads: of ingest, before and after. last: seconds to the last receipts. acknowledged: messages, by the broker.

    items: of publishers whose items can be counted from outside.
    """

    alive: bool
    threads: tuple[int, int]
    last: float
    committed: int
    acknowledged: int
    items: Mapping[str, int]


async def settled(
    connection: Connection, clock: Clock, insist: Callable[[], None]
) -> None:
    """Until history has folded what the log has now, which the numbers of publishers are read from."""
    newest = (await tail(connection, "observations")).batch
    deadline = clock.monotonic() + _PATIENCE
    while clock.monotonic() < deadline:
        insist()
        cursor = await load_cursor(connection, "history", "observations")
        if cursor is not None and cursor.batch >= newest:
            return
        await clock.sleep(_LOOK_SECONDS)


async def judge_all(
    connection: Connection, outcome: Outcome, calm: Company, seen: Seen
) -> None:
    ledger = await read_ledger(connection)
    outcome.ledger = asdict(ledger.total)
    outcome.refused = dict(await connection.fetch(_REASONS))
    for topic, payload, detail in await connection.fetch(_CULPRITS, FAULT):
        outcome.reproduce(topic, payload or b"", detail)
    before, after = seen.threads
    lives = seen.alive and before == after
    outcome.verdict += [
        Line("ingest lives, with all its threads", lives, f"{before} threads, {after} at the end"),
        Line("the last messages are receipted at once", seen.last <= _QUICKLY, f"{seen.last:.2f} s"),
        _nothing_waits(ledger, seen),
        _counted(ledger, seen.items),
        _balanced(ledger),
        *await judge(connection, calm),
        _memory(outcome),
    ]  # fmt: skip


def _nothing_waits(ledger: Ledger, seen: Seen) -> Line:
    """What the broker acknowledged it has handed over, and ingest has committed."""
    left = max(0, seen.acknowledged - seen.committed)
    figure = f"{left} of {seen.acknowledged:,} at the broker, {ledger.total.waiting} in ingest"
    return Line("nothing waits", not (left or ledger.total.waiting), figure)


def _counted(ledger: Ledger, items: Mapping[str, int]) -> Line:
    wrong = [
        f"{name}: {count} sent, {received} received"
        for name, count in items.items()
        if (received := ledger.devices.get(name, Account()).received) != count
    ]
    figure = "; ".join(wrong) or f"{sum(items.values()):,} of {len(items)} publishers"
    return Line("every item that was sent is received", not wrong, figure)


def _balanced(ledger: Ledger) -> Line:
    figure = f"{len(ledger.devices)} publishers, {list(ledger.violations)}"
    return Line("the law is exact for wild ones, too", ledger.balanced, figure)


def _memory(outcome: Outcome) -> Line:
    growth = outcome.memory["end"] - outcome.memory["begin"]
    most = outcome.wanted.most_growth
    figure = f"{growth:+.1f} MiB, {most:g} at most"
    return Line("ingest's memory stays flat", growth <= most, figure)
