"""What dashboards may see."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
