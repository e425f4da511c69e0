"""PURE: the eight entity sets as SQL tables, over the publication filter and nothing else."""

from typing import Final

from services.api.publication import PUBLISHED

# A thing, its location, its stay there and the feature that is observed are one row of the city, with one id.
TABLES: Final = (
    PUBLISHED  # noqa: S608 # constants only
    + """,
sta_places AS NOT MATERIALIZED (
    SELECT t.thing_id AS id, t.key, t.kind, t.domain, t.name, coalesce(t.description, t.name) AS description,
           t.status, di.key AS district, t.known_since,
           CASE WHEN t.exact THEN 'exact' ELSE 'district' END AS precision,
           CASE WHEN t.exact THEN t.geometry ELSE di.area END AS geometry
    FROM published_things t JOIN published_districts di USING (district_id)
),
sta_datastreams AS NOT MATERIALIZED (
    SELECT d.datastream_id AS id, d.key, d.name, d.thing_id, d.sensor_id, d.observed_property_id,
           d.period_ms, d.sampling, d.sampling_ms, p.kind, p.unit, p.codes, p.aggregations, p.key AS observed_property,
           place.key AS thing, p.name AS property_name, place.geometry
    FROM published_datastreams d
    JOIN published_properties p USING (observed_property_id)
    JOIN sta_places place ON place.id = d.thing_id
),
sta_sensors AS NOT MATERIALIZED (
    SELECT s.sensor_id AS id, s.key, s.name,
           coalesce(s.manufacturer, '') AS manufacturer, coalesce(s.model, '') AS model, coalesce(s.datasheet, '') AS datasheet
    FROM published_sensors s
),
sta_observed_properties AS NOT MATERIALIZED (
    SELECT p.observed_property_id AS id, p.key, p.domain, p.kind, p.unit, p.name, p.definition, p.codes, p.aggregations
    FROM published_properties p
    WHERE p.observed_property_id IN (SELECT observed_property_id FROM published_datastreams)
)
"""
)
