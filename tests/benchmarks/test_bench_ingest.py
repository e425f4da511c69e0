"""`alatau bench ingest` says what it promises, and loses nothing; the full run prints the figures."""

import json
import subprocess
import sys

import pytest

from services.cli.benches.ingest import bench_ingest
from services.core.clock import SystemClock

ALATAU = "from services.cli.app import main; main()"
KEYS = {
    "values_per_message",
    "messages_per_second",
    "broker_messages_per_second",
    "broker_ratio",
    "readings_per_second",
    "raw_copy_per_second",
    "ratio",
    "lost",
    "duplicates",
}


@pytest.mark.integration
async def test_a_short_run_has_every_figure_and_loses_nothing() -> None:
    said: list[str] = []
    result = await bench_ingest(
        0.5, SystemClock(), said.append, sizes=(5,), filled_rows=20_000
    )
    assert result["bench"] == "ingest"
    (case,) = result["cases"]
    assert KEYS.issubset(case)
    assert (case["lost"], case["duplicates"]) == (0, 0)
    assert case["readings_per_second"] > case["messages_per_second"] > 0
    assert said


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_full_run() -> None:
    run = subprocess.run(
        [sys.executable, "-c", ALATAU, "bench", "ingest", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(run.stdout)
    sys.stdout.write(run.stdout)
    assert [case["values_per_message"] for case in result["cases"]] == [1, 5, 20]
    assert all(case["lost"] == case["duplicates"] == 0 for case in result["cases"])
