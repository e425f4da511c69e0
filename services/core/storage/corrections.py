"""What people know better than what was measured: asked here, stored by ingest as a revision."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.core.errors import PlatformError
from services.core.storage.pool import Connection

# What is stored for a datastream at a moment, by the device that measured it then.
_STORED: Final = """
SELECT o.results[s.slot + 1] AS result
FROM datastream_slots s
JOIN observations o ON o.frame_id = s.frame_id AND o.phenomenon_time = $2
WHERE s.datastream_id = $1 AND s.valid_from <= $2 AND s.valid_to > $2
"""
_INSERT: Final = """
INSERT INTO corrections (datastream_id, phenomenon_time, value, quality, reason, asked_by, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING correction_id
"""
_AUDIT: Final = """
INSERT INTO audit (at, actor, action, entity, entity_key, old, new)
SELECT $1, $2, 'correct', 'corrections', key, $4, $5 FROM datastreams WHERE datastream_id = $3
"""


class NothingToCorrectError(PlatformError):
    """Nothing is stored for that datastream at that time, to the millisecond."""


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """value None: as it is stored. quality: as a source says it. A value is canonical, or a state's code."""

    datastream_id: int
    time: dt.datetime
    value: float | bool | str | None
    quality: str | None
    reason: str


async def correct(
    connection: Connection, new: NewCorrection, *, actor: str, now: dt.datetime
) -> int:
    """Write it down, with a line in the audit; ingest stores it within a second or two. Returns its id.

    Raises:
        NothingToCorrectError: nothing is stored there.
    """
    async with connection.transaction():
        old = await connection.fetchval(_STORED, new.datastream_id, new.time)
        if old is None:
            raise NothingToCorrectError
        value = old if new.value is None else new.value
        correction_id: int = await connection.fetchval(
            _INSERT,
            new.datastream_id,
            new.time,
            value,
            new.quality,
            new.reason,
            actor,
            now,
        )
        told = {"id": correction_id, "value": value, "reason": new.reason}
        before = {"time": new.time.isoformat(), "value": old}
        await connection.execute(_AUDIT, now, actor, new.datastream_id, before, told)
    return correction_id


async def read_correction(
    connection: Connection, correction_id: int
) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = await connection.fetchrow(
        "SELECT * FROM corrections WHERE correction_id = $1", correction_id
    )
    return row
