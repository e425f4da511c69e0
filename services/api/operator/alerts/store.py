"""What alerts point at, by id; alerts themselves are core.storage.alerts'."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.core.alerting.alert import Alert
from services.core.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class AlertNames:
    """Keys by id. household: datastreams of single households."""

    things: Mapping[int, str]
    datastreams: Mapping[int, str]
    household: frozenset[int]


async def find_names(connection: Connection, alerts: Iterable[Alert]) -> AlertNames:
    subjects = [alert.subject for alert in alerts]
    things = await connection.fetch(
        "SELECT thing_id, key FROM things WHERE thing_id = ANY($1)",
        list({subject.thing_id for subject in subjects} - {None}),
    )
    datastreams = await connection.fetch(
        """
        SELECT d.datastream_id, d.key, p.privacy = 'household' AS household
        FROM datastreams d JOIN observed_properties p USING (observed_property_id)
        WHERE d.datastream_id = ANY($1)
        """,
        list({subject.datastream_id for subject in subjects} - {None}),
    )
    return AlertNames(
        things={row["thing_id"]: row["key"] for row in things},
        datastreams={row["datastream_id"]: row["key"] for row in datastreams},
        household=frozenset(
            row["datastream_id"] for row in datastreams if row["household"]
        ),
    )


async def find_thing_id(connection: Connection, key: str) -> int | None:
    thing_id: int | None = await connection.fetchval(
        "SELECT thing_id FROM things WHERE key = $1", key
    )
    return thing_id
