"""PURE: a gateway's round as one MQTT packet: many hosted items, with places for what differs."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.cli.benches.load_packets import SEQ_BEFORE

_TIME_DIGITS: Final = 13
_SEQ_DIGITS: Final = 9
_GATEWAY_DIGITS: Final = 4
_GATEWAY_MARK: Final = b"@@@@"
_TIME_MARK: Final = b"#############"
_SEQ_MARK: Final = b"$$$$$$$$$"
_PUBLISH_QOS_1: Final = 0x32
_MOST_OCTETS: Final = 65_000  # a message has 64 KB at most


class Round:
    """Items of some households of any gateway: `PREFIX-GATEWAY-HOUSEHOLD`, all of one time."""

    def __init__(
        self,
        prefix: str,
        households: Sequence[int],
        values: Mapping[str, float],
        epoch: int,
    ) -> None:
        said = msgspec.json.encode(values)
        mark, time = _GATEWAY_MARK.decode(), _TIME_MARK.decode()
        items = b",".join(
            f'{{"device":"{prefix}-{mark}-{number + 1:03}","time":{time},"values":'.encode()
            + said
            + b"}"
            for number in households
        )
        payload = b'{"seq":%b,"epoch":%d,"items":[%b]}' % (_SEQ_MARK, epoch, items)
        packet = _publish(f"city/v1/gateway-{mark}/data".encode(), payload)
        self.items = len(households)
        self._packet = np.frombuffer(packet, np.uint8)
        self._gateways = _places(packet, _GATEWAY_MARK)
        self._times = _places(packet, _TIME_MARK)
        self._seq = _places(packet, _SEQ_MARK)
        self._packet_id = len(packet) - len(payload) - 2

    def packet(self, gateway: int, number: int, time_ms: int) -> NDArray[np.uint8]:
        """gateway: from 0; number: of its message, from 1."""
        packet = self._packet.copy()
        packet_id = (number - 1) % 65_535 + 1
        packet[self._packet_id : self._packet_id + 2] = packet_id >> 8, packet_id & 255
        packet[self._gateways] = _digits(gateway + 1, _GATEWAY_DIGITS)
        packet[self._times] = _digits(time_ms, _TIME_DIGITS)
        packet[self._seq] = _digits(number + SEQ_BEFORE, _SEQ_DIGITS)
        return packet


def rounds(
    prefix: str, households: int, values: Mapping[str, float], epoch: int
) -> list[Round]:
    """All households of a gateway, in as few messages as may be."""
    one = (
        len(msgspec.json.encode(values))
        + len(prefix)
        + len('{"device":"-0000-000","time":,"values":},')
        + _TIME_DIGITS
    )
    parts = -(-households * one // _MOST_OCTETS)
    shares = np.array_split(np.arange(households), parts)
    return [Round(prefix, share.tolist(), values, epoch) for share in shares]


def _digits(number: int, count: int) -> NDArray[np.uint8]:
    return np.frombuffer(f"{number:0{count}}".encode(), np.uint8)


def _places(packet: bytes, mark: bytes) -> NDArray[np.int64]:
    """Where the marks are: [mark, digit]."""
    found = []
    at = packet.find(mark)
    while at >= 0:
        found.append(range(at, at + len(mark)))
        at = packet.find(mark, at + len(mark))
    return np.array(found, np.int64)


def _publish(topic: bytes, payload: bytes) -> bytes:
    """QoS 1, with room for the packet id."""
    body = len(topic).to_bytes(2, "big") + topic + bytes(2) + payload
    length, encoded = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        encoded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes([_PUBLISH_QOS_1]) + bytes(encoded) + body
