"""How often batches are written and receipts told."""

import pytest

from services.ingest.pace import Pace


def after(*batches: float) -> Pace:
    pace = Pace()
    for seconds in batches:
        pace.took(seconds)
    return pace


@pytest.mark.parametrize(
    ("batches", "apart"),
    [
        ((), 0.015),
        ((0.001, 0.001), 0.015),
        ((0.01, 0.01), 0.02),
        ((0.03, 0.03), 0.06),
        ((9.0, 9.0), 0.06),
        ((0.01, 0.15), 0.02),  # one that stood still
        ((0.15, 0.01), 0.02),
    ],
)
def test_a_batch_leaves_others_as_much_time_as_it_took(
    batches: tuple[float, ...], apart: float
) -> None:
    assert after(*batches).apart == apart


@pytest.mark.parametrize(
    ("batches", "pause"),
    [
        ((), 0.01),
        ((0.001, 0.001), 0.01),
        ((0.05, 0.05), 0.05),
        ((9.0, 9.0), 0.2),
        ((0.02, 0.15), 0.02),  # one that stood still
        ((0.15, 0.02), 0.02),
    ],
)
def test_receipts_wait_as_long_as_batches_take_under_load(
    batches: tuple[float, ...], pause: float
) -> None:
    assert after(*batches).receipt_pause == pause
