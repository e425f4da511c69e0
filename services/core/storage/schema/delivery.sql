-- Delivery: what ingest keeps beside observations, and what devices are asked.

-- What stateful wire formats have learned (Sparkplug births and their aliases), in the transaction of the batch
-- that brought it. Writer: ingest.
CREATE TABLE format_memory (
    format     text  NOT NULL,
    key        text  NOT NULL,
    body       bytea COMPRESSION lz4 NOT NULL,
    learned_at timestamptz NOT NULL,
    PRIMARY KEY (format, key)
);

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
    sent_at     timestamptz,                               -- the last time
    attempts    integer     NOT NULL DEFAULT 0,
    answered_at timestamptz,                               -- a late answer counts, too
    ok          boolean,
    detail      text,
    expired_at  timestamptz                                -- given up without an answer
);
CREATE INDEX commands_open ON commands (command_id) WHERE answered_at IS NULL AND expired_at IS NULL;
CREATE INDEX commands_device ON commands (device_id, command_id DESC);

-- What was refused beyond the rows that are kept of a publisher in an hour: counted by reason. Writer: ingest.
CREATE TABLE rejection_floods (
    publisher text        NOT NULL,
    hour      timestamptz NOT NULL,
    reason    text        NOT NULL,
    refused   bigint      NOT NULL,
    PRIMARY KEY (publisher, hour, reason)
);

-- Refused messages that somebody wants read again. Inserted by the API or CLI; ingest, the one writer of
-- observations, carries them out and counts, each message in the transaction that stores it.
CREATE TABLE replays (
    replay_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chosen      jsonb       NOT NULL,          -- {ids} or any of {reasons, publishers, devices, channels}
    from_time   timestamptz NOT NULL,          -- received in [from_time, to_time)
    to_time     timestamptz NOT NULL,
    up_to_id    bigint      NOT NULL,          -- what is refused afterwards is none of it
    asked_by    text        NOT NULL,
    asked_at    timestamptz NOT NULL,
    finished_at timestamptz,                   -- NULL: to do, or being done
    messages    bigint NOT NULL DEFAULT 0,     -- read again
    mended      bigint NOT NULL DEFAULT 0,     -- refusals of which nothing is left
    refused     bigint NOT NULL DEFAULT 0,     -- refusals that were refused again
    lost        bigint NOT NULL DEFAULT 0      -- refusals whose raw message is no longer kept
);
CREATE INDEX replays_open ON replays (replay_id) WHERE finished_at IS NULL;

-- Another name that devices of a type use for a channel. `city apply` leaves them alone.
CREATE TABLE channel_aliases (
    device_type_id integer     NOT NULL REFERENCES device_types,
    alias          text        NOT NULL,       -- the key in "values"
    channel        text        NOT NULL,       -- a channel of the type
    added_by       text        NOT NULL,
    added_at       timestamptz NOT NULL,
    PRIMARY KEY (device_type_id, alias)
);

-- What people changed of what a city file describes: `city apply` keeps it as long as the file says what it said then.
CREATE TABLE operator_changes (
    entity      text        NOT NULL,          -- table name
    entity_key  text        NOT NULL,
    field       text        NOT NULL,
    file_value  jsonb       NOT NULL,          -- what it was before the first change
    value       jsonb       NOT NULL,
    changed_by  text        NOT NULL,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (entity, entity_key, field)
);

-- Devices that somebody is watching; ingest tells what becomes of each of their messages until then.
CREATE TABLE watches (
    device   text        PRIMARY KEY,          -- device id, registered or not
    asked_by text        NOT NULL,
    until    timestamptz NOT NULL
);

-- Bounded by ingest, and gone after a crash: a diagnosis, no record.
CREATE UNLOGGED TABLE watch_reports (
    report_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device      text        NOT NULL,          -- as watched
    reported_at timestamptz NOT NULL,
    report      jsonb       NOT NULL
);
CREATE INDEX watch_reports_device ON watch_reports (device, report_id);

-- Drops whole days of the inbox, and the counts of floods as old. Runs with the owner's rights; history calls it.
CREATE FUNCTION rejected_drop_old(keep interval, at timestamptz) RETURNS SETOF text
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM rejection_floods WHERE hour < at - keep;
    SELECT drop_chunks('rejected_messages', older_than => at - keep)
$$;
REVOKE ALL ON FUNCTION rejected_drop_old FROM PUBLIC;

-- Forgets raw messages until no more than so many bytes are kept: the oldest of the loudest publisher first.
-- Rows, reasons and lengths stay. Returns the bytes forgotten.
CREATE FUNCTION rejected_forget_payloads(most_bytes bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept bigint; loudest text; gone bigint; forgotten bigint := 0;
BEGIN
    LOOP
        SELECT sum(bytes), (array_agg(publisher ORDER BY bytes DESC))[1] INTO kept, loudest
        FROM (SELECT publisher, sum(octet_length(payload)) AS bytes FROM rejected_messages
              WHERE payload IS NOT NULL GROUP BY publisher) AS sums;
        EXIT WHEN kept IS NULL OR kept <= most_bytes;
        WITH aged AS (
            SELECT rejected_id, received_at, octet_length(payload) AS bytes,
                   sum(octet_length(payload)) OVER (ORDER BY rejected_id) - octet_length(payload) AS before
            FROM rejected_messages WHERE publisher = loudest AND payload IS NOT NULL
        ), emptied AS (
            UPDATE rejected_messages r SET payload = NULL FROM aged
            WHERE r.rejected_id = aged.rejected_id AND r.received_at = aged.received_at AND aged.before < kept - most_bytes
            RETURNING aged.bytes)
        SELECT sum(bytes) INTO gone FROM emptied;
        forgotten := forgotten + gone;
    END LOOP;
    RETURN forgotten;
END $$;
REVOKE ALL ON FUNCTION rejected_forget_payloads FROM PUBLIC;

-- Certificates that our authority has signed for publishers; the common name is the device id. Writers: who issues
-- and revokes (CLI); the broker's door writes ended_at.
CREATE TABLE certificates (
    serial      text PRIMARY KEY,                          -- hexadecimal, lower case
    device_id   integer     NOT NULL REFERENCES devices,
    fingerprint text        NOT NULL,                      -- SHA-256 of the certificate, hexadecimal
    issued_at   timestamptz NOT NULL,
    not_after   timestamptz NOT NULL,
    revoked_at  timestamptz,
    ended_at    timestamptz,                               -- revoked, expired or out of service, and no session is left
    revision    bigint      NOT NULL
);
CREATE INDEX certificates_device ON certificates (device_id);

-- Secrets on their way to devices, one row while it lasts: the old secret is in force, or the new one is on trial.
-- Begun by who rotates (CLI); the broker's door moves it on and deletes it.
CREATE TABLE rotations (
    device_id   integer PRIMARY KEY REFERENCES devices,
    secret      bytea       NOT NULL,                      -- to be sent again; only the door reads it
    secret_hash text        NOT NULL,
    began_at    timestamptz NOT NULL,
    asked_by    text        NOT NULL,
    on_trial    boolean     NOT NULL DEFAULT false,        -- the broker takes the new secret, not the old one
    moved_at    timestamptz NOT NULL,                      -- since when on_trial is as it is
    trials      integer     NOT NULL DEFAULT 0,
    command_id  bigint REFERENCES commands                 -- what the device was asked: rotate, on trial rebirth
);

-- Where the conservation law does not hold; empty as long as all is well. What ingest counted, what history folded and
-- what publishers numbered are counted apart, so that none vouches for itself.
CREATE VIEW ledger_violations AS
SELECT publisher_id, NULL::bigint AS epoch, 'fates' AS what,
       received - stored - merged - duplicate - rejected AS difference
FROM publisher_totals WHERE received <> stored + merged + duplicate + rejected
UNION ALL
SELECT publisher_id, epoch, 'messages', highest_seq - lowest_seq + 1 - messages - missing - lost
FROM publisher_sequences WHERE highest_seq - lowest_seq + 1 <> messages + missing + lost
UNION ALL
SELECT s.publisher_id, s.epoch, 'gaps', s.lost - coalesce(g.lost, 0) + greatest(coalesce(g.open, 0) - s.missing, 0)
FROM publisher_sequences s
LEFT JOIN (SELECT publisher_id, epoch, sum(to_seq - from_seq + 1) FILTER (WHERE lost) AS lost,
                  sum(to_seq - from_seq + 1) FILTER (WHERE NOT lost) AS open
           FROM gaps WHERE closed_at IS NULL GROUP BY 1, 2) g USING (publisher_id, epoch)
WHERE s.lost <> coalesce(g.lost, 0) OR coalesce(g.open, 0) > s.missing
UNION ALL
SELECT NULL, NULL, 'log', l.received_through - t.received
FROM log_cursors c
JOIN event_log l ON l.stream = c.stream AND l.batch = c.batch AND l.logged_at = c.logged_at
CROSS JOIN (SELECT coalesce(sum(received), 0) AS received FROM publisher_totals) t
WHERE c.consumer = 'history' AND c.stream = 'observations' AND l.received_through <> t.received;

-- Messages of publishers that send too much, waiting for their turn: acknowledged to the broker, not yet accounted for.
-- Writer: ingest.
CREATE TABLE set_aside (
    set_aside_id bigint GENERATED ALWAYS AS IDENTITY,
    publisher    text        NOT NULL,
    set_aside_at timestamptz NOT NULL,
    topic        text        NOT NULL,
    payload      bytea COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (publisher, set_aside_id)
);
CREATE INDEX set_aside_id ON set_aside (set_aside_id);

-- Publishers that send far more than they should, a row each for ever; who is calm has an old told_at. Ingest tells every
-- few seconds while it lasts; rules make an alert of it.
CREATE TABLE floods (
    publisher text        PRIMARY KEY,                     -- as its topics say, registered or not
    since     timestamptz NOT NULL,                        -- told of since then, without a minute's pause
    told_at   timestamptz NOT NULL
);

-- What publishers sign webhooks with: HMAC needs it in the clear. publisher_proofs() alone reads it. Writer: the CLI.
CREATE TABLE webhook_secrets (
    device_id integer PRIMARY KEY REFERENCES devices,   -- a publisher
    secret    text        NOT NULL,
    issued_at timestamptz NOT NULL
);

-- What one publisher may show at the HTTPS door: nothing unless it has credentials in force; while a new secret is on
-- its way, the old one and the new.
CREATE FUNCTION publisher_proofs(publisher text) RETURNS TABLE (secret_hash text, webhook_secret text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT shown.secret_hash, w.secret
    FROM devices d JOIN credentials c USING (device_id) LEFT JOIN webhook_secrets w USING (device_id)
    CROSS JOIN LATERAL (SELECT c.secret_hash UNION SELECT r.secret_hash FROM rotations r WHERE r.device_id = d.device_id) shown
    WHERE d.key = publisher AND d.publishes AND d.retired_at IS NULL AND c.revoked_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION publisher_proofs FROM PUBLIC;

-- What people know better than what was measured. Inserted by the API; ingest, the one writer of observations, stores
-- it as a revision and writes how it went; what was known before is in observation_changes.
CREATE TABLE corrections (
    correction_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    datastream_id   integer     NOT NULL REFERENCES datastreams,
    phenomenon_time timestamptz NOT NULL,
    value           jsonb       NOT NULL,                  -- a number in the canonical unit, a code of a state, or a boolean
    quality         text,                                  -- as a source says it; NULL: good
    reason          text        NOT NULL,
    asked_by        text        NOT NULL,
    asked_at        timestamptz NOT NULL,
    done_at         timestamptz,
    outcome         text CHECK (outcome IN ('corrected', 'unchanged', 'refused')),
    detail          text
);
CREATE INDEX corrections_open ON corrections (correction_id) WHERE done_at IS NULL;
CREATE INDEX corrections_datastream ON corrections (datastream_id, correction_id);
