"""The registry as records by section and key, to be compared with a city file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.core.city.diff import Known, Registry
from services.core.city.entities import Device
from services.core.city.records import Section, channel_key, host_key, relation_key
from services.core.storage.pool import Connection
from services.core.storage.registry_sql import TABLES

Row = Mapping[str, Any]

QUERIES: Final[dict[Section, str]] = {
    Section.CITY: "SELECT city, false AS retired FROM registry_state WHERE city IS NOT NULL",
    Section.DISTRICT: "SELECT key, retired_at IS NOT NULL AS retired, name, area FROM districts",
    Section.OBSERVED_PROPERTY: """
        SELECT key, retired_at IS NOT NULL AS retired, domain, kind, unit, name, definition,
               hard_min, hard_max, plausible_min, plausible_max, max_rate, max_spike, flat_line_ms, aggregations, codes, privacy
        FROM observed_properties""",
    Section.SENSOR: """
        SELECT key, retired_at IS NOT NULL AS retired, name, manufacturer, model, datasheet FROM sensors""",
    Section.DEVICE_TYPE: """
        SELECT t.key, t.retired_at IS NOT NULL AS retired, t.name, s.key AS sensor,
               t.period_ms, t.max_age_ms, t.max_ahead_ms, t.clock_tolerance_ms, t.server_time
        FROM device_types t JOIN sensors s USING (sensor_id)""",
    # Of several slots of one name the last counts: it is the live one, if any is.
    Section.CHANNEL: """
        SELECT DISTINCT ON (t.key, c.channel) c.retired_at IS NOT NULL AS retired, t.key AS device_type, c.channel,
               p.key AS observed_property, c.unit, c.factor, c.addend, c.sampling, c.sampling_ms, c.rolls_over_at
        FROM device_type_channels c
        JOIN device_types t USING (device_type_id)
        JOIN observed_properties p USING (observed_property_id)
        ORDER BY t.key, c.channel, c.slot DESC""",
    Section.THING: """
        SELECT t.key, t.retired_at IS NOT NULL AS retired, t.kind, t.domain, t.name, t.description,
               d.key AS district, t.longitude, t.latitude, t.geometry, t.status, t.protected, t.properties
        FROM things t JOIN districts d USING (district_id)""",
    Section.RELATION: """
        SELECT r.retired_at IS NOT NULL AS retired, r.kind, s.key AS source, t.key AS target
        FROM thing_relations r
        JOIN things s ON s.thing_id = r.source_thing_id
        JOIN things t ON t.thing_id = r.target_thing_id""",
    Section.DEVICE: """
        SELECT d.key, d.retired_at IS NOT NULL AS retired, y.key AS device_type, t.key AS thing,
               d.publishes, d.external_ids
        FROM devices d LEFT JOIN device_types y USING (device_type_id) LEFT JOIN things t USING (thing_id)""",
    Section.HOST: """
        SELECT h.retired_at IS NOT NULL AS retired, g.key AS gateway, d.key AS device
        FROM device_hosts h
        JOIN devices g ON g.device_id = h.gateway_id
        JOIN devices d ON d.device_id = h.device_id""",
    Section.DATASTREAM: """
        SELECT s.key, s.retired_at IS NOT NULL AS retired, t.key AS thing, s.channel, p.key AS observed_property,
               i.key AS sensor, s.name, s.period_ms, s.sampling, s.sampling_ms,
               d.key AS device, y.key AS device_type
        FROM datastreams s
        JOIN things t USING (thing_id)
        JOIN observed_properties p USING (observed_property_id)
        JOIN sensors i USING (sensor_id)
        LEFT JOIN datastream_slots l ON l.datastream_id = s.datastream_id AND l.valid_to = 'infinity'
        LEFT JOIN frames f USING (frame_id)
        LEFT JOIN devices d USING (device_id)
        LEFT JOIN device_types y ON y.device_type_id = f.device_type_id""",
    Section.FLEET: """
        SELECT key, retired_at IS NOT NULL AS retired, template, content, things, devices, datastreams, vanished
        FROM fleets""",
}
# What is written one by one: members of fleets are compared where they are.
_NAMED: Final[dict[Section, str]] = {
    Section.THING: "WHERE t.fleet_id IS NULL",
    Section.RELATION: "WHERE s.fleet_id IS NULL AND t.fleet_id IS NULL",
    Section.DEVICE: "WHERE d.fleet_id IS NULL",
    Section.HOST: "WHERE d.fleet_id IS NULL",
    Section.DATASTREAM: "WHERE t.fleet_id IS NULL",
}
_KEYS: Final[dict[Section, Callable[[Row], str]]] = {
    Section.CHANNEL: lambda row: channel_key(row["device_type"], row["channel"]),
    Section.RELATION: lambda row: relation_key(
        row["kind"], row["source"], row["target"]
    ),
    Section.HOST: lambda row: host_key(row["gateway"], row["device"]),
}

_COUNT: Final = """
SELECT count(*) FILTER (WHERE retired_at IS NULL) AS live, count(*) FILTER (WHERE retired_at IS NOT NULL) AS retired
FROM {table}"""


_SOME: Final = "SELECT * FROM ({query}) AS found WHERE {column} = ANY ($1::text[])"
_LIVE_KEYS: Final = (
    "SELECT key FROM {table} WHERE retired_at IS NULL LIMIT 50000"  # to suggest one
)


def _own_key(row: Row) -> str:
    return str(row["key"])


async def read_registry(connection: Connection) -> Registry:
    """Everything a city file names, and its fleets as wholes; read in a transaction for one consistent state."""
    return {
        section: await _read(connection, section, f"{query} {_NAMED.get(section, '')}")
        for section, query in QUERIES.items()
    }


async def read_around(connection: Connection, devices: Sequence[Device]) -> Registry:
    """Of the registry what these devices name, with the datastreams of their things; other sections are empty."""
    types = {device.type for device in devices if device.type}
    things = {device.thing for device in devices if device.thing}
    keys = {device.key for device in devices}
    hosts = {gateway for device in devices for gateway in device.hosted_by}
    wanted: dict[Section, tuple[str, set[str]]] = {
        Section.DEVICE_TYPE: ("key", types),
        Section.CHANNEL: ("device_type", types),
        Section.THING: ("key", things),
        Section.DEVICE: ("key", keys | hosts),
        Section.HOST: ("device", keys),
        Section.DATASTREAM: ("thing", things),
    }
    found: dict[Section, Mapping[str, Known]] = {section: {} for section in Section}
    found[Section.OBSERVED_PROPERTY] = await _read(
        connection, Section.OBSERVED_PROPERTY, QUERIES[Section.OBSERVED_PROPERTY]
    )
    for section, (column, values) in wanted.items():
        query = _SOME.format(query=QUERIES[section], column=column)
        found[section] = await _read(connection, section, query, list(values))
    return found


async def read_names(
    connection: Connection, devices: Sequence[Device], around: Registry
) -> dict[Section, list[str]]:
    """Every live key of the sections in which these devices name something that is not there."""
    named = {
        Section.DEVICE_TYPE: {device.type for device in devices if device.type},
        Section.THING: {device.thing for device in devices if device.thing},
        Section.DEVICE: {gate for device in devices for gate in device.hosted_by},
    }
    return {
        section: [
            row["key"]
            for row in await connection.fetch(_LIVE_KEYS.format(table=TABLES[section]))
        ]
        for section, keys in named.items()
        if keys - around[section].keys()
    }


async def _read(
    connection: Connection, section: Section, query: str, *parameters: object
) -> dict[str, Known]:
    rows = await connection.fetch(query, *parameters)
    if section is Section.CITY:
        return {row["city"]["key"]: Known(row["city"]) for row in rows}
    key_of = _KEYS.get(section, _own_key)
    return {key_of(row): Known(row, row["retired"]) for row in rows}


async def registry_summary(connection: Connection) -> dict[str, Any]:
    """{revision, city, counts: {entity: {live, retired}}}."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        state = await connection.fetchrow("SELECT revision, city FROM registry_state")
        counts = {
            section.value: dict(await connection.fetchrow(_COUNT.format(table=table)))
            for section, table in TABLES.items()
            if section is not Section.CITY
        }
    return {"revision": state["revision"], "city": state["city"], "counts": counts}
