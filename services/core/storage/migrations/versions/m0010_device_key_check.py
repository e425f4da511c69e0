"""What a device's key may be is checked without a bounded repetition."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
