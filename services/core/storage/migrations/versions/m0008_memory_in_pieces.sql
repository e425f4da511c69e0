DROP TABLE rule_memory;
CREATE TABLE rule_memory (
    piece integer PRIMARY KEY,
    body  bytea COMPRESSION lz4 NOT NULL  -- services/rules/memory.py
);
