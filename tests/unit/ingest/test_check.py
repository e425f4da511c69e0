"""Checking: types by kind, time windows, ranges, flags."""

import math
from typing import Any

import numpy as np
import pytest

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.check import MISSING, Checked, Checker, ReplayChecker
from services.ingest.messages import NOT_FINITE, Reading
from tests.unit.ingest.profiles import (
    NOW_MS,
    floats,
    observed,
    profile,
    reading,
)

GOOD, SUSPECT_BY_CHECK, SUSPECT_BY_SOURCE = 17, 49, 19


def check(kind: Profile, *readings: Reading) -> Checked:
    return Checker().check(observed(kind, *readings), NOW_MS)


def refusals(checked: Checked) -> list[tuple[str, Reason, str | None]]:
    return [(r.scope, r.reason, r.channel) for r in checked.refused]


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (Kind.MEASUREMENT, 1.5, 1.5),
        (Kind.MEASUREMENT, 1 << 53, 2.0**53),
        (Kind.MEASUREMENT, (1 << 53) + 1, Reason.NOT_FINITE),
        (Kind.MEASUREMENT, NOT_FINITE, Reason.NOT_FINITE),
        (Kind.MEASUREMENT, True, Reason.WRONG_TYPE),
        (Kind.MEASUREMENT, "1", Reason.WRONG_TYPE),
        (Kind.MEASUREMENT, [1], Reason.WRONG_TYPE),
        (Kind.COUNTER, 7, 7),
        (Kind.STATE, "closed", 1),
        (Kind.STATE, "ajar", Reason.UNKNOWN_CODE),
        (Kind.STATE, True, 1),
        (Kind.STATE, 0, 0),
        (Kind.STATE, 1.0, 1),
        (Kind.STATE, 2, Reason.UNKNOWN_CODE),
        (Kind.STATE, 0.5, Reason.WRONG_TYPE),
        (Kind.STATE, {}, Reason.WRONG_TYPE),
        (Kind.BITS, 5, 5),
        (Kind.BITS, 8, 8),
        (Kind.BITS, -1, Reason.RANGE),
        (Kind.BITS, 1.5, Reason.WRONG_TYPE),
        (Kind.BITS, True, Reason.WRONG_TYPE),
    ],
)
def test_each_kind_takes_its_values(
    kind: Kind, value: Any, stored: float | Reason
) -> None:
    checked = check(profile(kind, Kind.MEASUREMENT), reading(a=value, b=0.25))
    (block,) = checked.blocks
    assert block.results[0, 1] == 0.25
    if isinstance(stored, Reason):
        assert refusals(checked) == [("value", stored, "a")]
        assert math.isnan(block.results[0, 0])
        assert block.quality[0, 0] == MISSING
    else:
        assert refusals(checked) == []
        assert block.results[0, 0] == stored


def test_an_integer_too_long_to_write_out_is_refused_like_any_other() -> None:
    """Python raises for str() of more than 4,300 digits."""
    checked = check(
        profile(Kind.MEASUREMENT), reading(a=10**5000), reading(10**5000, a=1)
    )
    assert {r.reason for r in checked.refused} == {Reason.NOT_FINITE, Reason.IN_FUTURE}


def test_ranges_are_of_canonical_values() -> None:
    kind = profile(
        Kind.MEASUREMENT,
        Kind.MEASUREMENT,
        factor=floats(0.1, 1),
        addend=floats(-5, 0),
        hard_min=floats(0, -math.inf),
        hard_max=floats(10, math.inf),
        plausible_min=floats(1, -math.inf),
        plausible_max=floats(9, math.inf),
    )
    checked = check(
        kind, *(reading(a=float(sent), b=1.0) for sent in (49, 50, 60, 140, 150, 151))
    )
    (block,) = checked.blocks
    np.testing.assert_allclose(block.results[:, 0], [np.nan, 0, 1, 9, 10, np.nan])
    assert block.quality[:, 0].tolist() == [
        MISSING,
        SUSPECT_BY_CHECK,
        GOOD,
        GOOD,
        SUSPECT_BY_CHECK,
        MISSING,
    ]
    assert refusals(checked) == [("value", Reason.RANGE, "a")] * 2


def test_what_overflows_in_conversion_is_refused() -> None:
    checked = check(profile(Kind.MEASUREMENT, factor=floats(1e300)), reading(a=1e300))
    assert refusals(checked) == [("item", Reason.RANGE, "a")]


def test_an_item_without_a_usable_value_is_refused_with_the_reason_they_share() -> None:
    kind = profile(Kind.MEASUREMENT, Kind.STATE)
    checked = check(
        kind,
        reading(a="x"),
        reading(a="x", b=0.5),
        reading(a="x", b="ajar"),
        reading(a=None),
        reading(),
        reading(a=1),
    )
    assert refusals(checked) == [
        ("item", Reason.WRONG_TYPE, "a"),
        ("item", Reason.WRONG_TYPE, None),
        ("item", Reason.EMPTY, None),
        ("item", Reason.EMPTY, None),
        ("item", Reason.EMPTY, None),
    ]
    assert [block.entries.tolist() for block in checked.blocks] == [[5]]


def test_time_windows_include_their_ends() -> None:
    kind = profile(Kind.MEASUREMENT)
    oldest, latest = NOW_MS - kind.max_age_ms, NOW_MS + kind.max_ahead_ms
    checked = check(
        kind,
        *(
            reading(time, a=1)
            for time in (oldest - 1, oldest, latest, latest + 1, None)
        ),
    )
    assert checked.blocks[0].times_ms.tolist() == [oldest, latest]
    assert [r.reason for r in checked.refused] == [
        Reason.TOO_OLD,
        Reason.IN_FUTURE,
        Reason.TIME_MISSING,
    ]


def test_times_given_by_us_differ_and_say_so() -> None:
    kind = profile(Kind.MEASUREMENT, server_time=True)
    checker = Checker()
    items = observed(kind, reading(None, a=1), reading(None, a=2))
    first = checker.check(items, NOW_MS)
    second = checker.check(items[:1], NOW_MS)
    assert first.blocks[0].times_ms.tolist() == [NOW_MS, NOW_MS + 1]
    assert second.blocks[0].times_ms.tolist() == [NOW_MS + 2]
    assert first.blocks[0].quality[0, 0] == 1 + 16 * 2


def test_a_time_given_at_a_replay_is_the_same_without_the_others() -> None:
    kind = profile(Kind.MEASUREMENT, server_time=True)
    items = observed(kind, reading(None, a=1), reading(None, a=2))
    for some, times in ((items, [NOW_MS, NOW_MS + 1]), (items[1:], [NOW_MS + 1])):
        (block,) = ReplayChecker().check(some, NOW_MS).blocks
        assert block.times_ms.tolist() == times


def test_the_devices_word_on_quality() -> None:
    kind = profile(Kind.MEASUREMENT, Kind.MEASUREMENT)
    flagged = Reading(
        values={"a": 1, "b": 2},
        time=NOW_MS,
        quality={"a": "estimated", "b": "whatever", "z": "fail"},
    )
    unsynced = Reading(values={"a": 1}, time=NOW_MS, time_quality="unsynced")
    (block,) = check(kind, flagged, unsynced).blocks
    assert block.quality.tolist() == [
        [SUSPECT_BY_SOURCE, 18],
        [SUSPECT_BY_SOURCE, MISSING],
    ]


def test_bits_that_the_catalogue_does_not_know_are_suspect() -> None:
    said = [reading(a=value) for value in (7, 8, 2.0**80)]
    (block,) = check(profile(Kind.BITS), *said).blocks
    assert block.quality[:, 0].tolist() == [GOOD, *[SUSPECT_BY_CHECK] * 2]


def test_doubt_is_said_where_a_newer_registry_might_decide_otherwise() -> None:
    kind = profile(Kind.MEASUREMENT)
    assert check(kind, reading(a=1, z=1)).doubtful
    assert not check(kind, reading(a="x")).doubtful


def test_a_retired_channel_keeps_its_slot_and_is_unknown() -> None:
    kind = profile(Kind.MEASUREMENT, Kind.MEASUREMENT, channels={"b": 1})
    checked = check(kind, reading(a=1.0, b=2.0), reading(b=3.0))
    np.testing.assert_array_equal(checked.blocks[0].results, [[np.nan, 2], [np.nan, 3]])
    assert refusals(checked) == [("value", Reason.UNKNOWN_CHANNEL, "a")]


def test_device_types_are_kept_apart_and_their_items_in_order() -> None:
    one = profile(Kind.MEASUREMENT)
    two = profile(Kind.MEASUREMENT, Kind.MEASUREMENT, device_type_id=2)
    items = [
        *observed(one, reading(a=1.0)),
        *observed(two, reading(a=1.0, b=2.0), first=1),
        *observed(one, reading(a=3.0), first=2),
    ]
    blocks = Checker().check(items, NOW_MS).blocks
    assert [block.entries.tolist() for block in blocks] == [[0, 2], [1]]
