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
    revision      bigint NOT NULL,
    max_rate      float8,                      -- per second; beyond these three the value is flagged suspect
    max_spike     float8,                      -- from the median of the three before
    flat_line_ms  bigint                       -- that the very same value is believed
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
    revision     bigint   NOT NULL,
    clock_tolerance_ms bigint NOT NULL DEFAULT 10000    -- a time further ahead of ours is flagged suspect
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
    rolls_over_at        float8,               -- of a counter, in unit: it goes on from zero
    PRIMARY KEY (device_type_id, slot)
);
CREATE UNIQUE INDEX device_type_channels_live ON device_type_channels (device_type_id, channel) WHERE retired_at IS NULL;

-- Things with their devices that are too many to be named one by one; they follow from template and what it names.
CREATE TABLE fleets (
    fleet_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text    NOT NULL UNIQUE,
    template    jsonb   NOT NULL,              -- as the city file says it
    content     text    NOT NULL,              -- hash of all that the members follow from
    things      integer NOT NULL, devices integer NOT NULL, datastreams integer NOT NULL,
    vanished    integer NOT NULL,              -- devices that the template no longer makes and that are not retired
    retired_at  timestamptz,
    revision    bigint  NOT NULL
);

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
    revision    bigint NOT NULL,
    fleet_id    integer REFERENCES fleets          -- NULL: named in the city file, or by hand
);
CREATE INDEX things_named ON things (thing_id) WHERE fleet_id IS NULL;
CREATE INDEX things_revision ON things USING brin (revision);

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
    key            text    NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9_-]*$' AND length(key) <= 64),
    device_type_id integer REFERENCES device_types,   -- NULL: a gateway that measures nothing itself
    thing_id       integer REFERENCES things,
    publishes      boolean NOT NULL,           -- has (or may have) credentials of its own
    external_ids   jsonb   NOT NULL DEFAULT '[]',      -- [{scheme, value}]
    retired_at     timestamptz,
    revision       bigint  NOT NULL,
    fleet_id       integer REFERENCES fleets
);
CREATE INDEX devices_named ON devices (device_id) WHERE fleet_id IS NULL;
CREATE INDEX devices_revision ON devices USING brin (revision);

CREATE TABLE device_hosts (
    gateway_id integer NOT NULL REFERENCES devices,
    device_id  integer NOT NULL REFERENCES devices,
    retired_at timestamptz,
    revision   bigint  NOT NULL,
    PRIMARY KEY (gateway_id, device_id)
);
CREATE INDEX device_hosts_revision ON device_hosts USING brin (revision);
CREATE INDEX device_hosts_device ON device_hosts (device_id);

-- What one device reports together: one row of observations a time stamp. Another device, another frame.
CREATE TABLE frames (
    frame_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id      integer NOT NULL REFERENCES devices,
    device_type_id integer NOT NULL REFERENCES device_types,
    closed_at      timestamptz,
    revision       bigint  NOT NULL
);
CREATE INDEX frames_revision ON frames USING brin (revision);
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
CREATE INDEX datastreams_revision ON datastreams USING brin (revision);
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
CREATE INDEX datastream_slots_revision ON datastream_slots USING brin (revision);

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
