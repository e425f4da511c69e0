"""What the benches say of the disk and of the time in which nothing moved."""

from pathlib import Path
from unittest.mock import create_autospec

import pytest

from services.cli.benches.city_figures import by_minute, stalls
from services.cli.benches.limits import disk_flush
from services.core.clock import SystemClock


def test_a_disk_that_stood_still_is_seen(tmp_path: Path) -> None:
    """Two writes: 2 ms and 100 ms, each with 10 ms of rest after it."""
    clock = create_autospec(SystemClock, instance=True)
    clock.monotonic.side_effect = [0.0, *(0.0, 0.002), 0.002, *(0.002, 0.102), 1.0]
    found = disk_flush(tmp_path, 1.0, clock)
    assert (found.p50, found.p99, found.worst) == (51.0, 99.02, 100.0)
    assert found.stalled_share == pytest.approx(0.1 / 0.122, abs=1e-4)
    assert not list(tmp_path.iterdir())


def test_a_stall_is_more_than_two_seconds_of_messages_without_a_receipt() -> None:
    unreceipted = [5, 20, 21, 30, 25, 5, 40]
    assert stalls(unreceipted, rate=10.0) == [
        {"at_s": 2, "seconds": 3, "messages": 30},
        {"at_s": 6, "seconds": 1, "messages": 40},
    ]
    assert stalls([0, 20, 20], rate=10.0) == []


def test_latencies_are_told_by_minute_from_the_first_on() -> None:
    told = by_minute([(1030.0, 1.0), (1089.0, 3.0), (1091.0, 7.0), (1240.0, 9.0)])
    assert [minute["minute"] for minute in told] == [0, 1, 3]
    assert [minute["max"] for minute in told] == [3.0, 7.0, 9.0]
    assert by_minute([]) == []
