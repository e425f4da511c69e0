"""`python -m tests.fuzz_ingest`: generated topics and payloads over real MQTT, and what ingest made of them."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from services.core.clock import Clock, SystemClock
from tests.fuzz_ingest.messages import Maker
from tests.fuzz_ingest.report import Outcome, Wanted
from tests.fuzz_ingest.run import play
from tests.stack_fixtures import (
    fresh_database,
    make_template,
    running_broker,
    running_postgres,
)


def main() -> int:
    asked = _arguments()
    if asked.show is not None:
        maker = Maker(asked.seed, asked.count, asked.begin)
        message = maker.make(asked.show)
        print(f"{message.sender}, QoS {message.qos}, {message.topic!r}\n{message.payload.hex()}")  # fmt: skip
        return 0
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50)  # nothing
    )
    outcome = _run(Wanted(asked.seed, asked.count), SystemClock())
    print(outcome.as_json() if asked.json else outcome.as_text())
    if not outcome.holds:
        again = f"make fuzz-ingest COUNT={asked.count} SEED={asked.seed}"
        print(f"To play it again: {again}", file=sys.stderr)
    return 0 if outcome.holds else 1


def _run(wanted: Wanted, clock: Clock) -> Outcome:
    """Servers and logs in folders of their own; the logs of a run that failed are kept."""
    logs = Path(tempfile.mkdtemp(prefix="alatau-fuzz-logs-"))
    columns = (TextColumn("messages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())  # fmt: skip
    with (
        running_postgres(place=tempfile.gettempdir()) as cluster,
        running_broker() as broker,
        Progress(*columns, console=Console(stderr=True)) as bar,
    ):
        make_template(cluster)
        with fresh_database(cluster, "fuzz") as database_url:
            task = bar.add_task("", total=wanted.count)

            def tell(sent: int) -> None:
                bar.update(task, completed=sent)

            outcome = asyncio.run(play(wanted, broker, database_url, logs, clock, tell))
    if outcome.holds:
        shutil.rmtree(logs)
    else:
        print(f"logs are kept in {logs}", file=sys.stderr)
    return outcome


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz_ingest", description=__doc__
    )
    add = parser.add_argument
    add("--count", type=int, default=1_000_000, help="messages; a tenth are calm ones")
    add("--seed", type=int, default=0)
    add("--json", action="store_true", help="print the outcome as JSON")
    add("--show", type=int, metavar="NUMBER", help="only print this message of the run")
    add("--begin", type=int, default=0, help="with --show: begin_ms of the run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
