"""The outcome of a run as data, and as the table in docs/reliability.md."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.scene import Recovery
from tests.faults.verdict import Line

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "reliability.md"
DATA: Final = DOCS / "reliability.json"
BEGIN: Final = "<!-- made by `make faults`: begin -->"
END: Final = "<!-- made by `make faults`: end -->"
TARGETS: Final = {
    "ingest": 2.0,
    "broker": 5.0,
    "database backend": 3.0,
    "postmaster": 10.0,
}


@dataclass
class Outcome:
    """seeds: of its parts. counts: how often each fault was there. seconds: of every recovery, by what recovered.

    verdict: of the last part, and what was broken in those before.
    """

    seeds: list[int]
    minutes: float
    date: str
    machine: str
    counts: dict[str, int] = field(default_factory=dict)
    killed: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    not_tried: dict[str, str] = field(default_factory=dict)
    verdict: list[Line] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        asked = [line.holds for line in self.verdict if line.holds is not None]
        return bool(asked) and all(asked)

    def count(self, fault: str) -> None:
        self.counts[fault] = self.counts.get(fault, 0) + 1

    def add(self, recovery: Recovery) -> None:
        self.seconds.setdefault(recovery.of, []).append(round(recovery.seconds, 3))

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "holds": self.holds}, indent=1)


def percentile(seconds: list[float], part: float) -> float:
    """The smallest that at least this part of them does not exceed."""
    ranked = sorted(seconds)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)]


def recovery_rows(outcome: Outcome) -> list[tuple[str, int, str, str, str, str]]:
    """What, how often, p50, p99, longest, and whether its promise was kept."""
    rows = []
    for of, seconds in sorted(outcome.seconds.items()):
        p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
        target = TARGETS.get(of)
        kept = (
            ""
            if target is None
            else f"{target:g} s: {'kept' if p99 <= target else 'MISSED'}"
        )
        figures = (f"{p50:.2f}", f"{p99:.2f}", f"{max(seconds):.2f}")
        rows.append((of, len(seconds), *figures, kept))
    return rows


def as_text(outcome: Outcome) -> str:
    lines = [
        f"{of:32} {count:5}  p50 {p50:>6}  p99 {p99:>6}  longest {most:>6} s  {kept}"
        for of, count, p50, p99, most, kept in recovery_rows(outcome)
    ]
    lines += [f"not tried: {name}: {why}" for name, why in outcome.not_tried.items()]
    lines += [str(line) for line in outcome.verdict]
    return "\n".join(lines)


def as_markdown(outcome: Outcome) -> str:
    parts = [
        _headline(outcome),
        "",
        "| recovered | times | p50 s | p99 s | longest s | promised p99 |",
        "|---|---:|---:|---:|---:|---|",
    ]
    parts += [f"| {' | '.join(map(str, row))} |" for row in recovery_rows(outcome)]
    parts += ["", "| fault | times |", "|---|---:|"]
    parts += [f"| {name} | {count} |" for name, count in sorted(outcome.counts.items())]
    parts += [
        f"| {name} | not tried: {why} |" for name, why in outcome.not_tried.items()
    ]
    of = " of the last part" if len(outcome.seeds) > 1 else ""
    parts += ["", f"| promise | | figure{of} |", "|---|---|---|"]
    parts += [
        f"| {line.promise} | {_marked(line)} | {_one_line(line.figure)} |"
        for line in outcome.verdict
    ]
    return "\n".join(parts)


def _headline(outcome: Outcome) -> str:
    steps = sum(outcome.counts.values())
    seeds = ", ".join(map(str, outcome.seeds))
    parts = f"in {len(outcome.seeds)} parts, " if len(outcome.seeds) > 1 else ""
    return (
        f"{outcome.date}, seed {seeds}, {parts}{outcome.minutes:.0f} minutes, {outcome.machine}:"
        f" {outcome.killed:,} kills of services and database backends, {steps:,} steps."
    )


def _marked(line: Line) -> str:
    return f"**{line.word}**" if line.holds is False else line.word


def _one_line(text: str) -> str:
    return " ".join(text.split())


def write_docs(outcome: Outcome) -> None:
    """The section between the marks, and the data beside it."""
    DATA.write_text(f"{outcome.as_json()}\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{BEGIN}\n{as_markdown(outcome)}\n{END}"
    PAGE.write_text(f"{before}{made}{after}", encoding="utf-8")


def add_to_earlier(outcome: Outcome) -> Outcome:
    """A run in parts: this part with those before it, as the data beside the page has them."""
    earlier: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    for fault, count in earlier["counts"].items():
        outcome.counts[fault] = outcome.counts.get(fault, 0) + count
    for of, seconds in earlier["seconds"].items():
        outcome.seconds[of] = [*seconds, *outcome.seconds.get(of, [])]
    outcome.seeds = [*earlier["seeds"], *outcome.seeds]
    outcome.minutes += earlier["minutes"]
    outcome.killed += earlier["killed"]
    broken = [Line(**line) for line in earlier["verdict"] if line["holds"] is False]
    outcome.verdict += broken
    return outcome
