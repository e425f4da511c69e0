"""One device of the registry with all that its maker and its operator ask about."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.city.near import near
from services.core.errors import PlatformError
from services.core.storage.pool import Connection

_DEVICE: Final = """
SELECT d.device_id, d.key, y.key AS device_type, t.key AS thing, t.name AS thing_name, d.publishes, d.external_ids,
       d.retired_at, y.period_ms, y.max_age_ms, y.max_ahead_ms, y.server_time, c.issued_at, c.revoked_at,
       s.last_seen, s.last_time, s.online, s.firmware,
       array(SELECT g.key FROM device_hosts h JOIN devices g ON g.device_id = h.gateway_id
             WHERE h.device_id = d.device_id AND h.retired_at IS NULL ORDER BY g.key) AS hosted_by,
       array(SELECT m.key FROM device_hosts h JOIN devices m ON m.device_id = h.device_id
             WHERE h.gateway_id = d.device_id AND h.retired_at IS NULL ORDER BY m.key) AS hosts
FROM devices d
LEFT JOIN device_types y USING (device_type_id)
LEFT JOIN things t USING (thing_id)
LEFT JOIN credentials c USING (device_id)
LEFT JOIN device_status s USING (device_id)
WHERE d.key = $1
"""
_CHANNELS: Final = """
SELECT c.channel, p.key AS observed_property, p.kind, c.unit, p.unit AS canonical_unit, c.sampling, c.sampling_ms,
       p.hard_min, p.hard_max, p.plausible_min, p.plausible_max, p.max_rate, p.max_spike, p.flat_line_ms, c.rolls_over_at, p.codes, p.privacy, s.key AS datastream
FROM devices d
JOIN device_type_channels c USING (device_type_id)
JOIN observed_properties p USING (observed_property_id)
LEFT JOIN frames f ON f.device_id = d.device_id AND f.closed_at IS NULL
LEFT JOIN datastream_slots l ON l.frame_id = f.frame_id AND l.slot = c.slot AND l.valid_to = 'infinity'
LEFT JOIN datastreams s USING (datastream_id)
WHERE d.key = $1 AND c.retired_at IS NULL
ORDER BY c.slot
"""


class UnknownDeviceError(PlatformError):
    """No such device in the registry."""

    remedy = "`alatau devices add KEY --type DEVICE_TYPE --thing THING` registers one."


@dataclass(frozen=True, slots=True)
class Channel:
    """What a device may send under one key. Ranges and codes are in the canonical unit; None is open."""

    channel: str
    observed_property: str
    kind: str
    unit: str
    canonical_unit: str
    sampling: str
    sampling_ms: int
    hard_min: float | None
    hard_max: float | None
    plausible_min: float | None
    plausible_max: float | None
    max_rate: float | None
    max_spike: float | None
    flat_line_ms: int | None
    rolls_over_at: float | None
    codes: Sequence[Mapping[str, Any]]
    privacy: str
    datastream: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """device_type None: it measures nothing. hosted_by, hosts: by device id. last_seen: when we last stored of it."""

    device_id: int
    key: str
    device_type: str | None
    thing: str | None
    thing_name: Mapping[str, str] | None
    publishes: bool
    external_ids: Sequence[Mapping[str, str]]
    retired_at: dt.datetime | None
    period_ms: int | None
    max_age_ms: int | None
    max_ahead_ms: int | None
    server_time: bool | None
    issued_at: dt.datetime | None
    revoked_at: dt.datetime | None
    last_seen: dt.datetime | None
    last_time: dt.datetime | None
    online: bool | None
    firmware: str | None
    hosted_by: Sequence[str]
    hosts: Sequence[str]
    channels: Sequence[Channel]


async def read_device(connection: Connection, key: str) -> Device:
    """One device, in use or retired.

    Raises:
        UnknownDeviceError: the registry has none of this key.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_DEVICE, key)
        if row is None:
            keys = await connection.fetch("SELECT key FROM devices LIMIT 50000")
            suggested = near(key, (known["key"] for known in keys))
            raise UnknownDeviceError(f"No such device: {key}{suggested}")
        channels = await connection.fetch(_CHANNELS, key)
    return Device(**row, channels=[Channel(**channel) for channel in channels])
