"""The messages of a fuzz run: they follow from the seed, are of every sort, and have as many items as JSON itself says."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest

from services.core.broker.link import Publication
from services.ingest.decode import FAULT, Decoder
from services.ingest.decoders.native_json import LARGEST_PAYLOAD, decode_data
from services.ingest.messages import LARGEST_INTEGER, Message, Unusable
from tests.fuzz_ingest.messages import Maker, Wild

BEGIN_MS: Final = 1_795_320_000_000
COUNT: Final = 2_000
KINDS: Final = frozenset(
    ["data", "birth", "death", "result", "senml", "NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH", "up", "status", "join", "ack", "log"]
)  # fmt: skip
MOST_OF_A_PACKET: Final = 66_560 - 10


@pytest.fixture(scope="module")
def messages() -> Sequence[Wild]:
    maker = Maker(7, COUNT, BEGIN_MS)
    return [maker.make(number) for number in range(COUNT)]


def test_the_same_seed_makes_the_same_messages(messages: Sequence[Wild]) -> None:
    again = Maker(7, COUNT, BEGIN_MS)
    assert [again.make(number) for number in range(0, COUNT, 7)] == messages[::7]


def test_every_sort_comes_good_and_bad(messages: Sequence[Wild]) -> None:
    decoder = Decoder()
    good, bad = Counter[str](), Counter[str]()
    for message in messages:
        said = decoder.decode(
            Publication(message.topic, message.payload, 1, message.qos, 1)
        )
        kinds = bad if isinstance(said.content, Unusable) else good
        kinds[said.kind] += 1
        if isinstance(said.content, Unusable):
            assert not said.content.detail.startswith(FAULT), message
    assert good.keys() >= KINDS
    assert bad.keys() >= KINDS - {"ack", "log"}
    assert bad[""] > 0  # topics of no format


def test_the_broker_takes_them_all(messages: Sequence[Wild]) -> None:
    sizes = [len(m.topic.encode()) + len(m.payload) for m in messages]
    assert max(sizes) > LARGEST_PAYLOAD // 2
    assert max(sizes) <= MOST_OF_A_PACKET
    assert not any(set("+#\x00") & set(message.topic) for message in messages)


def test_items_are_as_many_as_json_says(messages: Sequence[Wild]) -> None:
    """Where it is UTF-8 at all: in members that nobody reads the platform does not look."""
    looked_at = 0
    for message in messages:
        try:
            text = message.payload.decode()
        except UnicodeDecodeError:
            continue
        said = decode_data(message.payload)
        looked_at += 1
        items = len(said.items) if isinstance(said, Message) else 1
        assert items == items_of(text, len(message.payload)), message
    assert looked_at > COUNT // 2


def items_of(text: str, size: int) -> int:
    """By docs/device-protocol.md; what cannot be taken apart counts as one."""
    if size > LARGEST_PAYLOAD:
        return 1
    try:
        said = json.loads(text, parse_int=lambda digits: int(digits[:30]))
    except (ValueError, RecursionError):
        return 1
    if not isinstance(said, dict) or not is_well_numbered(said):
        return 1
    items = said.get("items")
    if said.get("values") is not None or not isinstance(items, list):
        return 1
    return max(1, len(items))


def is_well_numbered(said: dict[str, Any]) -> bool:
    numbers = (said.get("seq"), said.get("epoch"))
    return numbers[0] is None or all(
        type(number) is int and 0 <= number <= LARGEST_INTEGER for number in numbers
    )
