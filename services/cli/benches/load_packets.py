"""PURE: the MQTT packets of numbered messages, many publishers' at once."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

SEQ_BEFORE: Final = 100_000_000  # a publisher's n-th message has this number + n, so that all have nine digits

_TIME_DIGITS: Final = 13
_SEQ_DIGITS: Final = 9
_PUBLISH_QOS_1: Final = 0x32
_PUBLISH_QOS_0: Final = 0x30
_SEVEN_BITS: Final = 0x7F
_CLEAN_WITH_PASSWORD: Final = 0xC2
_KEEPALIVE_SECONDS: Final = 3600


class Templates:
    """One PUBLISH packet per publisher, with places for what differs: packet id, number, time.

    All publishers' names have one length, and so have all packets.
    """

    def __init__(
        self, names: Sequence[str], values: Mapping[str, float], epoch: int
    ) -> None:
        start = f'{{"seq":{"1" * _SEQ_DIGITS},"epoch":{epoch},"time":'
        said = msgspec.json.encode(values).decode()
        payload = f'{start}{"0" * _TIME_DIGITS},"values":{said}}}'.encode()
        packets = [_publish(f"city/v1/{name}/data", payload) for name in names]
        self._packets = np.stack(
            [np.frombuffer(packet, np.uint8) for packet in packets]
        )
        payload_at = self._packets.shape[1] - len(payload)
        self._packet_id = payload_at - 2
        self._seq = payload_at + len('{"seq":')
        self._time = payload_at + len(start)

    def packets(
        self,
        places: NDArray[np.int64],
        numbers: NDArray[np.int64],
        times_ms: NDArray[np.int64],
    ) -> NDArray[np.uint8]:
        """[publisher, octets]: the packets of each, one after the other. places: [publisher]; others: [publisher, message]."""
        packets = np.repeat(self._packets[places], numbers.shape[1], axis=0)
        numbers, times_ms = numbers.ravel(), times_ms.ravel()
        ids = (numbers - 1) % 65_535 + 1
        packets[:, self._packet_id] = ids >> 8
        packets[:, self._packet_id + 1] = ids & 255
        _write_digits(packets, self._seq, _SEQ_DIGITS, numbers + SEQ_BEFORE)
        _write_digits(packets, self._time, _TIME_DIGITS, times_ms)
        return packets.reshape(len(places), -1)


def _publish(topic: str, payload: bytes) -> bytes:
    """QoS 1, with room for the packet id."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + bytes(2) + payload
    return bytes([_PUBLISH_QOS_1]) + _remaining_length(len(body)) + body


def _write_digits(
    packets: NDArray[np.uint8], start: int, digits: int, numbers: NDArray[np.int64]
) -> None:
    for place in range(digits):
        packets[:, start + digits - 1 - place] = numbers % 10 + ord("0")
        numbers = numbers // 10


def connect_packet(name: str, secret: str) -> bytes:
    fields = b"".join(
        len(field).to_bytes(2, "big") + field
        for field in (name.encode(), name.encode(), secret.encode())
    )
    head = b"\x00\x04MQTT\x04" + bytes([_CLEAN_WITH_PASSWORD])
    body = head + _KEEPALIVE_SECONDS.to_bytes(2, "big") + fields
    return b"\x10" + _remaining_length(len(body)) + body


def subscribe_packet(name: str) -> bytes:
    """To its receipts, with QoS 0."""
    topic = f"city/v1/{name}/receipt".encode()
    body = b"\x00\x01" + len(topic).to_bytes(2, "big") + topic + b"\x00"
    return b"\x82" + _remaining_length(len(body)) + body


def birth_packet(name: str, epoch: int) -> bytes:
    """Says where the numbers begin."""
    payload = f'{{"epoch":{epoch},"oldest_seq":{SEQ_BEFORE + 1}}}'.encode()
    topic = f"city/v1/{name}/birth".encode()
    body = len(topic).to_bytes(2, "big") + topic + payload
    return bytes([_PUBLISH_QOS_0]) + _remaining_length(len(body)) + body


def _remaining_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = length >> 7, length & _SEVEN_BITS
        encoded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(encoded)
