"""What a run of the city is measured by: memory, disk, alerts' latency; and how it is told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.queues import SimpleQueue
from typing import Any, Final

import numpy as np

from services.cli.benches.city_load import CityProgress
from services.cli.benches.usage import resident_bytes
from services.core.clock import Clock
from services.core.storage.alert_stream import AlertChange, decode_changes
from services.core.storage.event_log import follow, tail
from services.core.storage.pool import Connection

_MEBIBYTE: Final = 1 << 20
_SIZES: Final = """
SELECT h.hypertable_name::text AS name, hypertable_size(format('%I', h.hypertable_name)::regclass) AS bytes
FROM timescaledb_information.hypertables h WHERE h.hypertable_schema = 'public'
UNION ALL
SELECT c.relname::text, pg_total_relation_size(c.oid) FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  AND c.relname NOT IN (SELECT hypertable_name FROM timescaledb_information.hypertables)
"""
_WAL: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_SECONDS_AN_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Alerted:
    """Of one trip, in Unix seconds: sent, begun to be written by ingest, and its alert seen as committed."""

    sent_at: float
    written_at: float
    seen_at: float

    @property
    def latency_ms(self) -> float:
        return 1000 * (self.seen_at - self.sent_at)


@dataclass(slots=True)
class AlertWatch:
    """When tripped bays were written to the log, and when their alerts were seen as committed."""

    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    firing: int = 0
    other: int = 0  # alerts that nobody asked for

    async def follow(self, connection: Connection, clock: Clock) -> None:
        """Reads the alerts' stream for ever: a batch that can be read is committed."""
        begin = await tail(connection, "alerts")
        async for entries in follow(connection, "alerts", begin):
            now = clock.now().timestamp()
            for entry in entries:
                for change in decode_changes(entry.body):
                    if change.action == "firing":
                        self._take(change, now)

    def _take(self, change: AlertChange, now: float) -> None:
        self.firing += 1
        datastream = change.labels.get("datastream", "")
        if datastream.startswith("feeder-bay"):
            bay = datastream.partition(".")[0].replace("-site", "")
            times = change.at.timestamp(), now  # rules tell time by the log
            self.seen.setdefault(bay, []).append(times)
        else:
            self.other += 1

    def answers(
        self, trips: "SimpleQueue[tuple[str, float]]"
    ) -> tuple[int, list[Alerted]]:
        """(how many trips have no alert, the others)."""
        found: list[Alerted] = []
        missing = 0
        while not trips.empty():
            device, at = trips.get()
            after = [times for times in self.seen.get(device, ()) if times[1] >= at]
            missing += not after
            if after:
                found.append(Alerted(at, *min(after, key=lambda times: times[1])))
        return missing, found


def alert_latency(alerted: Sequence[Alerted]) -> dict[str, Any]:
    """In milliseconds from sending; to_write: until ingest began to write the batch; from_write: from then on."""
    to_write = [1000 * (one.written_at - one.sent_at) for one in alerted]
    from_write = [1000 * (one.seen_at - one.written_at) for one in alerted]
    return {
        **percentiles([one.latency_ms for one in alerted]),
        "to_write": percentiles(to_write),
        "from_write": percentiles(from_write),
        "by_minute": by_minute([(one.sent_at, one.latency_ms) for one in alerted]),
        "alerts": len(alerted),
    }


@dataclass(slots=True)
class Watch:
    """Samples of a run, one a second."""

    processes: Mapping[str, int]
    resident: dict[str, float] = field(default_factory=dict)
    together: float = 0.0
    unreceipted: list[int] = field(default_factory=list)

    async def sample_for_ever(self, progress: CityProgress, clock: Clock) -> None:
        while True:
            self.sample(progress)
            await clock.sleep(1.0)

    def sample(self, progress: CityProgress) -> None:
        now = {
            name: resident_bytes(pid) / _MEBIBYTE
            for name, pid in self.processes.items()
        }
        for name, mebibytes in now.items():
            self.resident[name] = max(self.resident.get(name, 0.0), mebibytes)
        self.together = max(self.together, sum(now.values()))
        self.unreceipted.append(progress.messages.value - progress.receipted.value)


def stalls(unreceipted: Sequence[int], rate: float) -> list[dict[str, int]]:
    """When more than two seconds' messages had no receipt: from which second of the load, how long, how many at most."""
    found: list[dict[str, int]] = []
    before = -2
    for second, count in enumerate(unreceipted):
        if count <= 2 * rate:
            continue
        if second != before + 1:
            found.append({"at_s": second, "seconds": 0, "messages": 0})
        found[-1]["seconds"] += 1
        found[-1]["messages"] = max(found[-1]["messages"], count)
        before = second
    return found


async def sizes(connection: Connection) -> dict[str, int]:
    """Bytes by table, and of WAL written so far."""
    found = {row["name"]: row["bytes"] for row in await connection.fetch(_SIZES)}
    return {**found, "WAL written": await connection.fetchval(_WAL)}


def an_hour(
    before: Mapping[str, int], after: Mapping[str, int], seconds: float
) -> dict[str, int]:
    """MiB an hour by table, the largest first; what grew by less than one is left out."""
    grown = {
        name: round(
            (size - before.get(name, 0)) / seconds * _SECONDS_AN_HOUR / _MEBIBYTE
        )
        for name, size in after.items()
    }
    ordered = sorted(grown.items(), key=lambda entry: -entry[1])
    return {name: size for name, size in ordered if size > 0}


def by_minute(latencies: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Of (Unix seconds, value), from the first on: a disk that stood still is seen in one of them."""
    began = min((at for at, _ in latencies), default=0.0)
    minutes: dict[int, list[float]] = {}
    for at, value in latencies:
        minutes.setdefault(int((at - began) // 60), []).append(value)
    return [
        {"minute": minute, **percentiles(values)}
        for minute, values in sorted(minutes.items())
    ]


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"p50": None, "p99": None, "max": None}
    shares = np.percentile(values, [50, 99, 100])
    return dict(zip(("p50", "p99", "max"), shares.round(1).tolist(), strict=True))


async def drained(
    connection: Connection, items: int, clock: Clock, patience: float
) -> float:
    """Seconds until history has counted so many items as received.

    Raises:
        TimeoutError: it never does.
    """
    began = clock.monotonic()
    async with asyncio.timeout(patience):
        while (await ledger_sums(connection))["received"] < items:
            await clock.sleep(0.2)
    return clock.monotonic() - began


async def ledger_sums(connection: Connection) -> dict[str, Any]:
    row = await connection.fetchrow(
        """SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
                  coalesce(sum(merged), 0)::bigint AS merged, coalesce(sum(duplicate), 0)::bigint AS duplicate,
                  coalesce(sum(rejected), 0)::bigint AS rejected,
                  coalesce(sum(rejected_values), 0)::bigint AS rejected_values
           FROM publisher_totals"""
    )
    return dict(row)
