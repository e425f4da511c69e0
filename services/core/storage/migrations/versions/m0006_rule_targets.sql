-- What the rules look at, as of a registry revision: to find it anew takes 10 s and more in a city of six million datastreams.
CREATE TABLE rule_targets (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL,
    body     bytea COMPRESSION lz4 NOT NULL  -- services/rules/kept_targets.py
);
