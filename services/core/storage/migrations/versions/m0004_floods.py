"""Who floods, for the alert about it."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
