"""What the rules look at, kept for their next start."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
