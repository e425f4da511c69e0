-- Publishers that send far more than they should, a row each for ever; who is calm has an old told_at. Ingest tells every
-- few seconds while it lasts; rules make an alert of it.
CREATE TABLE floods (
    publisher text        PRIMARY KEY,                     -- as its topics say, registered or not
    since     timestamptz NOT NULL,                        -- told of since then, without a minute's pause
    told_at   timestamptz NOT NULL
);
