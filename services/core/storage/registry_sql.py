"""The statements of `city apply`. $1 is always the new revision; rows come as one JSON array, keys as text[]."""

from typing import Final

from services.core.city.records import Section

TABLES: Final[dict[Section, str]] = {
    Section.CITY: "registry_state",
    Section.DISTRICT: "districts",
    Section.OBSERVED_PROPERTY: "observed_properties",
    Section.SENSOR: "sensors",
    Section.DEVICE_TYPE: "device_types",
    Section.CHANNEL: "device_type_channels",
    Section.THING: "things",
    Section.RELATION: "thing_relations",
    Section.DEVICE: "devices",
    Section.HOST: "device_hosts",
    Section.DATASTREAM: "datastreams",
    Section.FLEET: "fleets",
}

REVISION: Final = "SELECT revision FROM registry_state"
LOCK: Final = "SELECT revision FROM registry_state FOR UPDATE"  # one change of the registry at a time
NEXT_REVISION: Final = (
    "UPDATE registry_state SET revision = revision + 1 RETURNING revision"
)

AUDIT: Final = """
INSERT INTO audit (actor, action, entity, entity_key, old, new)
SELECT $1, action, entity, entity_key, old, new
FROM jsonb_to_recordset($2) AS r (action text, entity text, entity_key text, old jsonb, new jsonb)
"""

# Slots are appended: a channel that means something else, or is new, gets the next one of its type.
_CHANNELS: Final = """
WITH r AS (
    SELECT r.*, t.device_type_id, p.observed_property_id
    FROM ROWS FROM (jsonb_to_recordset($2) AS (
        device_type text, channel text, observed_property text, unit text,
        factor float8, addend float8, sampling text, sampling_ms integer, rolls_over_at float8)) WITH ORDINALITY
        AS r (device_type, channel, observed_property, unit, factor, addend, sampling, sampling_ms, rolls_over_at, place)
    JOIN device_types t ON t.key = r.device_type
    JOIN observed_properties p ON p.key = r.observed_property
), touched AS (
    UPDATE device_types t SET revision = $1 FROM r WHERE t.device_type_id = r.device_type_id
), restored AS (
    UPDATE device_type_channels c SET retired_at = NULL, rolls_over_at = r.rolls_over_at
    FROM r
    WHERE c.device_type_id = r.device_type_id AND c.channel = r.channel
      AND (c.observed_property_id, c.unit, c.factor, c.addend, c.sampling, c.sampling_ms)
        = (r.observed_property_id, r.unit, r.factor, r.addend, r.sampling, r.sampling_ms)
      AND c.slot = (SELECT max(l.slot) FROM device_type_channels l
                    WHERE l.device_type_id = c.device_type_id AND l.channel = c.channel)
    RETURNING c.device_type_id, c.channel
)
INSERT INTO device_type_channels
    (device_type_id, slot, channel, observed_property_id, unit, factor, addend, sampling, sampling_ms, rolls_over_at)
SELECT r.device_type_id,
       coalesce((SELECT max(l.slot) FROM device_type_channels l WHERE l.device_type_id = r.device_type_id), -1)
           + row_number() OVER (PARTITION BY r.device_type_id ORDER BY r.place),
       r.channel, r.observed_property_id, r.unit, r.factor, r.addend, r.sampling, r.sampling_ms, r.rolls_over_at
FROM r
WHERE NOT EXISTS (SELECT FROM restored o WHERE o.device_type_id = r.device_type_id AND o.channel = r.channel)
"""

UPSERT: Final[dict[Section, str]] = {
    Section.CITY: """
        UPDATE registry_state SET city = jsonb_build_object('key', r.key, 'name', r.name, 'time_zone', r.time_zone,
                                                            'centre', r.centre, 'licence', r.licence)
        FROM jsonb_to_recordset($2) AS r (key text, name jsonb, time_zone text, centre jsonb, licence text)
        WHERE revision = $1""",
    Section.DISTRICT: """
        INSERT INTO districts (key, name, area, revision)
        SELECT key, name, area, $1 FROM jsonb_to_recordset($2) AS r (key text, name jsonb, area jsonb)
        ON CONFLICT (key) DO UPDATE
        SET name = excluded.name, area = excluded.area, retired_at = NULL, revision = excluded.revision""",
    Section.OBSERVED_PROPERTY: """
        INSERT INTO observed_properties (key, domain, kind, unit, name, definition, hard_min, hard_max,
                                         plausible_min, plausible_max, max_rate, max_spike, flat_line_ms,
                                         aggregations, codes, privacy, revision)
        SELECT key, domain, kind, unit, name, definition, hard_min, hard_max,
               plausible_min, plausible_max, max_rate, max_spike, flat_line_ms, aggregations, codes, privacy, $1
        FROM jsonb_to_recordset($2) AS r (
            key text, domain text, kind text, unit text, name jsonb, definition text, hard_min float8,
            hard_max float8, plausible_min float8, plausible_max float8, max_rate float8, max_spike float8,
            flat_line_ms bigint, aggregations text[], codes jsonb, privacy text)
        ON CONFLICT (key) DO UPDATE
        SET domain = excluded.domain, name = excluded.name, definition = excluded.definition,
            hard_min = excluded.hard_min, hard_max = excluded.hard_max,
            plausible_min = excluded.plausible_min, plausible_max = excluded.plausible_max,
            max_rate = excluded.max_rate, max_spike = excluded.max_spike, flat_line_ms = excluded.flat_line_ms,
            aggregations = excluded.aggregations, codes = excluded.codes, privacy = excluded.privacy,
            retired_at = NULL, revision = excluded.revision""",
    Section.SENSOR: """
        INSERT INTO sensors (key, name, manufacturer, model, datasheet, revision)
        SELECT key, name, manufacturer, model, datasheet, $1
        FROM jsonb_to_recordset($2) AS r (key text, name jsonb, manufacturer text, model text, datasheet text)
        ON CONFLICT (key) DO UPDATE
        SET name = excluded.name, manufacturer = excluded.manufacturer, model = excluded.model,
            datasheet = excluded.datasheet, retired_at = NULL, revision = excluded.revision""",
    Section.DEVICE_TYPE: """
        INSERT INTO device_types (key, name, sensor_id, period_ms, max_age_ms, max_ahead_ms, clock_tolerance_ms, server_time,
                                  revision)
        SELECT r.key, r.name, s.sensor_id, r.period_ms, r.max_age_ms, r.max_ahead_ms, r.clock_tolerance_ms, r.server_time,
               $1
        FROM jsonb_to_recordset($2) AS r (key text, name jsonb, sensor text, period_ms integer, max_age_ms bigint,
                                          max_ahead_ms bigint, clock_tolerance_ms bigint, server_time boolean)
        JOIN sensors s ON s.key = r.sensor
        ON CONFLICT (key) DO UPDATE
        SET name = excluded.name, sensor_id = excluded.sensor_id, period_ms = excluded.period_ms,
            max_age_ms = excluded.max_age_ms, max_ahead_ms = excluded.max_ahead_ms,
            clock_tolerance_ms = excluded.clock_tolerance_ms,
            server_time = excluded.server_time, retired_at = NULL, revision = excluded.revision""",
    Section.CHANNEL: _CHANNELS,
}

# What a fleet has, too: its rows come from a table that they were staged in.
ROWS: Final[dict[Section, str]] = {
    Section.THING: """key text, kind text, domain text, name jsonb, description jsonb, district text, longitude float8,
        latitude float8, geometry jsonb, status text, protected boolean, properties jsonb""",
    Section.RELATION: "kind text, source text, target text",
    Section.DEVICE: "key text, device_type text, thing text, publishes boolean, external_ids jsonb",
    Section.HOST: "gateway text, device text",
    Section.DATASTREAM: """key text, thing text, channel text, observed_property text, sensor text, name jsonb,
        period_ms integer, sampling text, sampling_ms integer, device text, device_type text""",
}
_MERGE: Final[dict[Section, str]] = {
    Section.THING: """
        INSERT INTO things (key, kind, domain, name, description, district_id, longitude, latitude, geometry,
                            status, protected, properties, fleet_id, revision)
        SELECT r.key, r.kind, r.domain, r.name, r.description, d.district_id, r.longitude, r.latitude, r.geometry,
               r.status, r.protected, r.properties, {fleet}, $1
        FROM {rows}
        JOIN districts d ON d.key = r.district
        ON CONFLICT (key) DO UPDATE
        SET kind = excluded.kind, domain = excluded.domain, name = excluded.name, description = excluded.description,
            district_id = excluded.district_id, longitude = excluded.longitude, latitude = excluded.latitude,
            geometry = excluded.geometry, status = excluded.status, protected = excluded.protected,
            properties = excluded.properties, fleet_id = excluded.fleet_id, retired_at = NULL,
            revision = excluded.revision""",
    Section.RELATION: """
        INSERT INTO thing_relations (kind, source_thing_id, target_thing_id, revision)
        SELECT r.kind, s.thing_id, t.thing_id, $1
        FROM {rows}
        JOIN things s ON s.key = r.source
        JOIN things t ON t.key = r.target
        ON CONFLICT (kind, source_thing_id, target_thing_id) DO UPDATE
        SET retired_at = NULL, revision = excluded.revision""",
    Section.DEVICE: """
        INSERT INTO devices (key, device_type_id, thing_id, publishes, external_ids, fleet_id, revision)
        SELECT r.key, y.device_type_id, t.thing_id, r.publishes, r.external_ids, {fleet}, $1
        FROM {rows}
        LEFT JOIN device_types y ON y.key = r.device_type
        LEFT JOIN things t ON t.key = r.thing
        ON CONFLICT (key) DO UPDATE
        SET device_type_id = excluded.device_type_id, thing_id = excluded.thing_id, publishes = excluded.publishes,
            external_ids = excluded.external_ids, fleet_id = excluded.fleet_id, retired_at = NULL,
            revision = excluded.revision""",
    Section.HOST: """
        INSERT INTO device_hosts (gateway_id, device_id, revision)
        SELECT g.device_id, d.device_id, $1
        FROM {rows}
        JOIN devices g ON g.key = r.gateway
        JOIN devices d ON d.key = r.device
        ON CONFLICT (gateway_id, device_id) DO UPDATE SET retired_at = NULL, revision = excluded.revision""",
    Section.DATASTREAM: """
        INSERT INTO datastreams (datastream_id, key, thing_id, sensor_id, observed_property_id, channel, name,
                                 period_ms, sampling, sampling_ms, revision)
        SELECT coalesce(s.datastream_id, CASE p.privacy WHEN 'public' THEN nextval('public_datastream_ids')
                                                        ELSE nextval('internal_datastream_ids') END),
               r.key, t.thing_id, i.sensor_id, p.observed_property_id, r.channel, r.name,
               r.period_ms, r.sampling, r.sampling_ms, $1
        FROM {rows}
        JOIN things t ON t.key = r.thing
        JOIN sensors i ON i.key = r.sensor
        JOIN observed_properties p ON p.key = r.observed_property
        LEFT JOIN datastreams s ON s.key = r.key
        ON CONFLICT (key) DO UPDATE
        SET sensor_id = excluded.sensor_id, name = excluded.name, period_ms = excluded.period_ms,
            retired_at = NULL, revision = excluded.revision""",
}
UPSERT.update(
    {
        section: statement.format(
            rows=f"jsonb_to_recordset($2) AS r ({ROWS[section]})", fleet="NULL::integer"
        )
        for section, statement in _MERGE.items()
    }
)
UPSERT[Section.FLEET] = """
    INSERT INTO fleets (key, template, content, things, devices, datastreams, vanished, revision)
    SELECT key, template, content, things, devices, datastreams, vanished, $1
    FROM jsonb_to_recordset($2) AS r (
        key text, template jsonb, content text, things integer, devices integer, datastreams integer,
        vanished integer)
    ON CONFLICT (key) DO UPDATE
    SET template = excluded.template, content = excluded.content, things = excluded.things,
        devices = excluded.devices, datastreams = excluded.datastreams, vanished = excluded.vanished, retired_at = NULL,
        revision = excluded.revision"""


def merge_of(section: Section, staged: str) -> str:
    """The same from a table of staged rows, which a fleet has $2 beside: its id, where the section keeps it."""
    return _MERGE[section].format(rows=f"{staged} AS r", fleet="$2::integer")


_RETIRE_CHANNELS: Final = """
WITH gone AS (
    UPDATE device_type_channels c SET retired_at = now()
    FROM device_types t
    WHERE t.device_type_id = c.device_type_id AND t.key || '.' || c.channel = ANY ($2) AND c.retired_at IS NULL
    RETURNING c.device_type_id)
UPDATE device_types SET revision = $1 WHERE device_type_id IN (SELECT device_type_id FROM gone)
"""
# Before the new one of the same key is written. A datastream's key goes to its successor.
RETIRE_REPLACED: Final[dict[Section, str]] = {
    Section.CHANNEL: _RETIRE_CHANNELS,
    Section.DATASTREAM: """
        UPDATE datastreams
        SET key = key || '.retired-' || datastream_id, retired_at = coalesce(retired_at, now()), revision = $1
        WHERE key = ANY ($2)""",
}

_RETIRE: Final = (
    "UPDATE {table} SET retired_at = now(), revision = $1 WHERE key = ANY ($2)"
)
RETIRE: Final[dict[Section, str]] = {
    section: _RETIRE.format(table=TABLES[section])
    for section in (
        Section.DISTRICT,
        Section.OBSERVED_PROPERTY,
        Section.SENSOR,
        Section.DEVICE_TYPE,
        Section.THING,
        Section.DEVICE,
        Section.DATASTREAM,
        Section.FLEET,
    )
} | {
    Section.CHANNEL: _RETIRE_CHANNELS,
    Section.RELATION: """
        UPDATE thing_relations r SET retired_at = now(), revision = $1
        FROM things s, things t
        WHERE s.thing_id = r.source_thing_id AND t.thing_id = r.target_thing_id
          AND s.key || ' ' || r.kind || ' ' || t.key = ANY ($2)""",
    Section.HOST: """
        UPDATE device_hosts h SET retired_at = now(), revision = $1
        FROM devices g, devices d
        WHERE g.device_id = h.gateway_id AND d.device_id = h.device_id
          AND g.key || ' hosts ' || d.key = ANY ($2)""",
}

# Whole tables are joined, and right after a bulk load the planner takes them for empty: without the setting it
# loops over them, which takes hours where hashing takes seconds.
STAGE_TIES: Final = """
SET LOCAL enable_nestloop = off;
CREATE TEMP TABLE wanted_ties (datastream text NOT NULL, device text NOT NULL, channel text NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE target_ties (datastream_id integer, frame_id integer, slot smallint) ON COMMIT DROP;
"""
# In the order they were registered in: members of one gateway lie together, and so do their rows later.
OPEN_FRAMES: Final = """
INSERT INTO frames (device_id, device_type_id, revision)
SELECT d.device_id, d.device_type_id, $1
FROM devices d
WHERE d.revision = $1 AND d.retired_at IS NULL AND d.device_type_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM frames f WHERE f.device_id = d.device_id AND f.closed_at IS NULL)
ORDER BY d.device_id
"""
RENEW_FRAMES: Final = (
    # A device that is retired, of another type, or now observes another thing closes its frame: a slot of a
    # frame belongs to one datastream for ever.
    """
    WITH ended AS (
        SELECT f.frame_id
        FROM wanted_ties w
        JOIN devices d ON d.key = w.device
        JOIN frames f ON f.device_id = d.device_id AND f.closed_at IS NULL
        JOIN device_type_channels c
          ON c.device_type_id = f.device_type_id AND c.channel = w.channel AND c.retired_at IS NULL
        JOIN datastream_slots l ON l.frame_id = f.frame_id AND l.slot = c.slot AND l.valid_to = 'infinity'
        JOIN datastreams s USING (datastream_id)
        WHERE s.key <> w.datastream
        UNION
        SELECT f.frame_id
        FROM devices d JOIN frames f USING (device_id)
        WHERE d.revision = $1 AND f.closed_at IS NULL
          AND (d.retired_at IS NOT NULL OR d.device_type_id IS DISTINCT FROM f.device_type_id)
    ), closed AS (
        UPDATE frames f SET closed_at = now(), revision = $1
        FROM ended e
        WHERE f.frame_id = e.frame_id
        RETURNING f.device_id)
    UPDATE devices SET revision = $1 WHERE device_id IN (SELECT device_id FROM closed)
    """,
    OPEN_FRAMES,
)
STAGE_TARGETS: Final = """
INSERT INTO target_ties
SELECT s.datastream_id, f.frame_id, c.slot
FROM wanted_ties w
JOIN datastreams s ON s.key = w.datastream
JOIN devices d ON d.key = w.device
JOIN frames f ON f.device_id = d.device_id AND f.closed_at IS NULL
JOIN device_type_channels c ON c.device_type_id = f.device_type_id AND c.channel = w.channel AND c.retired_at IS NULL;
"""
RETIE: Final = (
    # What has ended in this very transaction: whole tables would be read otherwise.
    """
    WITH ended AS (
        SELECT datastream_id FROM frames f JOIN datastream_slots l USING (frame_id)
        WHERE f.revision = $1 AND f.closed_at IS NOT NULL AND l.valid_to = 'infinity'
        UNION
        SELECT datastream_id FROM datastreams s JOIN datastream_slots l USING (datastream_id)
        WHERE s.revision = $1 AND s.retired_at IS NOT NULL AND l.valid_to = 'infinity'
        UNION
        SELECT datastream_id FROM datastream_slots l JOIN target_ties t USING (datastream_id)
        WHERE l.valid_to = 'infinity' AND (t.frame_id, t.slot) <> (l.frame_id, l.slot))
    UPDATE datastream_slots l SET valid_to = now(), revision = $1
    FROM ended e
    WHERE e.datastream_id = l.datastream_id AND l.valid_to = 'infinity'
    """,
    # A datastream's first slot is its own from the beginning; a later one from now on.
    """
    INSERT INTO datastream_slots (datastream_id, frame_id, slot, valid_from, revision)
    SELECT t.datastream_id, t.frame_id, t.slot, CASE WHEN l.is_open IS NULL THEN '-infinity' ELSE now() END, $1
    FROM target_ties t
    LEFT JOIN (SELECT datastream_id, bool_or(valid_to = 'infinity') AS is_open
               FROM datastream_slots JOIN target_ties USING (datastream_id) GROUP BY datastream_id) l
        USING (datastream_id)
    WHERE l.is_open IS NOT TRUE
    """,
    """
    UPDATE datastreams s SET revision = $1
    FROM (SELECT DISTINCT datastream_id FROM datastream_slots WHERE revision = $1) l
    WHERE l.datastream_id = s.datastream_id AND s.revision <> $1
    """,
)
