"""What history sees to beside folding: missing messages are asked for, and the law's state is told to Prometheus."""

import datetime as dt
from typing import Final

import structlog
from prometheus_client import Gauge

from services.core.storage.commands import CommandName, NewCommand, ask
from services.core.storage.ledger import read_balance
from services.core.storage.pool import Connection

log = structlog.get_logger()

_ITEMS = Gauge(
    "alatau_ledger_items", "Items received, by what became of them", ["fate"]
)
_VIOLATIONS = Gauge(
    "alatau_ledger_violations",
    "Accounts that do not add up; anything but 0 is a fault of ours",
)
_GAPS = Gauge("alatau_gaps", "Recorded gaps in the numbers of publishers", ["state"])
_NUMBERS = Gauge(
    "alatau_gap_messages", "Messages missing from publishers' numbers", ["state"]
)

_FATES: Final = ("received", "stored", "merged", "duplicate", "rejected", "waiting")
_ASKER: Final = "history"
_WAIT: Final = dt.timedelta(
    seconds=30
)  # its own repeating mostly closes a gap; then twice as long
_MOST_ASKS: Final = 5  # for a gap, on one connection of its publisher
_MOST_A_DAY: Final = 50  # of one publisher
_MOST_NUMBERS: Final = 10_000  # in one command, unless the gap is larger itself
_MOST_AT_ONCE: Final = 100
_EXPIRES: Final = dt.timedelta(minutes=10)
_KEEP_CLOSED: Final = dt.timedelta(days=92)

# The first gap of each publisher that is there, was not asked just now, and not in vain too often.
_TO_ASK: Final = """
SELECT DISTINCT ON (g.publisher_id) d.key, g.epoch, g.from_seq,
       greatest(g.to_seq, (SELECT max(n.to_seq) FROM gaps n
                           WHERE n.publisher_id = g.publisher_id AND n.epoch = g.epoch AND n.closed_at IS NULL AND NOT n.lost
                             AND n.from_seq >= g.from_seq AND n.to_seq < g.from_seq + $5)) AS to_seq
FROM gaps g
JOIN devices d ON d.device_id = g.publisher_id AND d.publishes AND d.retired_at IS NULL
JOIN device_status s ON s.device_id = g.publisher_id AND s.online
CROSS JOIN LATERAL (
    SELECT count(*) AS today, max(c.asked_at) AS last_at,
           coalesce(bool_or(c.answered_at IS NULL AND c.expired_at IS NULL), false) AS is_open,
           count(*) FILTER (WHERE c.asked_at >= s.online_since AND (c.args ->> 'epoch')::bigint = g.epoch
                              AND (c.args ->> 'from')::bigint <= g.to_seq AND (c.args ->> 'to')::bigint >= g.from_seq) AS asks
    FROM commands c
    WHERE c.device_id = g.publisher_id AND c.name = 'replay' AND c.asked_by = $2 AND c.asked_at > $1::timestamptz - interval '1 day') a
WHERE g.closed_at IS NULL AND NOT g.lost AND g.recorded_at <= $1::timestamptz - $3::interval
  AND NOT a.is_open AND a.asks < $4 AND a.today < $6
  AND (a.last_at IS NULL OR a.last_at <= $1::timestamptz - $3::interval * 2 ^ a.asks)
ORDER BY g.publisher_id, g.epoch, g.from_seq LIMIT $7
"""
_GAP_SUMS: Final = """
SELECT lost, count(*) AS gaps, sum(to_seq - from_seq + 1)::float8 AS numbers FROM gaps WHERE closed_at IS NULL GROUP BY 1
"""


async def ask_for_missing(connection: Connection, now: dt.datetime) -> int:
    """Ask publishers that are online for what is missing; how many were asked."""
    rows = await connection.fetch(
        _TO_ASK,
        now,
        _ASKER,
        _WAIT,
        _MOST_ASKS,
        _MOST_NUMBERS,
        _MOST_A_DAY,
        _MOST_AT_ONCE,
    )
    for key, epoch, first, last in rows:
        span = {"epoch": epoch, "from": first, "to": last}
        command = NewCommand(key, CommandName.REPLAY, span, _EXPIRES)
        await ask(connection, command, asked_by=_ASKER, now=now)
        log.info(
            "asked for missing messages", action="replay_asked", device=key, **span
        )
    return len(rows)


async def forget_closed(connection: Connection, now: dt.datetime) -> None:
    await connection.execute(
        "DELETE FROM gaps WHERE closed_at < $1", now - _KEEP_CLOSED
    )


async def measure(connection: Connection) -> None:
    """Bring the gauges up to date."""
    balance = await read_balance(connection)
    for fate in _FATES:
        _ITEMS.labels(fate).set(getattr(balance.total, fate))
    _VIOLATIONS.set(len(balance.violations))
    sums = dict.fromkeys((False, True), (0, 0))
    for lost, gaps, numbers in await connection.fetch(_GAP_SUMS):
        sums[lost] = (gaps, numbers)
    for lost, (gaps, numbers) in sums.items():
        state = "lost" if lost else "open"
        _GAPS.labels(state).set(gaps)
        _NUMBERS.labels(state).set(numbers)
