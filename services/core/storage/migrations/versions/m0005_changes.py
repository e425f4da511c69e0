"""What was known of a value's quality before it was merged or corrected."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
