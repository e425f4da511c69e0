"""`alatau bench ingest` says what it promises, and loses nothing; the full run prints the figures."""

import json
import subprocess
import sys

import pytest

from services.cli.benches.ingest import BenchOptions, bench_ingest
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
    "generator_cpu_share",
}
PROCESSES = {"broker", "ingest", "rules", "history", "api", "generator"}


@pytest.mark.integration
async def test_a_short_run_has_every_figure_and_loses_nothing() -> None:
    said: list[str] = []
    options = BenchOptions(seconds=1, prefilled=100_000, devices=20, sizes=(5,))
    result = await bench_ingest(options, SystemClock(), said.append)
    assert result["bench"] == "ingest"
    (case,) = result["cases"]
    assert KEYS.issubset(case)
    assert (case["lost"], case["duplicates"], case["wrong_receipts"]) == (0, 0, 0)
    assert case["balanced"]
    assert case["receipt_latency"]["p99"] >= case["receipt_latency"]["p50"] > 0
    assert case["receipt_latency"]["messages"] > 0
    assert PROCESSES.issubset(case["cpu_microseconds_per_message"])
    assert case["behind_seconds"].keys() == {"rules", "history", "api"}
    assert case["memory"]["ingest"]["end"] > 0
    assert case["readings_per_second"] > case["messages_per_second"] > 0
    assert said


@pytest.mark.benchmark
@pytest.mark.timeout(900)
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
