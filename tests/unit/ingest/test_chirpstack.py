"""ChirpStack: golden events, and whatever bytes may come."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.decoders.chirpstack import ChirpStack, decode_event
from services.ingest.messages import Birth, Message, Unusable
from tests.unit.ingest.golden import cases, expected, spelled

KINDS = ("up", "join", "status", "ack", "txack", "log", "location", "integration")


@pytest.mark.parametrize("case", cases("chirpstack"), ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    (message,) = (path for path in case.iterdir() if path.name != "expected.json")
    decoded = decode_event(message.stem, message.read_bytes())
    assert decoded is not None
    assert spelled(decoded) == expected(case)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
EVENT = st.fixed_dictionaries(
    {"deviceInfo": st.just({"devEui": "0101010101010101"}) | JSON},
    optional=dict.fromkeys(("time", "object", "rxInfo", "margin", "batteryLevel", "data"), JSON),
)  # fmt: skip


@given(
    st.sampled_from(KINDS),
    st.binary(max_size=100) | EVENT.map(lambda event: json.dumps(event).encode()),
)
def test_no_bytes_make_the_decoder_raise(kind: str, payload: bytes) -> None:
    assert isinstance(decode_event(kind, payload), Message | Birth | Unusable)


def test_an_event_that_chirpstack_does_not_have() -> None:
    assert decode_event("down", b"{}") is None


@pytest.mark.parametrize(
    ("topic", "publisher"),
    [
        ("application/chirpstack-1/device/0101010101010101/event/up", "chirpstack-1"),
        ("application/chirpstack-1/device/0101010101010101/event/nope", None),
        ("application/chirpstack-1/device/0101010101010101/command/down", None),
        ("application/chirpstack-1/device/0101010101010101/event", None),
        ("city/v1/chirpstack-1/data", None),
    ],
)
def test_the_publisher_stands_in_the_topic(topic: str, publisher: str | None) -> None:
    route = ChirpStack().route(topic)
    assert (route and route.publisher) == publisher
