-- For charts of a few datastreams: mean, lowest and highest value of each step, of every reading. A value over a period
-- that is stamped at its end belongs to the step it began in.
CREATE OR REPLACE FUNCTION dashboards.averaged(datastream_ids integer[], begins_at timestamptz, ends_at timestamptz, step interval)
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
