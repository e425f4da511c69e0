"""A refusal tells the device's maker in one sentence what to mend."""

import json
from typing import Any

import pytest

from services.core.city.catalogue import Kind
from services.core.reasons import Reason
from services.core.storage.registry_snapshot import Profile
from services.ingest.check import Checker
from services.ingest.decoders.native_json import decode_data
from services.ingest.messages import NOT_FINITE, Message, Reading, Unusable
from services.ingest.wording import unknown_channel
from tests.unit.ingest.profiles import NOW_MS, floats, observed, profile, reading

LONGEST = 500


def details(kind: Profile, *readings: Reading) -> list[str]:
    checked = Checker().check(observed(kind, *readings), NOW_MS)
    return [refusal.detail for refusal in checked.refused]


STATION = profile(
    Kind.MEASUREMENT,
    Kind.STATE,
    Kind.BITS,
    channels={"pm2_5": 0, "door": 1, "faults": 2},
    hard_min=floats(0, 0, 0),
    hard_max=floats(20, 9, 9),
    factor=floats(0.01, 1, 1),
)


@pytest.mark.parametrize(
    ("channel", "value", "detail"),
    [
        ("pm25", 1, "p has no channel 'pm25'; its type type has pm2_5, door, faults; did you mean 'pm2_5'?"),
        ("pm2_5", "12", "pm2_5 is '12', and takes a number"),
        ("pm2_5", True, "pm2_5 is true, and takes a number"),
        ("pm2_5", NOT_FINITE, "pm2_5 is no finite number up to ±2^53; send null where there is no value"),
        ("pm2_5", 2771.6, "pm2_5 is 2771.6, 27.716 in the platform's unit, not in 0 to 20: check sensor, unit and scale"),
        ("door", "close", "door is 'close', and takes open (0), closed (1); did you mean 'closed'?"),
        ("door", 0.5, "door is 0.5, and takes open (0), closed (1)"),
        ("faults", -1, "faults is -1, and bits are the sum of the weights of what is on"),
        ("faults", 0.5, "faults is 0.5, and takes a whole number"),
    ],
)  # fmt: skip
def test_a_value(channel: str, value: Any, detail: str) -> None:
    good = {"door": 0} if channel != "door" else {"pm2_5": 1.0}
    assert details(STATION, reading(**{channel: value}, **good)) == [detail]


def test_a_time() -> None:
    old, ahead = (
        Reading(values={"pm2_5": 1.0}, time=NOW_MS + away)
        for away in (-2_000_000, 60_000)
    )
    assert details(STATION, old, ahead) == [
        "the time 2026-11-22T03:26:40.000+00:00 is more than 1000 s ago; the operator can raise max_age and have it read again",
        "the time 2026-11-22T04:01:00.000+00:00 is more than 1 s ahead of ours; set the device's clock",
    ]


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ("0001-01-01T00:00:00+05:00", "-62135614800000"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000+00:00"),
        (-62_135_596_800_001, "-62135596800001"),
        (-100_000_000_000_000, "-100000000000000"),
        (-(10**30), "an integer beyond 2^64"),
    ],
)
def test_a_time_before_the_year_1(time: int | str, moment: str) -> None:
    """A datetime has no such year. The item alone is refused; its neighbour and the number are as they were."""
    items = [{"time": time, "values": {"pm2_5": 1.0}}, {"time": NOW_MS, "values": {"pm2_5": 2.0}}]  # fmt: skip
    sent = decode_data(json.dumps({"seq": 7, "epoch": 1, "items": items}).encode())
    assert isinstance(sent, Message)
    assert (sent.seq, sent.epoch) == (7, 1)
    readings = [item for item in sent.items if isinstance(item, Reading)]
    checked = Checker().check(observed(STATION, *readings), NOW_MS)
    assert [(one.index, one.reason) for one in checked.refused] == [(0, Reason.TOO_OLD)]
    assert checked.refused[0].detail.startswith(f"the time {moment} is more than")
    assert [block.entries.tolist() for block in checked.blocks] == [[1]]


def test_an_item_with_nothing_to_use_says_why_of_each_value() -> None:
    (detail,) = details(STATION, reading(pm2_5="x", nope=1))
    assert detail.startswith("pm2_5 is 'x', and takes a number; p has no channel")


def test_it_is_short_whatever_was_sent() -> None:
    many = profile(
        *[Kind.MEASUREMENT] * 300,
        channels={f"channel_{n}": n for n in range(300)},
    )
    assert len(unknown_channel("d", many, "x" * 60_000)) < LONGEST
    sent = {f"wrong_{n}": "y" * 1000 for n in range(500)}
    assert all(len(detail) <= LONGEST for detail in details(many, reading(**sent)))


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (b"{", "it is not UTF-8 JSON: "),
        (b"[]", "it is JSON, and not a JSON object"),
        (b" " * 70_000, "it has 70000 bytes, and may have 65536"),
        (b'{"values": {"a": 1}, "time": "noon"}', '"time" is neither RFC 3339'),
        (b'{"values": {"a": 1}, "seq": 1}', '"seq" needs an "epoch"'),
    ],
)
def test_a_message(payload: bytes, detail: str) -> None:
    decoded = decode_data(payload)
    unusable = decoded.items[0] if isinstance(decoded, Message) else decoded
    assert isinstance(unusable, Unusable)
    assert unusable.reason in set(Reason)
    assert unusable.detail.startswith(detail)
