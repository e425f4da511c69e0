"""The short run of the fault harness (`make faults` has the long ones): nothing receipted is lost, whatever breaks."""

import os

import pytest

from tests.faults.plan import SLICE_MINUTES, make_plan
from tests.faults.report import Outcome, as_text
from tests.faults.run import Wanted, play
from tests.faults.scene import CATALOGUE

SEED = int(os.environ.get("ALATAU_SEED", "20261122"))
MOST_MINUTES = 10.0  # of a machine that is busy with other things
LONG_MINUTES = 15.0


def run(minutes: float, most_minutes: float) -> Outcome:
    plan = make_plan(SEED, minutes, [fault.sort for fault in CATALOGUE.values()])
    with_disks = minutes > SLICE_MINUTES
    return play(Wanted(SEED, most_minutes, plan, with_disks))


@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_some_of_every_kind_of_fault_lose_nothing() -> None:
    outcome = run(SLICE_MINUTES, MOST_MINUTES)
    assert outcome.holds, as_text(outcome)
    assert outcome.killed >= 5


@pytest.mark.long
@pytest.mark.timeout(5_400)
def test_every_fault_and_hundreds_of_kills_lose_nothing() -> None:
    outcome = run(LONG_MINUTES, 4 * LONG_MINUTES)
    assert outcome.holds, as_text(outcome)
    assert outcome.killed >= 200
