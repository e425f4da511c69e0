"""What mends a refusal: which channel, range or device the registry lacks; each is mended with its audit."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.core.city.near import near
from services.core.errors import PlatformError
from services.core.reasons import Reason
from services.core.storage import registry_sql as sql
from services.core.storage.pool import Connection

Kind = Literal["channel", "range", "device", "host"]
KIND_OF: Final[Mapping[str, Kind]] = {
    Reason.UNKNOWN_CHANNEL: "channel",
    Reason.RANGE: "range",
    Reason.UNKNOWN_DEVICE: "device",
    Reason.NOT_HOSTED: "host",
}

_CHANNELS: Final = """
SELECT y.key AS device_type, c.channel, p.key AS observed_property, p.unit, p.hard_min, p.hard_max
FROM devices d
JOIN device_types y USING (device_type_id)
JOIN device_type_channels c USING (device_type_id)
JOIN observed_properties p USING (observed_property_id)
WHERE d.key = $1 AND c.retired_at IS NULL
ORDER BY c.slot
"""
_TYPE_CHANNELS: Final = """
SELECT t.device_type_id, array(SELECT c.channel FROM device_type_channels c
    WHERE c.device_type_id = t.device_type_id AND c.retired_at IS NULL ORDER BY c.slot) AS channels
FROM device_types t WHERE t.key = $1 AND t.retired_at IS NULL
"""
_MAP: Final = """
INSERT INTO channel_aliases (device_type_id, alias, channel, added_by, added_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device_type_id, alias) DO UPDATE
SET channel = excluded.channel, added_by = excluded.added_by, added_at = excluded.added_at
"""
_PROPERTY: Final = """
SELECT hard_min, hard_max, plausible_min, plausible_max FROM observed_properties WHERE key = $1 AND retired_at IS NULL
"""
# The first value stays: it is what the file said.
_REMEMBER: Final = """
INSERT INTO operator_changes (entity, entity_key, field, file_value, value, changed_by, changed_at)
VALUES ('observed_properties', $1, $2, $3, $4, $5, $6)
ON CONFLICT (entity, entity_key, field) DO UPDATE
SET value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""
_HOST: Final = """
SELECT g.device_id AS gateway_id, d.device_id, g.publishes, h.retired_at IS NULL AND h.gateway_id IS NOT NULL AS tied
FROM devices g CROSS JOIN devices d
LEFT JOIN device_hosts h ON h.gateway_id = g.device_id AND h.device_id = d.device_id
WHERE g.key = $1 AND d.key = $2 AND g.retired_at IS NULL AND d.retired_at IS NULL
"""
_TIE: Final = """
INSERT INTO device_hosts (gateway_id, device_id, revision) VALUES ($1, $2, $3)
ON CONFLICT (gateway_id, device_id) DO UPDATE SET retired_at = NULL, revision = excluded.revision
"""


class RemedyError(PlatformError):
    """The registry cannot be mended like this; nothing was written."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would mend a refusal. facts: by kind, what there is to choose from; kind None: nothing in the registry would."""

    kind: Kind | None
    facts: Mapping[str, Any]


async def find_remedy(connection: Connection, rejection: Mapping[str, Any]) -> Remedy:
    """rejection: a row of the inbox."""
    kind = KIND_OF.get(rejection["reason"])
    publisher = rejection["publisher"]
    device, channel = rejection["device"] or publisher, rejection["channel"]
    if kind == "device":
        gateway = publisher if device != publisher else None
        return Remedy(kind, {"device": device, "gateway": gateway})
    if kind == "host":
        return Remedy(kind, {"device": device, "gateway": publisher})
    if kind is None or channel is None:
        return Remedy(None, {})
    rows = await connection.fetch(_CHANNELS, device)
    if kind == "channel" and rows:
        names = [row["channel"] for row in rows]
        suggested = near(channel, names)
        facts = {
            "device_type": rows[0]["device_type"],
            "alias": channel,
            "channels": names,
            "suggested": next(
                (name for name in names if repr(name) in suggested), None
            ),
        }
        return Remedy(kind, facts)
    found = [dict(row) for row in rows if row["channel"] == channel]
    return Remedy(kind, found[0]) if found else Remedy(None, {})


async def map_channel(
    connection: Connection,
    device_type: str,
    alias: str,
    channel: str,
    *,
    by: str,
    now: dt.datetime,
) -> int:
    """What devices of the type send as alias counts as channel from now on. The registry's revision.

    Raises:
        RemedyError: there is no such type or channel, or alias is a channel itself.
    """
    async with connection.transaction():
        await connection.fetchval(sql.LOCK)
        found = await connection.fetchrow(_TYPE_CHANNELS, device_type)
        if found is None:
            raise RemedyError(f"There is no device type {device_type!r}.")
        if channel not in found["channels"]:
            hint = near(channel, found["channels"])
            raise RemedyError(f"{device_type} has no channel {channel!r}{hint}.")
        if alias in found["channels"]:
            raise RemedyError(f"{alias!r} is a channel of {device_type} itself.")
        type_id = found["device_type_id"]
        old = await connection.fetchval(
            "SELECT channel FROM channel_aliases WHERE device_type_id = $1 AND alias = $2",
            type_id,
            alias,
        )
        await connection.execute(_MAP, type_id, alias, channel, by, now)
        revision = await _next_revision(connection)
        await connection.execute(
            "UPDATE device_types SET revision = $1 WHERE device_type_id = $2",
            revision,
            type_id,
        )
        entry = _Entry("channel_aliases", f"{device_type}.{alias}")
        before = None if old is None else {"channel": old}
        await _audit(connection, entry, by, before, {"channel": channel})
    return revision


async def widen_range(
    connection: Connection,
    observed_property: str,
    low: float | None,
    high: float | None,
    *,
    by: str,
    now: dt.datetime,
) -> int:
    """Values from low to high (canonical unit; None: as it is) are taken from now on. The registry's revision.

    `city apply` keeps it as long as the file says of this range what it says now.

    Raises:
        RemedyError: there is no such property, or the range would become narrower: the city file does that.
    """
    async with connection.transaction():
        await connection.fetchval(sql.LOCK)
        held = await connection.fetchrow(_PROPERTY, observed_property)
        if held is None:
            raise RemedyError(f"There is no observed property {observed_property!r}.")
        asked = {"hard_min": low, "hard_max": high}
        wanted = {field: value for field, value in asked.items() if value is not None}
        _only_wider(held, wanted)
        revision = await _next_revision(connection)
        for field, value in wanted.items():
            await connection.execute(
                f"UPDATE observed_properties SET {field} = $1, revision = $2 WHERE key = $3",  # noqa: S608 # of two
                value,
                revision,
                observed_property,
            )
            await connection.execute(
                _REMEMBER, observed_property, field, held[field], value, by, now
            )
        before = {field: held[field] for field in wanted}
        entry = _Entry("observed_properties", observed_property)
        await _audit(connection, entry, by, before, wanted)
    return revision


def _only_wider(held: Mapping[str, Any], wanted: Mapping[str, float]) -> None:
    low, high = wanted.get("hard_min"), wanted.get("hard_max")
    narrower = [
        low is not None and (held["hard_min"] is None or low > held["hard_min"]),
        high is not None and (held["hard_max"] is None or high < held["hard_max"]),
    ]
    if not wanted or any(narrower):
        now = f"{_bound(held['hard_min'])} to {_bound(held['hard_max'])}"
        raise RemedyError(
            f"The range is {now}: it can be made wider here; the city file makes it narrower."
        )


def _bound(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


async def tie_host(
    connection: Connection, gateway: str, device: str, *, by: str
) -> int:
    """The gateway may speak for the device from now on. The registry's revision.

    Raises:
        RemedyError: one of them is not registered, or the gateway publishes nothing.
    """
    async with connection.transaction():
        revision: int = await connection.fetchval(sql.LOCK)
        found = await connection.fetchrow(_HOST, gateway, device)
        if found is None:
            raise RemedyError(f"{gateway} and {device} must both be registered.")
        if not found["publishes"] or gateway == device:
            raise RemedyError(f"{gateway} cannot speak for {device}.")
        if found["tied"]:
            return revision
        revision = await _next_revision(connection)
        await connection.execute(
            _TIE, found["gateway_id"], found["device_id"], revision
        )
        tie = {"gateway": gateway, "device": device}
        entry = _Entry("device_hosts", f"{gateway} hosts {device}")
        await _audit(connection, entry, by, None, tie)
    return revision


@dataclass(frozen=True, slots=True)
class _Entry:
    table: str
    key: str


async def _next_revision(connection: Connection) -> int:
    revision: int = await connection.fetchval(sql.NEXT_REVISION)
    await connection.execute("SELECT pg_notify('registry', $1)", str(revision))
    return revision


async def _audit(
    connection: Connection,
    entry: _Entry,
    by: str,
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
) -> None:
    row = {
        "action": "create" if old is None else "change",
        "entity": entry.table,
        "entity_key": entry.key,
        "old": old,
        "new": new,
    }
    await connection.execute(sql.AUDIT, by, [row])
