"""The first schema."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
