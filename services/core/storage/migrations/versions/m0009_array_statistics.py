"""Values by slot are not analysed: what autovacuum would find out about them is asked for by no query."""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
