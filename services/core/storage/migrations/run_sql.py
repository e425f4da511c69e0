"""Runs a file of many SQL statements inside the migration's transaction."""

from pathlib import Path

from alembic import op


def run_sql_file(path: Path) -> None:
    """Plain SQL as PostgreSQL's simple protocol takes it; SQLAlchemy would send one statement at a time."""
    driver = op.get_bind().connection.dbapi_connection
    if driver is None:
        raise RuntimeError("the migration has lost its connection")
    script = path.read_text(encoding="utf-8")
    driver.run_async(lambda connection: connection.execute(script))
