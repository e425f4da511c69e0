"""Reading MQTT packets from a stream that comes in any pieces."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.link import Link, Publication


def length(count: int) -> bytes:
    encoded = bytearray()
    while True:
        count, digit = count >> 7, count & 127
        encoded.append(digit | 128 if count else digit)
        if not count:
            return bytes(encoded)


def publish(topic: str, payload: bytes, mid: int) -> bytes:
    """QoS 0 when mid is 0."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name
    body += mid.to_bytes(2, "big") if mid else b""
    body += payload
    return bytes([0x32 if mid else 0x30]) + length(len(body)) + body


MESSAGES = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), max_size=6),
        st.binary(max_size=300),
        st.integers(0, 65_535),
    ),
    max_size=8,
)
PONG = b"\xd0\x00"


@pytest.fixture
def pair() -> tuple[Link, socket.socket]:
    here, there = socket.socketpair()
    return Link(here), there


@given(messages=MESSAGES, pongs=st.booleans(), data=st.data())
def test_packets_come_out_whole_however_the_stream_is_cut(
    messages: list[tuple[str, bytes, int]], pongs: bool, data: st.DataObject
) -> None:
    stream = b"".join(
        publish(*message) + (PONG if pongs else b"") for message in messages
    )
    cuts = sorted(
        data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {len(stream)}
    )
    here, there = socket.socketpair()
    link = Link(here)
    found: list[Publication] = []
    others = b""
    start = 0
    for cut in cuts:
        there.sendall(stream[start:cut])
        start = cut
        while link.fill():
            found += link.take_publishes(7)
            while link.offer_packet():
                while True:
                    try:
                        others += link.recv(1)
                    except BlockingIOError:
                        break
                found += link.take_publishes(7)
    here.close()
    there.close()
    assert [(p.topic, p.payload, p.mid) for p in found] == messages
    assert all(p.connection == 7 and p.qos == (p.mid > 0) for p in found)
    assert others == (PONG * len(messages) if pongs else b"")


@pytest.mark.parametrize(
    "packet",
    [
        b"\x32\x00",  # no topic length
        b"\x32\x02\x00\x05",  # a topic longer than the packet
        b"\x32\x04\x00\x01ab",  # no room for the packet id
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2
    ],
)
def test_a_malformed_publish_is_left_to_paho(
    pair: tuple[Link, socket.socket], packet: bytes
) -> None:
    link, there = pair
    there.sendall(packet + publish("t", b"x", 1))
    link.fill()
    assert link.take_publishes(1) == []
    assert link.offer_packet()
    assert link.recv(100) == packet
    link.close()
    there.close()


def test_nothing_more_than_the_offered_packet_is_given_out(
    pair: tuple[Link, socket.socket],
) -> None:
    link, there = pair
    there.sendall(PONG + PONG[:1])
    link.fill()
    assert link.offer_packet()
    assert link.recv(100) == PONG
    assert not link.offer_packet()
    with pytest.raises(BlockingIOError):
        link.recv(1)
    link.close()
    there.close()


def test_the_end_is_told_once_all_is_read(pair: tuple[Link, socket.socket]) -> None:
    link, there = pair
    there.sendall(PONG)
    there.close()
    assert link.fill() == 2
    assert link.fill() == 0
    assert link.gone
    link.offer_packet()
    assert link.recv(9) == PONG
    assert link.recv(9) == b""
    link.close()


def test_a_full_socket_keeps_the_rest_for_later(
    pair: tuple[Link, socket.socket],
) -> None:
    link, there = pair
    sent = b"x" * 4_000_000
    link.send(sent)
    assert not link.flush()
    received = b""
    there.settimeout(5)
    while len(received) < len(sent):
        received += there.recv(1 << 20)
        link.flush()
    assert received == sent
    link.send_pubacks([1, 65_535])
    assert link.flush()
    assert there.recv(100) == b"\x40\x02\x00\x01\x40\x02\xff\xff"
    link.close()
    there.close()
