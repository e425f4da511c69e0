"""A gateway's round is the message that the protocol wants, whatever its gateway, number and time."""

import json

from hypothesis import given
from hypothesis import strategies as st

from services.cli.benches.city_packets import rounds
from services.cli.benches.load_packets import SEQ_BEFORE

VALUES = {"voltage": 230.125, "energy": 50_000_000.25}


@given(
    gateway=st.integers(0, 1_199),
    number=st.integers(1, 10_000_000),
    time_ms=st.integers(1_600_000_000_000, 2_600_000_000_000),
    households=st.integers(1, 40),
)
def test_a_packet_says_what_its_gateway_hosts(
    gateway: int, number: int, time_ms: int, households: int
) -> None:
    (only,) = rounds("smart-meter", households, VALUES, epoch=7)
    packet = only.packet(gateway, number, time_ms).tobytes()
    topic = f"city/v1/gateway-{gateway + 1:04}/data".encode()
    assert topic in packet
    message = json.loads(packet[packet.index(b'{"seq"') :])
    assert (message["seq"], message["epoch"]) == (SEQ_BEFORE + number, 7)
    assert [item["device"] for item in message["items"]] == [
        f"smart-meter-{gateway + 1:04}-{home + 1:03}" for home in range(households)
    ]
    assert all(item["time"] == time_ms for item in message["items"])
    assert all(item["values"] == VALUES for item in message["items"])


def test_a_large_round_is_several_messages_of_64_kilobytes_at_most() -> None:
    values = {f"channel_{place}": 12345.678 for place in range(6)}
    parts = rounds("smart-meter", 500, values, epoch=1)
    assert len(parts) > 1
    assert sum(part.items for part in parts) == 500
    assert all(len(part.packet(0, 1, 1_700_000_000_000)) < 65_536 for part in parts)
