-- Sections in order; each owner adds below its own heading.

-- == formats ==
-- What stateful wire formats have learned (Sparkplug births and their aliases), in the transaction of the batch
-- that brought it. Writer: ingest.
CREATE TABLE format_memory (
    format     text  NOT NULL,
    key        text  NOT NULL,
    body       bytea COMPRESSION lz4 NOT NULL,
    learned_at timestamptz NOT NULL,
    PRIMARY KEY (format, key)
);

-- == commands ==
-- What devices were asked. Inserted by who asks (history for gaps, credentials for rotation, people by the API or
-- CLI); ingest sends them over MQTT and writes how it went.
CREATE TABLE commands (
    command_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   integer     NOT NULL REFERENCES devices,   -- a publisher
    name        text        NOT NULL CHECK (name IN ('replay', 'rebirth', 'configure', 'rotate')),
    args        jsonb       NOT NULL DEFAULT '{}',         -- of rotate: no secret in the clear, see sealed
    sealed      bytea,                                     -- an argument that only ingest sends and nobody else may read
    asked_by    text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    sent_at     timestamptz,
    answered_at timestamptz,
    ok          boolean,
    detail      text
);
CREATE INDEX commands_open ON commands (command_id) WHERE answered_at IS NULL;
CREATE INDEX commands_device ON commands (device_id, command_id DESC);

-- == rejected inbox ==

-- == quality ==

-- == credentials ==

-- == law and gaps ==

-- == registry at scale ==
