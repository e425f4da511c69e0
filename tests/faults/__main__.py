"""`python -m tests.faults`: kills, stops, freezes and cuts a whole city under load, and compares what was sent with what is stored."""

import argparse
import sys

import structlog

from services.core.clock import SystemClock
from tests.faults.plan import make_plan, only
from tests.faults.report import add_to_earlier, as_text, write_docs
from tests.faults.run import Wanted, play
from tests.faults.scene import CATALOGUE

_LEAST_MINUTES_WITH_DISKS = 10.0


def main() -> int:
    asked = _arguments()
    if asked.list:
        print("\n".join(sorted(CATALOGUE)))
        return 0
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(40)  # errors
    )
    seed = asked.seed or SystemClock().now_ms() % 1_000_000
    sorts = [fault.sort for fault in CATALOGUE.values()]
    plan = make_plan(seed, asked.minutes, sorts)
    if asked.only:
        plan = [step for name in asked.only for step in only(seed, name, asked.times)]
    print(f"seed {seed}, {asked.minutes:g} minutes, {len(plan)} steps:")
    print("\n".join(map(str, plan)), flush=True)
    with_disks = bool(asked.only) or asked.minutes >= _LEAST_MINUTES_WITH_DISKS
    outcome = play(Wanted(seed, asked.minutes, plan, with_disks, asked.keep_logs))
    if asked.add:
        outcome = add_to_earlier(outcome)
    if asked.docs or asked.add:
        write_docs(outcome)
    print(outcome.as_json() if asked.json else as_text(outcome))
    if not outcome.holds:
        print(f"To play it again: make faults SEED={seed} MINUTES={asked.minutes:g}")
    return 0 if outcome.holds else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the plan; default: of the time")
    add(
        "--minutes", type=float, default=2.0, help="of faults; 3 or less: the short run"
    )
    add("--only", action="append", metavar="FAULT", help="these alone")
    add("--times", type=int, default=1, help="how often each of these")
    add("--list", action="store_true", help="the names of all faults")
    add("--docs", action="store_true", help="write the table into docs/reliability.md")
    add(
        "--add",
        action="store_true",
        help="the same, added to what is there: a run in parts",
    )
    add("--keep-logs", action="store_true", help="also of a run that went well")
    add("--json", action="store_true", help="print the outcome as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
