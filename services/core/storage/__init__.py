"""PostgreSQL/TimescaleDB: pool, schema, event log, registry."""
