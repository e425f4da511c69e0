"""Lets people watch single devices: off unless somebody does, and never in the way of a batch."""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import structlog

from services.core.broker.topics import down_topic
from services.core.clock import Clock
from services.core.storage.pool import Connection
from services.core.storage.transient import is_transient
from services.ingest.batch import Batch
from services.ingest.check import Checked
from services.ingest.messages import Received
from services.ingest.plan import Plan
from services.ingest.resolve import Resolved
from services.ingest.side_connection import SideConnection
from services.ingest.watched import Watched, committed, look

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0
_FLUSH_SECONDS: Final = 0.2
_MOST_PENDING: Final = 1_000  # the oldest make room
_MOST_KEPT: Final = 20_000
_KEEP: Final = dt.timedelta(minutes=10)
_WATCHES: Final = "SELECT device FROM watches WHERE until > $1"
_INSERT: Final = """
INSERT INTO watch_reports (device, reported_at, report)
SELECT device, $1, report FROM unnest($2::text[], $3::jsonb[]) AS told (device, report)
"""
_TRIM: Final = """
DELETE FROM watch_reports
WHERE reported_at < $1 OR report_id <= (SELECT max(report_id) FROM watch_reports) - $2
"""


class Tap:
    """watched: device ids; while it is empty a look at it is all that watching costs."""

    def __init__(self, clock: Clock) -> None:
        self.watched: frozenset[str] = frozenset()
        self._clock = clock
        self._pending: deque[tuple[str, dict[str, Any]]] = deque(maxlen=_MOST_PENDING)

    def look(
        self,
        batch: Batch,
        messages: Iterable[Received],
        resolved: Resolved,
        checked: Checked,
        now_ms: int,
    ) -> None:
        """Remember with the batch what of it is watched."""
        batch.watched += look(self.watched, messages, resolved, checked, now_ms)

    def commit(
        self, watched: Iterable[Watched], plans: Sequence[Plan], log_batch: int
    ) -> None:
        now_ms = self._clock.now_ms()
        for one in watched:
            told = committed(one, plans, log_batch, now_ms)
            self._pending.extend((device, told) for device in one.devices)

    def send(self, receipts: Iterable[tuple[str, bytes]]) -> None:
        """What publishers are told: topics and payloads."""
        topics = {down_topic(device, "receipt"): device for device in self.watched}
        for topic, payload in receipts:
            if device := topics.get(topic):
                told = {
                    "kind": "receipt",
                    "at_ms": self._clock.now_ms(),
                    "topic": topic,
                    "receipt": msgspec.json.decode(payload),
                }
                self._pending.append((device, told))

    async def run(self, connection: SideConnection) -> None:
        """For ever: learn who is watched, and hand out what was seen."""
        looked_at = trimmed_at = self._clock.monotonic() - _LOOK_SECONDS
        while True:
            try:
                now = self._clock.monotonic()
                if now - looked_at >= _LOOK_SECONDS:
                    looked_at = now
                    await self._learn(await connection.get())
                if self._pending:
                    await self._hand_out(await connection.get())
                if now - trimmed_at >= _KEEP.total_seconds() / 10:
                    trimmed_at = now
                    await self._trim(await connection.get())
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning(
                    "the watch waits for the database",
                    action="watch_retry",
                    error=str(error),
                )
            await self._clock.sleep(_FLUSH_SECONDS if self.watched else _LOOK_SECONDS)

    async def _learn(self, connection: Connection) -> None:
        rows = await connection.fetch(_WATCHES, self._clock.now())
        self.watched = frozenset(row["device"] for row in rows)

    async def _hand_out(self, connection: Connection) -> None:
        told = list(self._pending)
        self._pending.clear()
        await connection.execute(
            _INSERT,
            self._clock.now(),
            [device for device, _ in told],
            [report for _, report in told],
        )

    async def _trim(self, connection: Connection) -> None:
        await connection.execute(_TRIM, self._clock.now() - _KEEP, _MOST_KEPT)
