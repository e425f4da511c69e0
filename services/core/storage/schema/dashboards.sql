-- What dashboards may see: no household, no person, no secret, no payload. The role alatau_grafana may read this
-- schema and nothing else; views and functions run with their owner's rights. Barriers keep a caller's own
-- conditions from being tried on rows that are not shown. When rollups come, only the functions' bodies change.

CREATE SCHEMA dashboards;

-- Whatever else a thing with a household datastream measures tells about the same people.
CREATE VIEW dashboards.household_things AS
SELECT d.thing_id
FROM public.datastreams d JOIN public.observed_properties p USING (observed_property_id)
WHERE p.privacy = 'household';

CREATE VIEW dashboards.districts AS
SELECT district_id, key AS district, name FROM public.districts WHERE retired_at IS NULL;

CREATE VIEW dashboards.things WITH (security_barrier) AS
SELECT t.thing_id, t.key AS thing, t.name, t.kind, t.domain, t.status, r.key AS district, r.name AS district_name
FROM public.things t JOIN public.districts r USING (district_id)
WHERE t.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id = t.thing_id);

CREATE VIEW dashboards.datastreams WITH (security_barrier) AS
SELECT d.datastream_id, d.key AS datastream, d.name, d.channel, d.period_ms,
       p.key AS property, p.name AS property_name, p.domain, p.kind, p.unit,
       t.thing_id, t.key AS thing, t.name AS thing_name, t.kind AS thing_kind,
       r.key AS district, r.name AS district_name
FROM public.datastreams d
JOIN public.observed_properties p USING (observed_property_id)
JOIN public.things t USING (thing_id)
JOIN public.districts r USING (district_id)
WHERE d.retired_at IS NULL AND t.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id = d.thing_id);

-- The codes of states and bits in all languages.
CREATE VIEW dashboards.codes AS
SELECT p.key AS property, (c.code ->> 'value')::integer AS value, c.code ->> 'key' AS code, c.code -> 'name' AS name,
       coalesce((c.code ->> 'abnormal')::boolean, false) AS abnormal
FROM public.observed_properties p CROSS JOIN LATERAL jsonb_array_elements(p.codes) c(code)
WHERE p.privacy <> 'household';

-- Source and check flags of a value that failed neither.
CREATE FUNCTION dashboards.usable(quality smallint) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT quality IS NULL OR ((quality & 15) <> 4 AND (quality >> 4) <> 4)
$$;

-- The newest value of each datastream, as history folds it from the log, about a second old.
CREATE VIEW dashboards.latest WITH (security_barrier) AS
SELECT d.datastream_id, d.key AS datastream, d.name, d.channel, d.period_ms,
       p.key AS property, p.name AS property_name, p.domain, p.kind, p.unit,
       t.thing_id, t.key AS thing, t.name AS thing_name, t.kind AS thing_kind,
       r.key AS district, r.name AS district_name,
       l.times[s.slot + 1] AS "time", l.results[s.slot + 1] AS value
FROM public.datastreams d
JOIN public.observed_properties p USING (observed_property_id)
JOIN public.things t USING (thing_id)
JOIN public.districts r USING (district_id)
JOIN public.datastream_slots s USING (datastream_id)
JOIN public.latest_observations l USING (frame_id)
WHERE s.valid_to = 'infinity' AND l.times[s.slot + 1] IS NOT NULL AND dashboards.usable(l.quality[s.slot + 1])
  AND d.retired_at IS NULL AND t.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id = d.thing_id);

-- One row a value; for one or a few datastreams and a time range. Charts of many take the functions below.
CREATE VIEW dashboards.readings WITH (security_barrier) AS
SELECT d.datastream_id, d.key AS datastream, o.phenomenon_time, o.results[s.slot + 1] AS result
FROM public.datastreams d
JOIN public.datastream_slots s USING (datastream_id)
JOIN public.observations o ON o.frame_id = s.frame_id
                          AND o.phenomenon_time >= s.valid_from AND o.phenomenon_time < s.valid_to
WHERE o.results[s.slot + 1] IS NOT NULL AND dashboards.usable(o.quality[s.slot + 1])
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id = d.thing_id);

-- Steps from the one that begins at or before begins_at to the last that begins before ends_at; never above 1,500.
CREATE FUNCTION dashboards.width_of(begins_at timestamptz, ends_at timestamptz, step interval) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(step, (ends_at - begins_at) / 1500, interval '1 ms')
$$;

-- For charts of many datastreams: the newest value within each step, by one look into the key's index for each frame
-- and step, whatever lies in between. Where that row has no usable value of a slot, the slot's own newest is looked for.
-- A step without a value gives no row.
CREATE FUNCTION dashboards.sampled(datastream_ids integer[], begins_at timestamptz, ends_at timestamptz, step interval)
RETURNS TABLE ("time" timestamptz, datastream_id integer, value float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 10000 AS $$
    WITH w AS MATERIALIZED (SELECT dashboards.width_of(begins_at, ends_at, step) AS width),
    chosen AS MATERIALIZED (
        SELECT s.frame_id, s.valid_from, s.valid_to, array_agg(s.datastream_id) AS ids, array_agg(s.slot + 1) AS places
        FROM dashboards.datastreams d
        JOIN datastream_slots s ON s.datastream_id = d.datastream_id AND s.valid_from < ends_at AND s.valid_to > begins_at
        WHERE d.datastream_id = ANY (datastream_ids)
        GROUP BY 1, 2, 3),
    samples AS (
        SELECT b.start, p.id, coalesce(
            CASE WHEN dashboards.usable(newest.quality[p.place]) THEN newest.results[p.place] END,
            (SELECT o.results[p.place] FROM observations o
             WHERE o.frame_id = c.frame_id
               AND o.phenomenon_time >= greatest(b.start, c.valid_from)
               AND o.phenomenon_time < least(b.start + w.width, c.valid_to)
               AND o.results[p.place] IS NOT NULL AND dashboards.usable(o.quality[p.place])
             ORDER BY o.phenomenon_time DESC LIMIT 1)) AS value
        FROM w CROSS JOIN chosen c
        CROSS JOIN LATERAL generate_series(date_bin(w.width, begins_at, 'epoch'), ends_at, w.width) b(start)
        CROSS JOIN LATERAL (
            SELECT o.results, o.quality FROM observations o
            WHERE o.frame_id = c.frame_id
              AND o.phenomenon_time >= greatest(b.start, c.valid_from)
              AND o.phenomenon_time < least(b.start + w.width, c.valid_to)
            ORDER BY o.phenomenon_time DESC LIMIT 1) newest
        CROSS JOIN LATERAL unnest(c.ids, c.places) p(id, place))
    SELECT start, id, value FROM samples WHERE value IS NOT NULL
$$;

-- For charts of a few datastreams: mean, lowest and highest value of each step, of every reading. A value over a period
-- that is stamped at its end belongs to the step it began in.
CREATE FUNCTION dashboards.averaged(datastream_ids integer[], begins_at timestamptz, ends_at timestamptz, step interval)
RETURNS TABLE ("time" timestamptz, datastream_id integer, average float8, lowest float8, highest float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 10000 AS $$
    WITH w AS MATERIALIZED (SELECT dashboards.width_of(begins_at, ends_at, step) AS width),
    chosen AS MATERIALIZED (
        SELECT s.datastream_id, s.frame_id, s.slot + 1 AS place, s.valid_from, s.valid_to,
               CASE x.sampling WHEN 'period_end' THEN x.sampling_ms ELSE 0 END * interval '1 ms' AS shift
        FROM dashboards.datastreams d
        JOIN datastreams x USING (datastream_id)
        JOIN datastream_slots s USING (datastream_id)
        WHERE d.datastream_id = ANY (datastream_ids))
    SELECT date_bin(w.width, o.phenomenon_time - c.shift, 'epoch'), c.datastream_id, avg(o.result), min(o.result), max(o.result)
    FROM w CROSS JOIN chosen c
    CROSS JOIN LATERAL (
        SELECT phenomenon_time, results[c.place] AS result FROM observations
        WHERE frame_id = c.frame_id
          AND phenomenon_time >= greatest(date_bin(w.width, begins_at, 'epoch') + c.shift, c.valid_from)
          AND phenomenon_time < least(ends_at + c.shift, c.valid_to)
          AND results[c.place] IS NOT NULL AND dashboards.usable(quality[c.place])) o
    GROUP BY 1, 2
$$;

-- For counts over a period (vehicles in five seconds): their sum over each step, by thing. Every row is read once,
-- however many of its slots are added. A count stamped at its period's end belongs to the step it began in.
CREATE FUNCTION dashboards.summed(datastream_ids integer[], begins_at timestamptz, ends_at timestamptz, step interval)
RETURNS TABLE ("time" timestamptz, thing_id integer, value float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 10000 AS $$
    WITH w AS MATERIALIZED (SELECT dashboards.width_of(begins_at, ends_at, step) AS width),
    counted AS MATERIALIZED (
        SELECT s.frame_id, d.thing_id, s.valid_from, s.valid_to,
               CASE x.sampling WHEN 'period_end' THEN x.sampling_ms ELSE 0 END * interval '1 ms' AS shift,
               array_agg(s.slot + 1) AS places
        FROM dashboards.datastreams d
        JOIN datastreams x USING (datastream_id)
        JOIN datastream_slots s USING (datastream_id)
        WHERE d.datastream_id = ANY (datastream_ids)
        GROUP BY 1, 2, 3, 4, 5)
    SELECT date_bin(w.width, o.phenomenon_time - c.shift, 'epoch'), c.thing_id, sum(o.counted)
    FROM w CROSS JOIN counted c
    CROSS JOIN LATERAL (
        SELECT o.phenomenon_time,
               CASE WHEN o.quality IS NULL AND cardinality(c.places) <= 4
                    THEN coalesce(o.results[c.places[1]], 0) + coalesce(o.results[c.places[2]], 0)
                         + coalesce(o.results[c.places[3]], 0) + coalesce(o.results[c.places[4]], 0)
                    ELSE (SELECT sum(o.results[place]) FROM unnest(c.places) place
                          WHERE dashboards.usable(o.quality[place])) END AS counted
        FROM observations o
        WHERE o.frame_id = c.frame_id
          AND o.phenomenon_time >= greatest(date_bin(w.width, begins_at, 'epoch') + c.shift, c.valid_from)
          AND o.phenomenon_time < least(ends_at + c.shift, c.valid_to)) o
    GROUP BY 1, 2
$$;

CREATE VIEW dashboards.alerts WITH (security_barrier) AS
SELECT a.alert_id, a.rule_key AS rule, u.document -> 'name' AS rule_name, a.severity,
       CASE a.severity WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END AS severity_rank,
       a.class, a.state, a.domain, r.key AS district, r.name AS district_name, t.key AS thing, t.name AS thing_name,
       a.annotations, a.value, p.unit, a.starts_at, a.detected_at, a.ends_at, a.acknowledged_at,
       a.state = 'firing' OR (a.state = 'resolved' AND a.acknowledged_at IS NULL) AS in_inbox
FROM public.alerts a
LEFT JOIN public.rules u ON u.key = a.rule_key
LEFT JOIN public.districts r USING (district_id)
LEFT JOIN public.things t USING (thing_id)
LEFT JOIN public.datastreams d ON d.datastream_id = a.datastream_id
LEFT JOIN public.observed_properties p ON p.observed_property_id = d.observed_property_id
WHERE a.state IN ('pending', 'firing', 'resolved')
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id IN (a.thing_id, d.thing_id));

-- Who publishes for the city, and since when nothing was heard. A household's own publisher is not named.
CREATE VIEW dashboards.publishers WITH (security_barrier) AS
SELECT v.device_id AS publisher_id, v.key AS publisher, t.name AS thing_name, t.domain, r.key AS district,
       r.name AS district_name, u.last_seen, u.online, u.firmware,
       c.received, c.stored, c.merged, c.duplicate, c.rejected, c.rejected_values
FROM public.devices v
LEFT JOIN public.things t USING (thing_id)
LEFT JOIN public.districts r USING (district_id)
LEFT JOIN public.device_status u USING (device_id)
LEFT JOIN public.publisher_totals c ON c.publisher_id = v.device_id
WHERE v.publishes AND v.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM dashboards.household_things h WHERE h.thing_id = v.thing_id);

-- What became of all items, as far as history has folded the log.
CREATE VIEW dashboards.ledger AS
SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
       coalesce(sum(merged), 0)::bigint AS merged, coalesce(sum(duplicate), 0)::bigint AS duplicate,
       coalesce(sum(rejected), 0)::bigint AS rejected, coalesce(sum(rejected_values), 0)::bigint AS rejected_values
FROM public.publisher_totals;

-- Reasons, never what was sent; nor by which hosted device.
CREATE VIEW dashboards.rejections AS
SELECT received_at, scope, reason FROM public.rejected_messages;

CREATE VIEW dashboards.gaps AS
SELECT g.publisher_id, g.to_seq - g.from_seq + 1 AS missing, g.lost, g.recorded_at, g.closed_at FROM public.gaps g;

CREATE VIEW dashboards.violations AS
SELECT v.publisher_id, v.what, v.difference FROM public.ledger_violations v;

-- The event log's batches as they were appended, without their content; it is kept until every consumer has passed.
CREATE VIEW dashboards.log_batches AS
SELECT stream, batch, logged_at, caught_up, waiting, octet_length(body) AS bytes FROM public.event_log;

CREATE VIEW dashboards.consumers AS
SELECT c.consumer, c.stream, s.last_batch - c.batch AS batches_behind,
       greatest(extract(epoch FROM s.logged_at - c.logged_at), 0)::float8 AS seconds_behind, s.logged_at AS newest_at
FROM public.log_cursors c JOIN public.log_streams s USING (stream)
WHERE isfinite(s.logged_at) AND isfinite(c.logged_at);

-- Bytes on disk with indexes, and the number of chunks of what is chunked.
CREATE FUNCTION dashboards.store_sizes() RETURNS TABLE (relation text, bytes bigint, chunks bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.hypertable_name::text, hypertable_size(format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass),
           h.num_chunks
    FROM timescaledb_information.hypertables h WHERE h.hypertable_schema = 'public'
    UNION ALL
    SELECT 'whole database', pg_database_size(current_database()), NULL
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dashboards FROM PUBLIC;
