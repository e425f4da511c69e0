"""Every message's fate: formats, commands, rejections, checks and credentials."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
