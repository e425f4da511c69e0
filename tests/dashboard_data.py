"""The reference city with history, alerts and refusals in it: what dashboards are tried on."""

import datetime as dt
from pathlib import Path

from services.core.city.entities import City
from services.core.city_folder import read_city_folder
from services.core.storage.pool import Connection
from services.core.storage.registry_store import apply_city

CITY_FILE = Path(__file__).parent.parent / "deploy/city/alatau.yaml"
NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
HOUSEHOLD_VALUE = 14.7313  # nothing else in the city has it
SECRET = "zq7"  # of the publisher, payload, detail and person below

# A smooth curve of each slot with some noise, within the plausible range; a code now and then another; no bits but one.
_ROWS = """
INSERT INTO observations (frame_id, phenomenon_time, results, ingested_at)
SELECT f.frame_id, t.at,
       ARRAY(SELECT CASE
                 WHEN p.privacy = 'household' THEN $4
                 WHEN p.kind = 'measurement' THEN s.low + s.span * (0.5 + 0.3 * sin(extract(epoch FROM t.at) / 7000 + f.frame_id)
                                                                     + 0.02 * ((f.frame_id * 31 + extract(epoch FROM t.at)::bigint) % 10))
                 WHEN p.kind = 'counter' THEN extract(epoch FROM t.at - $2) / 60
                 WHEN p.kind = 'state' THEN (p.codes -> (1 + (extract(epoch FROM t.at)::bigint / 3600 + f.frame_id)::int % 2) ->> 'value')::float8
                 ELSE (f.frame_id % 9 = 0)::int END
             FROM device_type_channels c JOIN observed_properties p USING (observed_property_id)
             CROSS JOIN LATERAL (SELECT coalesce(p.plausible_min, p.hard_min, 0) AS low,
                                        coalesce(p.plausible_max, p.hard_max, 1) - coalesce(p.plausible_min, p.hard_min, 0) AS span) s
             WHERE c.device_type_id = f.device_type_id ORDER BY c.slot),
       t.at + interval '300 ms'
FROM frames f JOIN device_types y USING (device_type_id)
CROSS JOIN LATERAL generate_series($2::timestamptz + f.frame_id * interval '1 ms', $3::timestamptz, y.period_ms * $1::int * interval '1 ms') t(at)
ORDER BY t.at
"""
_LATEST = """
INSERT INTO latest_observations (frame_id, results, times, quality, updated_at)
SELECT f.frame_id, o.results, array_fill(o.phenomenon_time, ARRAY[cardinality(o.results)]),
       array_fill(17::smallint, ARRAY[cardinality(o.results)]), o.ingested_at
FROM frames f CROSS JOIN LATERAL (
    SELECT * FROM observations o WHERE o.frame_id = f.frame_id AND o.phenomenon_time > $1::timestamptz - interval '1 hour'
    ORDER BY o.phenomenon_time DESC LIMIT 1) o
"""
_PLATFORM = """
INSERT INTO device_status (device_id, last_seen, last_time, online, firmware)
SELECT device_id, $1::timestamptz - device_id % 90 * interval '1 s', $1, device_id % 50 <> 0, '1.4.' || device_id % 3
FROM devices WHERE publishes;
INSERT INTO publisher_totals
SELECT device_id, 1000 + device_id, 990 + device_id, 3, 4, 3, 2, $1 FROM devices WHERE publishes;
INSERT INTO rejected_messages (received_at, scope, reason, detail, topic, publisher, payload)
SELECT $1::timestamptz - n * interval '70 s', 'value', (ARRAY['range', 'too_old', 'unknown_channel'])[1 + n % 3], 'zq7',
       'city/v1/zq7/data', 'zq7', 'raw zq7'::bytea
FROM generate_series(1, 300) n;
INSERT INTO gaps SELECT device_id, 1, 10, 12, device_id % 2 = 0, $1 FROM devices WHERE publishes LIMIT 9;
INSERT INTO gaps SELECT device_id, 1, 20, 22, false, $1, $1 FROM devices WHERE publishes LIMIT 9;
INSERT INTO event_log
SELECT 'observations', n, $1::timestamptz - (3600 - n) * interval '1 s', true, n % 5, decode(repeat('ab', 2000), 'hex')
FROM generate_series(1, 3600) n;
UPDATE log_streams SET last_batch = 3600, logged_at = $1 WHERE stream = 'observations';
INSERT INTO log_cursors VALUES ('history', 'observations', 3599, $1::timestamptz - interval '1 s'),
                               ('rules', 'observations', 3590, $1::timestamptz - interval '10 s');
"""
_ALERTS = """
INSERT INTO rules (key, version, document, enabled, revision)
VALUES ('too-much', 1, '{"name": {"kk": "тым көп", "ru": "слишком много", "en": "too much"}}', true, 1);
INSERT INTO alerts (fingerprint, rule_key, labels, annotations, severity, class, state, domain, district_id, thing_id,
                    datastream_id, value, starts_at, detected_at, ends_at, acknowledged_at, acknowledged_by, updated_at)
SELECT 'f' || n, 'too-much', '{}', '{"cause": {"kk": "к", "ru": "п", "en": "the cause"}, "action": {"kk": "к", "ru": "п", "en": "look"},
       "consequence": {"kk": "к", "ru": "п", "en": "worse"}, "respond_within": "PT15M"}',
       (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4], 'process', (ARRAY['firing', 'resolved', 'resolved', 'pending'])[1 + n % 4 * (n % 7)::int % 4],
       p.domain, t.district_id, t.thing_id, d.datastream_id, 99.5, at, at + interval '10 s',
       CASE WHEN n % 4 * (n % 7) % 4 IN (1, 2) THEN at + interval '10 min' END, CASE WHEN n % 3 = 0 THEN at + interval '5 min' END,
       CASE WHEN n % 3 = 0 THEN 'zq7' END, at
FROM (SELECT d.*, row_number() OVER (ORDER BY datastream_id) AS n FROM datastreams d) d
JOIN observed_properties p USING (observed_property_id) JOIN things t USING (thing_id)
CROSS JOIN LATERAL (SELECT $1::timestamptz - n * interval '20 s' AS at) m
WHERE n % $2::int = 0
"""


def reference_city() -> City:
    return read_city_folder(CITY_FILE).city


async def fill_city(
    connection: Connection, *, since: dt.timedelta, every: int = 1
) -> None:
    """The city with `since` of history until NOW, each device at every `every`-th of its periods."""
    await apply_city(
        connection, reference_city(), retire=False, actor="test", dry_run=False
    )
    await connection.execute(
        _ROWS, every, NOW - since, NOW, HOUSEHOLD_VALUE, timeout=1800
    )
    await connection.execute(_LATEST, NOW)
    for statement in _PLATFORM.split(";\n"):
        if statement.strip():
            await connection.execute(statement, NOW)
    for statement in _ALERTS.split(";\n"):
        if "$1" in statement:
            await connection.execute(statement, NOW, 7)
        else:
            await connection.execute(statement)
    await connection.execute("ANALYZE")
