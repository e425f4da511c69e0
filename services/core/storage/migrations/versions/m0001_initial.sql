-- The registry: what stands in the city, what it measures, who may publish.
-- Every row carries the registry revision at which it last changed, so that a service
-- that holds revision N asks for "revision > N" and nothing else. Nothing is deleted.

CREATE TABLE registry_state (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision  bigint  NOT NULL DEFAULT 0,      -- rises by one in every transaction that changes the registry
    city      jsonb                            -- key, name, time_zone, centre, licence; NULL: no city file yet
);
INSERT INTO registry_state DEFAULT VALUES;

CREATE TABLE districts (
    district_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text   NOT NULL UNIQUE,
    name        jsonb  NOT NULL,               -- {kk, ru, en}, as every name below
    area        jsonb  NOT NULL,               -- GeoJSON Polygon, WGS 84
    retired_at  timestamptz,
    revision    bigint NOT NULL
);

CREATE TABLE observed_properties (
    observed_property_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key           text   NOT NULL UNIQUE,
    domain        text   NOT NULL,             -- power | water | wastewater | gas | traffic | environment | platform
    kind          text   NOT NULL CHECK (kind IN ('measurement', 'counter', 'state', 'bits')),
    unit          text   NOT NULL,             -- UCUM, canonical
    name          jsonb  NOT NULL,
    definition    text,                        -- URI of the concept, where one exists
    hard_min      float8, hard_max float8,           -- outside: the value is refused
    plausible_min float8, plausible_max float8,      -- outside: the value is kept and flagged suspect
    aggregations  text[] NOT NULL,             -- of avg, min, max, sum, last, delta, duration
    codes         jsonb  NOT NULL DEFAULT '[]',      -- state, bits: [{value, key, name, abnormal}]
    privacy       text   NOT NULL DEFAULT 'internal' CHECK (privacy IN ('public', 'internal', 'household')),
    retired_at    timestamptz,
    revision      bigint NOT NULL
);

CREATE TABLE sensors (
    sensor_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text   NOT NULL UNIQUE,
    name         jsonb  NOT NULL,
    manufacturer text,
    model        text,
    datasheet    text,                         -- URL
    retired_at   timestamptz,
    revision     bigint NOT NULL
);

-- A device type is a shared profile: its channels are the slots of every frame of its devices.
CREATE TABLE device_types (
    device_type_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text     NOT NULL UNIQUE,
    name         jsonb    NOT NULL,
    sensor_id    integer  NOT NULL REFERENCES sensors,
    period_ms    integer  NOT NULL,            -- how often it reports; dead-man and coverage count on it
    max_age_ms   bigint   NOT NULL DEFAULT 3024000000,  -- 35 days: older is too_old
    max_ahead_ms bigint   NOT NULL DEFAULT 300000,      -- 5 min: later is in_future
    server_time  boolean  NOT NULL DEFAULT false,       -- items without a time get ours, flagged
    retired_at   timestamptz,
    revision     bigint   NOT NULL
);

CREATE TABLE device_type_channels (
    device_type_id       integer  NOT NULL REFERENCES device_types,
    slot                 smallint NOT NULL,    -- place in results[], from 0; appended, never reused
    channel              text     NOT NULL,    -- the key in "values"
    observed_property_id integer  NOT NULL REFERENCES observed_properties,
    unit                 text     NOT NULL,    -- as the device sends it
    factor               float8   NOT NULL DEFAULT 1,   -- canonical = sent * factor + addend
    addend               float8   NOT NULL DEFAULT 0,
    sampling             text     NOT NULL DEFAULT 'instant' CHECK (sampling IN ('instant', 'period_start', 'period_end')),
    sampling_ms          integer  NOT NULL DEFAULT 0,   -- duration of the period
    retired_at           timestamptz,          -- the slot stays: its past is read through it
    PRIMARY KEY (device_type_id, slot)
);
CREATE UNIQUE INDEX device_type_channels_live ON device_type_channels (device_type_id, channel) WHERE retired_at IS NULL;

CREATE TABLE things (
    thing_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text   NOT NULL UNIQUE,
    kind        text   NOT NULL,               -- substation, feeder, transformer, intake, pump, intersection, …
    domain      text   NOT NULL,
    name        jsonb  NOT NULL,
    description jsonb,
    district_id integer NOT NULL REFERENCES districts,
    longitude   float8 NOT NULL, latitude float8 NOT NULL,   -- of the geometry's representative point, WGS 84
    geometry    jsonb  NOT NULL,               -- GeoJSON
    status      text   NOT NULL DEFAULT 'operating' CHECK (status IN ('planned', 'under_construction', 'operating')),
    protected   boolean NOT NULL DEFAULT false,      -- shown to the public at district precision only
    properties  jsonb  NOT NULL DEFAULT '{}',
    retired_at  timestamptz,
    revision    bigint NOT NULL
);

CREATE TABLE thing_relations (
    kind            text    NOT NULL CHECK (kind IN ('contains', 'feeds')),
    source_thing_id integer NOT NULL REFERENCES things,
    target_thing_id integer NOT NULL REFERENCES things,
    retired_at      timestamptz,
    revision        bigint  NOT NULL,
    PRIMARY KEY (kind, source_thing_id, target_thing_id)
);
CREATE INDEX thing_relations_target ON thing_relations (target_thing_id);

CREATE TABLE devices (
    device_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key            text    NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    device_type_id integer REFERENCES device_types,   -- NULL: a gateway that measures nothing itself
    thing_id       integer REFERENCES things,
    publishes      boolean NOT NULL,           -- has (or may have) credentials of its own
    external_ids   jsonb   NOT NULL DEFAULT '[]',      -- [{scheme, value}]
    retired_at     timestamptz,
    revision       bigint  NOT NULL
);

CREATE TABLE device_hosts (
    gateway_id integer NOT NULL REFERENCES devices,
    device_id  integer NOT NULL REFERENCES devices,
    retired_at timestamptz,
    revision   bigint  NOT NULL,
    PRIMARY KEY (gateway_id, device_id)
);
CREATE INDEX device_hosts_device ON device_hosts (device_id);

-- What one device reports together: one row of observations a time stamp. Another device, another frame.
CREATE TABLE frames (
    frame_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id      integer NOT NULL REFERENCES devices,
    device_type_id integer NOT NULL REFERENCES device_types,
    closed_at      timestamptz,
    revision       bigint  NOT NULL
);
CREATE UNIQUE INDEX frames_open ON frames (device_id) WHERE closed_at IS NULL;

-- Public datastreams are numbered densely from 1 (their observations' ids stay exact in JSON), all others from 2^20.
CREATE SEQUENCE public_datastream_ids AS integer MAXVALUE 1048575;
CREATE SEQUENCE internal_datastream_ids AS integer MINVALUE 1048576 MAXVALUE 8388607;

CREATE TABLE datastreams (
    datastream_id        integer PRIMARY KEY,
    key                  text    NOT NULL UNIQUE,       -- <thing>.<channel>
    thing_id             integer NOT NULL REFERENCES things,
    sensor_id            integer NOT NULL REFERENCES sensors,
    observed_property_id integer NOT NULL REFERENCES observed_properties,
    channel              text    NOT NULL,
    name                 jsonb   NOT NULL,
    period_ms            integer NOT NULL,
    sampling             text    NOT NULL,
    sampling_ms          integer NOT NULL,
    retired_at           timestamptz,
    revision             bigint  NOT NULL
);
CREATE INDEX datastreams_thing ON datastreams (thing_id);
CREATE INDEX datastreams_observed_property ON datastreams (observed_property_id);

CREATE TABLE datastream_slots (
    datastream_id integer     NOT NULL REFERENCES datastreams,
    frame_id      integer     NOT NULL REFERENCES frames,
    slot          smallint    NOT NULL,
    valid_from    timestamptz NOT NULL DEFAULT '-infinity',
    valid_to      timestamptz NOT NULL DEFAULT 'infinity',
    revision      bigint      NOT NULL,
    PRIMARY KEY (datastream_id, valid_from),
    UNIQUE (frame_id, slot, valid_from)
);

CREATE TABLE credentials (
    device_id   integer PRIMARY KEY REFERENCES devices,
    secret_hash text    NOT NULL,              -- as the broker's password file has it: $7$iterations$salt$hash
    issued_at   timestamptz NOT NULL,
    revoked_at  timestamptz,
    revision    bigint  NOT NULL
);

CREATE TABLE audit (
    audit_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    actor      text  NOT NULL,
    action     text  NOT NULL,                 -- create | change | retire | restore | rotate | revoke
    entity     text  NOT NULL,                 -- table name
    entity_key text  NOT NULL,
    old        jsonb,
    new        jsonb                           -- never a secret or its hash
);
CREATE INDEX audit_entity ON audit (entity, entity_key);
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
    why             text        NOT NULL CHECK (why IN ('merged', 'corrected'))
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

-- Which numbered messages of a publisher are settled (stored, refused with a reason, or given up as lost).
CREATE TABLE publisher_sequences (
    publisher_id   integer NOT NULL,
    epoch          bigint  NOT NULL,
    first_seq      bigint,                     -- where the publisher said the epoch begins; NULL: it never said
    settled        jsonb   NOT NULL,           -- [[from, to], …] ascending, disjoint
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (publisher_id, epoch)
) WITH (fillfactor = 50);

-- Numbers between the first and the highest of an epoch that never came. lost: the publisher no longer has them.
CREATE TABLE gaps (
    publisher_id integer NOT NULL,
    epoch        bigint  NOT NULL,
    from_seq     bigint  NOT NULL,
    to_seq       bigint  NOT NULL,
    lost         boolean NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (publisher_id, epoch, from_seq)
);
-- The event log: what happened, in commit order, written in the transaction that made it happen.
-- Numbers are dense per stream: log_streams' row is locked by the appending transaction until it ends,
-- so commit order is number order and a cursor is one integer.

CREATE TABLE log_streams (
    stream       text   PRIMARY KEY,
    writer_epoch bigint NOT NULL DEFAULT 0,    -- fence: a writer that lost its place finds another number here
    last_batch   bigint NOT NULL DEFAULT 0,
    logged_at    timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);
INSERT INTO log_streams (stream) VALUES ('observations'), ('alerts');

CREATE TABLE event_log (
    stream    text        NOT NULL,
    batch     bigint      NOT NULL,
    logged_at timestamptz NOT NULL,            -- never falls within a stream; for observations: rule time
    caught_up boolean     NOT NULL,            -- the writer had nothing older waiting
    waiting   integer     NOT NULL,            -- items read from the broker and in no batch yet
    body      bytea       COMPRESSION lz4 NOT NULL,
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
-- Rules and alerts. The only SQL that writes alerts is in core/storage/alerts.py, used by the rules
-- service (states) and by the operator API (acknowledgement).

CREATE TABLE rules (
    rule_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text   NOT NULL UNIQUE,
    version    integer NOT NULL,
    document   jsonb  NOT NULL,                -- the checked rule, as the YAML says it
    enabled    boolean NOT NULL,
    retired_at timestamptz,
    revision   bigint NOT NULL                 -- the registry revision of the last change
);

CREATE TABLE alerts (
    alert_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- one episode
    fingerprint     text   NOT NULL,           -- identity: hash of labels
    rule_key        text   NOT NULL,
    labels          jsonb  NOT NULL,
    annotations     jsonb  NOT NULL,           -- cause, consequence, action: {kk, ru, en}; respond_within: ISO 8601
    severity        text   NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    class           text   NOT NULL CHECK (class IN ('process', 'equipment', 'platform')),
    state           text   NOT NULL CHECK (state IN ('inactive', 'pending', 'firing', 'resolved')),   -- inactive: pending passed before it fired
    domain          text   NOT NULL,
    district_id     integer REFERENCES districts,
    thing_id        integer REFERENCES things,
    datastream_id   integer REFERENCES datastreams,
    value           float8,                    -- that brought it here, canonical unit
    starts_at       timestamptz NOT NULL,      -- condition true in the world
    detected_at     timestamptz,               -- fired
    ends_at         timestamptz,
    version         integer NOT NULL DEFAULT 1,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_version integer,
    acknowledged_note    text,
    updated_at      timestamptz NOT NULL
);
-- One episode an identity that is not over (an inactive one is taken up again); the inbox; lists by keyset.
CREATE UNIQUE INDEX alerts_current ON alerts (fingerprint) WHERE state <> 'resolved';
CREATE INDEX alerts_inbox ON alerts (alert_id) WHERE state = 'firing' OR (state = 'resolved' AND acknowledged_at IS NULL);
CREATE INDEX alerts_thing ON alerts (thing_id, alert_id);

-- State changes and actions in one order: the journal.
CREATE TABLE journal (
    journal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    alert_id   bigint REFERENCES alerts,
    version    integer,
    action     text   NOT NULL,                -- a state, acknowledged, or acknowledgement_void
    actor      text   NOT NULL,                -- rule:<key> or a user name
    reason     text   NOT NULL DEFAULT '',
    value      float8,
    note       text
);
CREATE INDEX journal_alert ON journal (alert_id, journal_id);

-- Where each rule target that is not at rest stands, committed with the rules service's cursor: a restart neither
-- resets nor repeats a hold.
CREATE TABLE rule_holds (
    rule_key    text    NOT NULL,
    source_id   integer NOT NULL,              -- datastream, or device of a rule that watches devices
    fingerprint text    NOT NULL,              -- of its alert
    levels      jsonb   NOT NULL,              -- by severity: {on, since}
    PRIMARY KEY (rule_key, source_id)
) WITH (fillfactor = 50);

-- What the rules service remembers of the whole stream (who was heard when), as of a batch; what came after is
-- replayed from the log, which the cursor of consumer rules.memory keeps.
CREATE TABLE rule_memory (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    body     bytea COMPRESSION lz4 NOT NULL  -- services/rules/memory.py
);
-- People and their sessions. Writer: the operator API's auth.

CREATE TABLE users (
    user_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text   NOT NULL UNIQUE,
    password_hash text   NOT NULL,             -- argon2id
    role          text   NOT NULL CHECK (role IN ('viewer', 'operator', 'engineer', 'admin')),
    domains       text[],                      -- NULL: all
    districts     text[],                      -- NULL: all
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,              -- SHA-256 of a 256-bit random token
    user_id    integer NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
