"""The publication filter: the only way from the registry to a public door (/open, /sta, public streams).

Public means allowed. What passes:
- datastreams whose observed property is marked public, in service, on a thing that passes;
- things in service with such a datastream and with no household datastream at all: whatever else such a
  thing measures tells about the same people;
- of protected things, and of all that stands inside one, only name, kind and district: the place is the
  district's;
- instrument types of such datastreams; of those that only stand in protected places just key and name.
Nothing else of a thing or datastream is selected here, so nothing else can be shown. Queries of public doors
name these tables and never the registry's own; tests/security checks that.
"""

from typing import Final

PUBLISHED: Final = """
WITH RECURSIVE sheltered(thing_id) AS (
    SELECT thing_id FROM things WHERE protected
    UNION
    SELECT r.target_thing_id
    FROM thing_relations r JOIN sheltered s ON r.source_thing_id = s.thing_id
    WHERE r.kind = 'contains' AND r.retired_at IS NULL
),
household(thing_id) AS NOT MATERIALIZED (
    SELECT d.thing_id
    FROM datastreams d JOIN observed_properties p USING (observed_property_id)
    WHERE p.privacy = 'household'
),
published_properties AS (
    SELECT observed_property_id, key, domain, kind, unit, name, definition, aggregations, codes
    FROM observed_properties
    WHERE privacy = 'public' AND retired_at IS NULL
),
published_districts AS (
    SELECT district_id, key, name, area FROM districts WHERE retired_at IS NULL
),
published_datastreams AS NOT MATERIALIZED (
    SELECT d.datastream_id, d.key, d.thing_id, d.sensor_id, d.observed_property_id, d.name, d.period_ms, d.sampling, d.sampling_ms
    FROM datastreams d
    JOIN published_properties p USING (observed_property_id)
    JOIN things t USING (thing_id)
    WHERE d.retired_at IS NULL AND t.retired_at IS NULL
      AND NOT EXISTS (SELECT FROM household h WHERE h.thing_id = d.thing_id)
),
published_things AS NOT MATERIALIZED (
    SELECT t.thing_id, t.key, t.kind, t.domain, t.name, t.district_id, t.status,
           s.thing_id IS NULL AS exact,
           CASE WHEN s.thing_id IS NULL THEN t.geometry END AS geometry,
           CASE WHEN s.thing_id IS NULL THEN t.description END AS description,
           (SELECT min(a.at) FROM audit a WHERE a.entity = 'things' AND a.entity_key = t.key AND a.action = 'create') AS known_since
    FROM things t LEFT JOIN sheltered s USING (thing_id)
    WHERE t.thing_id IN (SELECT thing_id FROM published_datastreams)
),
published_sensors AS NOT MATERIALIZED (
    SELECT i.sensor_id, i.key, i.name,
           CASE WHEN i.in_the_open THEN i.manufacturer END AS manufacturer,
           CASE WHEN i.in_the_open THEN i.model END AS model,
           CASE WHEN i.in_the_open THEN i.datasheet END AS datasheet
    FROM (
        SELECT s.*, EXISTS (
            SELECT FROM published_datastreams d
            WHERE d.sensor_id = s.sensor_id AND d.thing_id NOT IN (SELECT thing_id FROM sheltered)
        ) AS in_the_open
        FROM sensors s
        WHERE s.sensor_id IN (SELECT sensor_id FROM published_datastreams)
    ) i
)
"""
