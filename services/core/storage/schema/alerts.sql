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
    piece integer PRIMARY KEY,
    body  bytea COMPRESSION lz4 NOT NULL  -- services/rules/memory.py
);

-- What the rules look at, as of a registry revision: to find it anew takes 10 s and more in a city of six million datastreams.
CREATE TABLE rule_targets (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL,
    body     bytea COMPRESSION lz4 NOT NULL  -- services/rules/kept_targets.py
);
