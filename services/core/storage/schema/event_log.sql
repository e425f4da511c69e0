-- The event log: what happened, in commit order, written in the transaction that made it happen.
-- Numbers are dense per stream: log_streams' row is locked by the appending transaction until it ends,
-- so commit order is number order and a cursor is one integer.

CREATE TABLE log_streams (
    stream       text   PRIMARY KEY,
    writer_epoch bigint NOT NULL DEFAULT 0,    -- fence: a writer that lost its place finds another number here
    last_batch   bigint NOT NULL DEFAULT 0,
    logged_at    timestamptz NOT NULL DEFAULT '-infinity',
    received     bigint                        -- items of all its batches, counted with each; NULL: not counted
) WITH (fillfactor = 10);
INSERT INTO log_streams (stream) VALUES ('observations'), ('alerts');

CREATE TABLE event_log (
    stream    text        NOT NULL,
    batch     bigint      NOT NULL,
    logged_at timestamptz NOT NULL,            -- never falls within a stream; for observations: rule time
    caught_up boolean     NOT NULL,            -- the writer had nothing older waiting
    waiting   integer     NOT NULL,            -- items read from the broker and in no batch yet
    body      bytea       COMPRESSION lz4 NOT NULL,
    received_through bigint,                   -- log_streams.received as of this batch
    PRIMARY KEY (stream, batch, logged_at)
);
SELECT create_hypertable('event_log', 'logged_at', chunk_time_interval => interval '1 hour',
                         create_default_indexes => false);

CREATE TABLE log_cursors (
    consumer  text   NOT NULL,
    stream    text   NOT NULL REFERENCES log_streams,
    batch     bigint NOT NULL,                 -- all up to here is done
    logged_at timestamptz NOT NULL,            -- of that batch: bounds the chunks a read touches
    PRIMARY KEY (consumer, stream)
) WITH (fillfactor = 10);

-- Drops whole chunks that every cursor has passed, and whatever is older than keep: a consumer left that
-- far behind rebuilds from observations. Runs with the owner's rights; history calls it.
CREATE FUNCTION event_log_drop_passed(keep interval, at timestamptz) RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT drop_chunks('event_log', older_than => greatest(
        at - keep,
        least(at - interval '1 hour', (SELECT min(logged_at) FROM log_cursors))))
$$;
REVOKE ALL ON FUNCTION event_log_drop_passed FROM PUBLIC;
