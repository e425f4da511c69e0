-- Observations: one row an item, all values of one device at one time. Writer: ingest.

CREATE TABLE observations (
    frame_id        integer     NOT NULL,      -- no foreign key: it deadlocks with chunk creation
    phenomenon_time timestamptz NOT NULL,
    results         float8[]    NOT NULL,      -- by slot; NULL: missing; state and bits as numbers
    quality         smallint[],                -- by slot, source + 16 * check; NULL: all good
    ingested_at     timestamptz NOT NULL,
    PRIMARY KEY (frame_id, phenomenon_time)
);
ALTER TABLE observations SET (autovacuum_vacuum_insert_scale_factor = 0.5);
-- Nobody asks for the elements of an array, and to count the most frequent ones takes autovacuum a processor for seconds.
ALTER TABLE observations
    ALTER COLUMN results SET STATISTICS 0,
    ALTER COLUMN quality SET STATISTICS 0;
SELECT create_hypertable('observations', 'phenomenon_time', chunk_time_interval => interval '1 day',
                         create_default_indexes => false);

-- What a merge or a correction replaced or refused: (frame, slot, time) has a history, known_at tells when we knew.
CREATE TABLE observation_changes (
    change_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    frame_id        integer     NOT NULL,
    slot            smallint    NOT NULL,
    phenomenon_time timestamptz NOT NULL,
    old             float8,
    new             float8,
    known_at        timestamptz NOT NULL,
    who             text        NOT NULL,      -- publisher or user
    why             text        NOT NULL CHECK (why IN ('merged', 'corrected')),
    old_quality     smallint,                  -- packed as in observations; NULL: there was nothing, or it was not kept
    new_quality     smallint                   -- NULL: not kept, as before schema 0005
);
CREATE INDEX observation_changes_slot ON observation_changes (frame_id, phenomenon_time, slot);

-- One row a value, for SQL by datastream and time range. "Latest of many" never goes through it.
CREATE VIEW observations_flat AS
SELECT s.datastream_id, d.key AS datastream, o.phenomenon_time,
       o.results[s.slot + 1] AS result,
       coalesce(o.quality[s.slot + 1], 17)::smallint AS quality,
       o.ingested_at
FROM datastream_slots s
JOIN datastreams d USING (datastream_id)
JOIN observations o ON o.frame_id = s.frame_id
                   AND o.phenomenon_time >= s.valid_from AND o.phenomenon_time < s.valid_to
WHERE o.results[s.slot + 1] IS NOT NULL;

-- What could not be used, with the reason and the raw bytes. scope: message and item count as rejected
-- items; value counts as a rejected value of an item that was stored.
CREATE TABLE rejected_messages (
    rejected_id bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL,
    scope       text     NOT NULL CHECK (scope IN ('message', 'item', 'value')),
    reason      text     NOT NULL,
    detail      text     NOT NULL,             -- one sentence for the device's maker
    topic       text     NOT NULL,
    publisher   text     NOT NULL,             -- device id from the topic
    device      text,                          -- hosted device, where one was named
    channel     text,
    item_index  integer,
    epoch       bigint,
    seq         bigint,
    payload     bytea    COMPRESSION lz4,      -- the raw message; kept once a message, NULL on its further rows
    message_no  integer  NOT NULL DEFAULT 0,   -- of its transaction: with received_at it names the message
    payload_bytes integer,                     -- length of the raw message, also when it is no longer kept
    state       text     NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'dismissed')),
    attempts    integer  NOT NULL DEFAULT 0,   -- replays that refused it again
    replay_id   bigint,                        -- the last replay that read it
    settled_at  timestamptz,
    settled_by  text,
    note        text,
    PRIMARY KEY (rejected_id, received_at)
);
SELECT create_hypertable('rejected_messages', 'received_at', chunk_time_interval => interval '1 day',
                         create_default_indexes => false);
CREATE INDEX rejected_messages_publisher ON rejected_messages (publisher, received_at DESC);

-- Folded from the event log by history; never written on the hot path.
CREATE TABLE latest_observations (
    frame_id   integer PRIMARY KEY,
    results    float8[]      NOT NULL,
    times      timestamptz[] NOT NULL,         -- by slot; NULL: never seen
    quality    smallint[]    NOT NULL,
    updated_at timestamptz   NOT NULL
) WITH (fillfactor = 50);
ALTER TABLE latest_observations                -- as of observations
    ALTER COLUMN results SET STATISTICS 0,
    ALTER COLUMN times SET STATISTICS 0,
    ALTER COLUMN quality SET STATISTICS 0;

CREATE TABLE device_status (
    device_id    integer PRIMARY KEY,
    last_seen    timestamptz,                  -- committed by us
    last_time    timestamptz,                  -- newest phenomenon_time
    online       boolean,                      -- by birth and death; NULL: never said
    online_since timestamptz,
    firmware     text
) WITH (fillfactor = 50);

CREATE TABLE publisher_totals (
    publisher_id    integer PRIMARY KEY,       -- 0: a publisher that is not in the registry
    received        bigint NOT NULL, stored bigint NOT NULL, merged bigint NOT NULL,
    duplicate       bigint NOT NULL, rejected bigint NOT NULL, rejected_values bigint NOT NULL,
    last_seen       timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Which numbered messages of a publisher are settled (stored, refused with a reason, or given up as lost). The epochs that
-- it used last one by one; −1 stands for the others, summed up: lowest_seq 1, highest_seq the sum of their numbers.
CREATE TABLE publisher_sequences (
    publisher_id   integer NOT NULL,
    epoch          bigint  NOT NULL,
    first_seq      bigint,                     -- where the publisher said the epoch begins; NULL: it never said
    settled        jsonb   NOT NULL,           -- [[from, to], …] ascending, disjoint
    updated_at     timestamptz NOT NULL,
    lowest_seq     bigint,                     -- said or seen; NULL: nothing was seen yet
    highest_seq    bigint,
    messages       bigint  NOT NULL DEFAULT 0, -- distinct ones, counted as they came
    missing        bigint  NOT NULL DEFAULT 0, -- numbers that may still come
    lost           bigint  NOT NULL DEFAULT 0, -- numbers that the publisher no longer has
    PRIMARY KEY (publisher_id, epoch)
) WITH (fillfactor = 50);
CREATE INDEX publisher_sequences_missing ON publisher_sequences (publisher_id, epoch) WHERE missing > 0;

-- Numbers between the lowest and the highest of an epoch that did not come for a while. lost: the publisher no longer
-- has them. closed_at: they came after all. Of epoch −1 one lost row, 1 … the sum of what the others missed.
CREATE TABLE gaps (
    publisher_id integer NOT NULL,
    epoch        bigint  NOT NULL,
    from_seq     bigint  NOT NULL,
    to_seq       bigint  NOT NULL,
    lost         boolean NOT NULL,
    recorded_at  timestamptz NOT NULL,
    closed_at    timestamptz,
    PRIMARY KEY (publisher_id, epoch, from_seq)
);
CREATE INDEX gaps_open ON gaps (publisher_id, epoch) WHERE closed_at IS NULL;

