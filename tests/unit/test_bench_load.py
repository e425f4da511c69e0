"""The load generator's packets are what a device would send."""

import socket

import numpy as np
import pytest

from services.cli.benches.load import _Template
from services.core.broker.link import Link
from services.ingest.decode import Decoder
from services.ingest.messages import Message, Reading


@pytest.mark.parametrize("values", [1, 20])
def test_packets_are_numbered_messages_a_millisecond_apart(values: int) -> None:
    channels = tuple(f"c{place}" for place in range(values))
    numbers = np.array([1, 65_535, 65_536], np.int64)
    stream = _Template("bench-01", channels).packets(
        numbers, 1_795_320_000_000 + numbers
    )
    here, there = socket.socketpair()
    link = Link(here)
    there.sendall(stream)
    link.fill()
    publications = link.take_publishes(1)
    link.close()
    there.close()
    assert [publication.mid for publication in publications] == [1, 65_535, 1]
    for number, publication in zip(numbers.tolist(), publications, strict=True):
        received = Decoder().decode(publication)
        assert (received.publisher, received.kind) == ("bench-01", "data")
        assert isinstance(received.content, Message)
        assert received.content.seq == 100_000_000 + number
        (item,) = received.content.items
        assert isinstance(item, Reading)
        assert item.time == 1_795_320_000_000 + number
        assert tuple(item.values) == channels
        assert {type(value) for value in item.values.values()} == {float}
