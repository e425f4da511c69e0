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
