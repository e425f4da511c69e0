"""All that is in decoders/: its rights, its golden folder, and whatever may come on any topic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from deploy.native.mosquitto import ingest_filters
from services.core.broker.link import Publication
from services.ingest import decode
from services.ingest.decode import FAULT, Decoder, open_formats
from services.ingest.messages import (
    Birth,
    Death,
    Decoded,
    Message,
    Result,
    Unusable,
)
from services.ingest.wire_format import Route, WireFormat
from tests.unit.ingest.golden import cases

DECODER = Decoder()
WORDS = st.sampled_from(["gw-1", "city", "alatau", "up", "join", "0101010101010101", "Gw", "", "+", "\x00"])  # fmt: skip
TOPICS = st.sampled_from(DECODER.filters).flatmap(
    lambda topics: st.lists(WORDS, min_size=4, max_size=4).map(
        lambda words: topics.replace("+", "{}").format(*words)
    )
)


def test_ingest_may_read_what_it_subscribes_to() -> None:
    """By the rights the stack knows whether the broker has saved all of ingest's session."""
    assert sorted(DECODER.filters) == sorted(ingest_filters())


def test_every_format_has_golden_messages() -> None:
    assert all(cases(one.name) for one in open_formats() if not one.is_webhook)


@given(TOPICS | st.text(max_size=20), st.binary(max_size=100), st.integers(0, 1))
@settings(max_examples=300)
def test_whatever_comes_is_something(topic: str, payload: bytes, qos: int) -> None:
    content = DECODER.decode(Publication(topic, payload, 1, qos, 1)).content
    assert isinstance(content, Message | Birth | Death | Result | Unusable)


class Faulty(WireFormat):
    name = "faulty"

    @override
    def route(self, topic: str) -> Route:
        return Route("gw-1", "data", self._decode)

    def _decode(self, _publication: Publication) -> Decoded:
        raise TypeError("a bytes-like object is required")


def test_a_fault_of_a_decoder_is_one_refused_message() -> None:
    """Raised, it would end ingest, again and again: what is not acknowledged comes again."""
    received = Decoder([Faulty()]).decode(Publication("t", b"x", 1, 1, 1))
    assert isinstance(received.content, Unusable)
    assert received.content.detail.startswith(FAULT)


def test_topics_that_a_publisher_makes_up_fill_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decode, "_MOST_TOPICS", 10)
    decoder = Decoder()
    for number in range(25):
        assert decoder.publisher_of(f"spBv1.0/{number}/NDATA/gw-1") == "gw-1"
        assert decoder.publisher_of(f"spBv1.0/{number}{'x' * 500}/NDATA/gw-1") == "gw-1"
    assert len(decoder._routes) == 5
