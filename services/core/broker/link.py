"""A non-blocking socket with a buffer each way, in the shape that paho wants its socket to have.

Whole PUBLISH packets are read straight from the buffer (0.8 µs a message and its acknowledgement instead of
paho's 23); every other packet is offered to paho, whole, one at a time. See decision 12.
"""

import socket
import ssl
import struct
from collections.abc import Iterable
from typing import Final

import msgspec

_RECEIVE_BYTES: Final = 262_144
_PUBLISH: Final = 0x30
_KIND_AND_QOS_2: Final = 0xF4
_LENGTH_BYTES: Final = 2
_PUBACK: Final = struct.Struct(">HH")
_PUBACK_HEADER: Final = 0x4002
_SHORT_LENGTH: Final = 0x7F
_MORE: Final = 0x80
_LONGEST_PACKET: Final = (1 << 28) - 1
_MOST_LENGTH_BYTES: Final = 4
_NOT_NOW: Final = (
    BlockingIOError,
    InterruptedError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)


class Publication(msgspec.Struct, frozen=True, gc=False):
    """A message as it came. connection: counts this client's connections; a mid means something only within one."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    connection: int


class Link:
    def __init__(self, stream: socket.socket) -> None:
        stream.setblocking(False)  # noqa: FBT003 # socket's own shape
        self._stream = stream
        self._data = b""
        self._position = 0
        self._offered = 0
        self._ended = False
        self._failure: OSError | None = None
        self._outgoing = bytearray()

    def fill(self) -> int:
        """Take what the socket has, and say how many bytes; 0: nothing for now, or it ended."""
        try:
            received = self._stream.recv(_RECEIVE_BYTES)
        except _NOT_NOW:
            return 0
        except OSError as error:
            self._failure = error
            return 0
        self._ended = not received
        rest = self._data[self._position :]
        self._data = rest + received if rest else received
        self._position = self._offered = 0
        return len(received)

    @property
    def gone(self) -> bool:
        """The peer has closed, or the socket failed: paho is told by the next recv."""
        return self._ended or self._failure is not None

    def take_publishes(self, connection: int) -> list[Publication]:
        """The whole PUBLISH packets (QoS 0 and 1) at the head of the buffer."""
        taken: list[Publication] = []
        data, position = self._data, self._position
        while bounds := _packet_bounds(data, position):
            body, stop = bounds
            header = data[position]
            if header & _KIND_AND_QOS_2 != _PUBLISH or stop - body < _LENGTH_BYTES:
                break
            qos = header >> 1 & 1
            topic_end = body + _LENGTH_BYTES + (data[body] << 8 | data[body + 1])
            payload = topic_end + _LENGTH_BYTES * qos
            if payload > stop:
                break  # malformed: paho refuses it
            topic = data[body + _LENGTH_BYTES : topic_end].decode(errors="replace")
            mid = (data[topic_end] << 8 | data[topic_end + 1]) if qos else 0
            taken.append(Publication(topic, data[payload:stop], mid, qos, connection))
            position = stop
        self._position = self._offered = position
        return taken

    def offer_packet(self) -> bool:
        """Let recv give out the packet at the head, if it is whole."""
        bounds = _packet_bounds(self._data, self._position)
        self._offered = bounds[1] if bounds else self._position
        return bounds is not None

    @property
    def head(self) -> int:
        """The first byte of the packet that was offered."""
        return self._data[self._position]

    def recv(self, count: int) -> bytes:
        """For paho: of the packet that was offered, never beyond it."""
        if self._position < self._offered:
            start = self._position
            self._position = min(start + count, self._offered)
            return self._data[start : self._position]
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, packet: bytes | bytearray) -> int:
        """For paho: takes all of it; flush() puts it on the wire."""
        self._outgoing += packet
        return len(packet)

    def send_pubacks(self, mids: list[int]) -> None:
        pack = _PUBACK.pack
        self._outgoing += b"".join([pack(_PUBACK_HEADER, mid) for mid in mids])

    def send_publishes(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """PUBLISH packets of QoS 0: topics and payloads."""
        self._outgoing += b"".join(
            [_publish_packet(topic.encode(), payload) for topic, payload in messages]
        )

    def flush(self) -> bool:
        """Write what is waiting; True: all of it is with the system."""
        while self._outgoing:
            try:
                sent = self._stream.send(self._outgoing)
            except _NOT_NOW:
                return False
            except OSError as error:
                self._failure = error
                return True
            del self._outgoing[:sent]
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 # the shape paho asks for
        self._stream.setblocking(flag)

    def close(self) -> None:
        if not self.gone:
            self.flush()
        self._stream.close()


def _publish_packet(topic: bytes, payload: bytes) -> bytes:
    remaining = _LENGTH_BYTES + len(topic) + len(payload)
    if remaining > _LONGEST_PACKET:
        raise ValueError(f"a packet of {remaining} bytes")
    encoded = bytearray([_PUBLISH])
    while remaining > _SHORT_LENGTH:
        encoded.append(remaining & _SHORT_LENGTH | _MORE)
        remaining >>= 7
    encoded.append(remaining)
    encoded += len(topic).to_bytes(_LENGTH_BYTES, "big") + topic + payload
    return bytes(encoded)


def _packet_bounds(data: bytes, position: int) -> tuple[int, int] | None:
    """(first byte after the length, first byte after the packet); None: not all of it is here."""
    available = len(data)
    length = shift = 0
    place = position + 1
    while place < available:
        digit = data[place]
        place += 1
        length |= (digit & _SHORT_LENGTH) << shift
        if digit <= _SHORT_LENGTH or place - position > _MOST_LENGTH_BYTES:
            return (place, place + length) if place + length <= available else None
        shift += 7
    return None
