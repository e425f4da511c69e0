"""Averages of dashboards count a value over a period where the period began, as their sums and the API do."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
