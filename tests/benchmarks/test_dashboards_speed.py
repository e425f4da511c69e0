"""How long every question of the dashboards takes on 50 million readings; it prints a table."""

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from typing_extensions import override

from deploy.grafana.build import dashboards
from deploy.grafana.spec import Setting
from deploy.native.postgres import PostgresCluster, tuned_settings
from services.core.storage.pool import Connection, connect
from tests import stack_fixtures
from tests.dashboard_data import NOW, fill_city, reference_city
from tests.grafana.macros import Viewed, seconds_of
from tests.grafana.questions import Question, questions

HISTORY = dt.timedelta(hours=26)  # of the reference city: 50 million readings
MEMORY = 8 * 1024**3
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timescaledb.max_background_workers": "0",
}
ROUNDS = 5
MOST_SECONDS = 1.0
# The step that Grafana takes for 180 points of a range.
STEPS = {"1h": "20s", "3h": "1m", "6h": "2m", "24h": "10m"}


@dataclass(frozen=True)
class Timed:
    """seconds: on the clock; processor: of the server's process, which other work on the machine does not stretch."""

    question: Question
    seconds: tuple[float, ...]
    processor: float
    rows: int

    @property
    def middle(self) -> float:
        return sorted(self.seconds)[len(self.seconds) // 2]

    @override
    def __str__(self) -> str:
        slowest = max(self.seconds)
        times = (self.processor, self.middle, slowest)
        figures = " ".join(f"{seconds * 1000:8.0f}" for seconds in times)
        return f"{figures} {self.rows:7}  {self.question.since:>4}  {self.question}"


async def time_it(reader: Connection, question: Question, since: str) -> Timed:
    begins_at = NOW - dt.timedelta(seconds=seconds_of(since))
    sql = question.expanded(Viewed(begins_at, NOW, STEPS[since]), {})
    seconds, rows = [], 0
    process = reader.get_server_pid()
    before = processor_seconds(process)
    for _ in range(ROUNDS):
        started = time.perf_counter()
        rows = len(await reader.fetch(sql))
        seconds.append(time.perf_counter() - started)
    processor = (processor_seconds(process) - before) / ROUNDS
    return Timed(question, tuple(seconds), processor, rows)


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def time_all(reader: Connection, since: str | None = None) -> list[Timed]:
    """since: another range than each dashboard's own."""
    await reader.execute("SET jit = off")
    asked = questions(dashboards(Setting(reference_city(), "en")))
    timed = [
        await time_it(reader, question, since or question.since) for question in asked
    ]
    return sorted(timed, key=lambda entry: -entry.processor)


def report(timed: Sequence[Timed], shown: int) -> str:
    head = f"{'cpu ms':>8} {'p50 ms':>8} {'max ms':>8} {'rows':>7} range  the slowest {shown} of {len(timed)}"
    return "\n".join([head, *map(str, timed[:shown])]) + "\n"


async def filled_and_timed(cluster: PostgresCluster, name: str) -> list[Timed]:
    owner = await connect(cluster.dsn(name), "test")
    await fill_city(owner, since=HISTORY)
    await owner.close()
    reader = await connect(cluster.dsn(name, "alatau_grafana"), "test")
    try:
        return await time_all(reader)
    finally:
        await reader.close()


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_every_panel_answers_within_a_second_on_fifty_million_readings() -> None:
    settings = tuned_settings(MEMORY) | SETTINGS
    name = "fifty_million"
    with stack_fixtures.running_postgres(settings, "/tmp") as cluster:
        stack_fixtures.make_template(cluster)
        with stack_fixtures.fresh_database(cluster, name):
            timed = asyncio.run(filled_and_timed(cluster, name))
    sys.stdout.write(report(timed, 25))
    assert max(entry.middle for entry in timed) <= MOST_SECONDS
