"""Plans are data, replay by their seed, and have in them what the run promises; figures are counted as promised."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.faults.run  # noqa: F401 # enlists all faults
from tests.faults import report
from tests.faults.plan import KILLS, SLICE_MINUTES, Sort, Step, make_plan
from tests.faults.report import (
    BEGIN,
    END,
    PAGE,
    Outcome,
    as_markdown,
    percentile,
    recovery_rows,
)
from tests.faults.scene import CATALOGUE, Recovery
from tests.faults.verdict import Line

SORTS = [fault.sort for fault in CATALOGUE.values()]
seeds = st.integers(0, 2**32)


@settings(deadline=None, max_examples=30)
@given(seeds, st.floats(1, 60))
def test_the_same_seed_makes_the_same_plan_whatever_the_order_of_the_faults(
    seed: int, minutes: float
) -> None:
    plan = make_plan(seed, minutes, SORTS)
    assert plan == make_plan(seed, minutes, list(reversed(SORTS)))
    assert [step.number for step in plan] == list(range(1, len(plan) + 1))


@pytest.mark.parametrize(("minutes", "times"), [(60, 1), (240, 10)])
def test_a_long_plan_has_every_fault_as_often_as_promised(
    minutes: float, times: int
) -> None:
    found = counts(make_plan(1, minutes, SORTS))
    assert {sort.name for sort in SORTS} == set(found)
    assert min(found.values()) >= times
    assert found[KILLS] * 1.6 >= 1_000 * minutes / 60


@given(seeds)
def test_the_short_plan_has_each_of_its_faults_once(seed: int) -> None:
    found = counts(make_plan(seed, SLICE_MINUTES, SORTS))
    del found[KILLS]
    assert found == Counter(sort.name for sort in SORTS if sort.in_slice)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_kills_and_other_faults_are_mixed(seed: int) -> None:
    sorts = [Sort(KILLS), *(Sort(f"fault {number}") for number in range(10))]
    names = [step.fault for step in make_plan(seed, 60, sorts)]
    tenth = len(names) // 10
    assert all(
        0 < sum(name != KILLS for name in names[start : start + tenth]) <= 4
        for start in range(0, len(names) - tenth, tenth)
    )


def counts(plan: list[Step]) -> Counter[str]:
    return Counter(step.fault for step in plan)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_a_percentile_is_one_of_the_figures_that_enough_do_not_exceed(
    seconds: list[float],
) -> None:
    for part in (0.5, 0.99, 1.0):
        found = percentile(seconds, part)
        assert found in seconds
        assert sum(each <= found for each in seconds) >= part * len(seconds)


def test_a_missed_promise_and_a_broken_one_are_told() -> None:
    outcome = Outcome([7], 60, "2026-11-22", "a machine")
    outcome.add(Recovery("ingest", 1.5))
    outcome.add(Recovery("broker", 9.0))
    outcome.verdict.append(Line("nothing is lost", False, "3"))
    kept = {of: row for of, *row in recovery_rows(outcome)}
    assert kept["ingest"] == [1, "1.50", "1.50", "1.50", "2 s: kept"]
    assert kept["broker"][-1] == "5 s: MISSED"
    assert not outcome.holds
    assert "| nothing is lost | **BROKEN** | 3 |" in as_markdown(outcome)


def test_a_promise_that_was_not_asked_is_neither_kept_nor_broken() -> None:
    outcome = Outcome([7], 60, "2026-11-22", "a machine")
    outcome.verdict.append(Line("the log adds up", None, "it begins at batch 9"))
    assert not outcome.holds
    assert "| the log adds up | not asked | it begins" in as_markdown(outcome)
    outcome.verdict.append(Line("nothing is lost", True, "0"))
    assert outcome.holds


def test_the_page_has_a_place_for_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.index(BEGIN) < page.index(END)


def test_a_run_may_be_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "DATA", tmp_path / "data.json")
    first = Outcome([7], 60, "2026-11-22", "a machine", {"kills": 3}, 5)
    first.seconds = {"broker": [0.5]}
    first.verdict = [Line("no loss", False, "1"), Line("no double", True, "0")]
    report.DATA.write_text(first.as_json(), encoding="utf-8")
    second = Outcome([8], 60, "2026-11-23", "a machine", {"kills": 4}, 6)
    second.seconds = {"broker": [0.7]}
    second.verdict = [Line("no loss", True, "0")]
    both = report.add_to_earlier(second)
    assert (both.seeds, both.minutes, both.killed) == ([7, 8], 120, 11)
    assert (both.counts, both.seconds) == ({"kills": 7}, {"broker": [0.5, 0.7]})
    assert not both.holds
    assert "seed 7, 8, in 2 parts, 120 minutes" in as_markdown(both)
