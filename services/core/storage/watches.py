"""Watching single devices: who asks for it, what ingest has told, and what the registry declares of the device."""

import datetime as dt
from typing import Any, Final

from services.core.conformance.checks import Declared
from services.core.storage.pool import Connection

RENEW_SECONDS: Final = 10.0
LASTS: Final = dt.timedelta(seconds=30)  # unless it is renewed
_WATCH: Final = """
INSERT INTO watches AS held (device, asked_by, until) VALUES ($1, $2, $3)
ON CONFLICT (device) DO UPDATE SET asked_by = excluded.asked_by, until = greatest(held.until, excluded.until)
"""
_REPORTS: Final = """
SELECT report_id, report FROM watch_reports WHERE device = $1 AND report_id > $2 ORDER BY report_id LIMIT $3
"""
_DECLARED: Final = """
SELECT y.key AS device_type, y.period_ms,
       array(SELECT c.channel FROM device_type_channels c
             WHERE c.device_type_id = y.device_type_id AND c.retired_at IS NULL ORDER BY c.slot) AS channels
FROM devices d JOIN device_types y USING (device_type_id) WHERE d.key = $1
"""


async def watch(
    connection: Connection, device: str, *, by: str, now: dt.datetime
) -> None:
    """From the next second on, for half a minute: say it again before that."""
    await connection.execute(
        "DELETE FROM watches WHERE until < $1", now - dt.timedelta(days=1)
    )
    await connection.execute(_WATCH, device, by, now + LASTS)


async def newest_report(connection: Connection, device: str) -> int:
    """Its id; 0: there is none."""
    newest: int = await connection.fetchval(
        "SELECT coalesce(max(report_id), 0) FROM watch_reports WHERE device = $1",
        device,
    )
    return newest


async def read_reports(
    connection: Connection, device: str, after: int, limit: int = 500
) -> list[tuple[int, dict[str, Any]]]:
    """(id, report), oldest first."""
    rows = await connection.fetch(_REPORTS, device, after, limit)
    return [(row["report_id"], row["report"]) for row in rows]


async def read_declared(connection: Connection, device: str) -> Declared:
    """What its type declares; nothing of a device that is not registered, or measures nothing."""
    row = await connection.fetchrow(_DECLARED, device)
    return Declared(device) if row is None else Declared(device, **row)
