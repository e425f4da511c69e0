"""Resolving: who may speak for whom, and what counts as one item."""

import pytest

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage.log_batch import Notice
from services.core.storage.registry_snapshot import RegisteredDevice
from services.ingest.messages import Birth, Death, Unusable
from services.ingest.resolve import Numbered, resolve
from tests.unit.ingest.profiles import (
    NOW_MS,
    device,
    message,
    profile,
    reading,
    received,
)

METER = profile(Kind.MEASUREMENT)
DEVICES = {
    found.key: found
    for found in (
        device(1, "gateway", hosts=(2, 3)),
        device(2, "meter", measures=METER),
        device(3, "old-meter", measures=METER, retired=True),
        device(4, "stranger", measures=METER),
        device(5, "old-gateway", hosts=(2,), retired=True),
    )
}


class Registry:
    def device(self, key: str) -> RegisteredDevice | None:
        return DEVICES.get(key)


def about(named: str | None):  # type: ignore[no-untyped-def]
    item = reading(a=1)
    item.device = named
    return item


@pytest.mark.parametrize(
    ("publisher", "named", "reason"),
    [
        ("meter", None, None),
        ("meter", "meter", None),
        ("gateway", "meter", None),
        ("gateway", "stranger", Reason.NOT_HOSTED),
        ("gateway", "nobody", Reason.UNKNOWN_DEVICE),
        ("gateway", "old-meter", Reason.RETIRED_DEVICE),
        ("gateway", None, Reason.NO_CHANNELS),
        ("old-gateway", "meter", Reason.RETIRED_DEVICE),
        ("nobody", "meter", Reason.UNKNOWN_DEVICE),
    ],
)
def test_who_may_speak_for_whom(
    publisher: str, named: str | None, reason: Reason | None
) -> None:
    resolved = resolve([received(message(about(named)), publisher)], Registry(), NOW_MS)
    assert [r.reason for r in resolved.refused] == ([reason] if reason else [])
    assert [o.frame_id for o in resolved.observed] == ([] if reason else [102])
    known = DEVICES.get(publisher)
    assert resolved.publishers == [known.device_id if known else 0]
    assert resolved.is_doubtful == (reason is not None)


def test_entries_count_items_and_whole_messages_that_cannot_be_taken_apart() -> None:
    bad = Unusable(Reason.MALFORMED, "no")
    resolved = resolve(
        [
            received(message(about(None), bad, about(None), seq=4), "meter"),
            received(bad, "meter"),
            received(message(about("meter")), "gateway"),
        ],
        Registry(),
        NOW_MS,
        first=10,
    )
    assert resolved.publishers == [2, 2, 2, 2, 1]
    assert [(o.entry, o.index) for o in resolved.observed] == [
        (10, 0),
        (12, 2),
        (14, 0),
    ]
    assert [(r.entry, r.scope, r.index) for r in resolved.refused] == [
        (11, "item", 1),
        (13, "message", None),
    ]
    assert resolved.numbered == [Numbered(12, 2, 1, 4)]


def test_a_number_is_settled_although_all_is_refused_but_not_of_an_unknown_publisher() -> (
    None
):
    numbered = message(about("stranger"), seq=1)
    resolved = resolve(
        [received(numbered, "gateway"), received(numbered, "nobody")],
        Registry(),
        NOW_MS,
    )
    assert resolved.numbered == [Numbered(0, 1, 1, 1)]


def test_notices_have_the_devices_time_when_it_can_be_meant() -> None:
    far = 10**30
    resolved = resolve(
        [
            received(Birth(time=NOW_MS - 5, epoch=2, oldest_seq=3), "meter", "birth"),
            received(Birth(time=far), "meter", "birth"),
            received(Death(device="meter"), "gateway", "death"),
            received(Death(device="stranger"), "gateway", "death"),
        ],
        Registry(),
        NOW_MS,
    )
    assert [notice for _, notice in resolved.notices] == [
        Notice(
            kind="birth",
            device_id=2,
            publisher_id=2,
            time_ms=NOW_MS - 5,
            epoch=2,
            oldest_seq=3,
        ),
        Notice(kind="birth", device_id=2, publisher_id=2, time_ms=NOW_MS),
        Notice(kind="death", device_id=2, publisher_id=1, time_ms=NOW_MS),
    ]
    assert [r.reason for r in resolved.refused] == [Reason.NOT_HOSTED]
