"""What the rules remember, in pieces: one row of 60 MB held them up for seconds.

What is stored is forgotten: they go on from the latest values, as where the log does not reach back far enough.
"""

from pathlib import Path

from services.core.storage.migrations.run_sql import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_file(Path(__file__).with_suffix(".sql"))
