"""The native decoder: golden messages, and whatever bytes may come."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.reasons import Reason
from services.ingest.decoders.native_json import (
    decode_birth,
    decode_data,
    decode_death,
)
from services.ingest.messages import (
    Birth,
    Death,
    Message,
    Reading,
    Unusable,
    milliseconds,
)

CASES = Path(__file__).parents[2] / "golden" / "native_json"


def plain(decoded: Message | Unusable | Reading) -> dict[str, Any]:
    if isinstance(decoded, Unusable):
        assert decoded.detail
        return {"unusable": decoded.reason.value}
    if isinstance(decoded, Reading):
        said = ((name, getattr(decoded, name)) for name in Reading.__struct_fields__)
        item = {name: value for name, value in said if value not in (None, False)}
        time = decoded.time
        return {**item, "time": None if time is None else milliseconds(time)}
    numbers = (
        {} if decoded.seq is None else {"seq": decoded.seq, "epoch": decoded.epoch}
    )
    return {"items": [plain(item) for item in decoded.items], **numbers}


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    (message,) = case.glob("message.*")
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert plain(decode_data(message.read_bytes())) == expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("seq", "epoch", "time", "values", "quality", "device"),
                    *("items", "revises", "time_quality", "oldest_seq", "firmware"),
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_a_decoder_raise(payload: bytes) -> None:
    assert isinstance(decode_data(payload), Message | Unusable)
    assert isinstance(decode_birth(payload), Birth | Unusable)
    assert isinstance(decode_death(payload), Death | Unusable)


ITEMS = st.fixed_dictionaries(
    {
        "time": st.integers(0, 1 << 45),
        "values": st.dictionaries(
            st.text(max_size=3),
            st.none()
            | st.booleans()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.integers(-(1 << 53), 1 << 53)
            | st.text(st.characters(codec="utf-8"), max_size=3),
            max_size=4,
        ),
    },
    optional={
        "quality": st.dictionaries(
            st.text(max_size=3), st.sampled_from(["good", "bad"]), max_size=2
        )
    },
)


@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_the_lenient_way_reads_the_same_as_the_fast_one(
    items: list[dict[str, Any]],
) -> None:
    """A member that only the lenient way accepts (NaN) is added where it changes nothing."""
    fast = decode_data(json.dumps({"items": items}).encode())
    lenient = decode_data(json.dumps({"items": items, "x": float("nan")}).encode())
    assert isinstance(fast, Message)
    assert plain(lenient) == plain(fast)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"{}", Birth()),
        (
            b'{"epoch": 3, "oldest_seq": 9, "channels": ["a"]}',
            Birth(epoch=3, oldest_seq=9),
        ),
        (
            b'{"firmware": "1.2", "device": "meter-1"}',
            Birth(firmware="1.2", device="meter-1"),
        ),
    ],
)
def test_births(payload: bytes, expected: Birth) -> None:
    assert decode_birth(payload) == expected


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b'{"epoch": -1}', Reason.BAD_SEQUENCE),
        (b'{"oldest_seq": 1}', Reason.BAD_SEQUENCE),
        (b'{"time": "noon"}', Reason.MALFORMED),
        (b'{"firmware": "%s"}' % (b"x" * 65_536), Reason.TOO_LARGE),
    ],
)
def test_births_that_cannot_be_used(payload: bytes, reason: Reason) -> None:
    decoded = decode_birth(payload)
    assert isinstance(decoded, Unusable)
    assert decoded.reason is reason


def test_a_will_may_be_empty() -> None:
    assert decode_death(b"") == Death()
