"""What alerts are about, in names and units; and the city's time zone in which people read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.core.storage.pool import Connection

_NAMES: Final = """
SELECT a.alert_id, t.name AS thing, r.document -> 'name' AS rule, p.unit, p.codes
FROM alerts a
LEFT JOIN things t ON t.thing_id = a.thing_id
LEFT JOIN datastreams s ON s.datastream_id = a.datastream_id
LEFT JOIN observed_properties p ON p.observed_property_id = s.observed_property_id
LEFT JOIN rules r ON r.key = a.rule_key
WHERE a.alert_id = ANY ($1)
"""
_TIME_ZONE: Final = "SELECT city ->> 'time_zone' FROM registry_state"


@dataclass(frozen=True, slots=True)
class AlertNames:
    """None where an alert has none: a rule on devices has no thing and no unit."""

    thing: Mapping[str, str] | None
    rule: Mapping[str, str] | None
    unit: str | None
    codes: Sequence[Mapping[str, Any]]


async def alert_names(
    connection: Connection, alert_ids: Sequence[int]
) -> dict[int, AlertNames]:
    rows = await connection.fetch(_NAMES, alert_ids)
    return {
        row["alert_id"]: AlertNames(
            row["thing"], row["rule"], row["unit"], row["codes"] or ()
        )
        for row in rows
    }


async def city_time_zone(connection: Connection) -> str:
    """UTC before there is a city."""
    return await connection.fetchval(_TIME_ZONE) or "UTC"
