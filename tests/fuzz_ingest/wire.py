"""The wild publishers on raw sockets: what a client library would refuse to send goes out as it is."""

import select
from collections.abc import Mapping, Sequence
from typing import Final

from services.cli.benches.load_publisher import log_in
from tests.fuzz_ingest.messages import Wild

_RECEIVE: Final = 65_536
_PUBACK: Final = bytes([0x40, 2])
_PUBACK_BYTES: Final = 4
_IDS: Final = 65_535
_MOST_UNACKNOWLEDGED: Final = 30_000  # of a publisher: its ids must not come round


class BrokerHungUpError(AssertionError):
    """The broker ended a connection; says after which message."""


class Wire:
    """Nothing is subscribed to, so all that comes is PUBACKs. acknowledged, sent_plain: messages at QoS 1 and 0."""

    def __init__(
        self, port: int, names: Sequence[str], secrets: Mapping[str, str]
    ) -> None:
        self._names = names
        self._streams = [log_in(port, name, secrets[name]) for name in names]
        self._place = {stream.fileno(): n for n, stream in enumerate(self._streams)}
        self._poll = select.epoll()
        for stream in self._streams:
            stream.setblocking(False)  # socket's own shape
            self._poll.register(stream, select.EPOLLIN)
        self._unsent: dict[int, bytearray] = {}
        self._unread = [b""] * len(names)
        self._last_id = [0] * len(names)
        self._open: list[set[int]] = [set() for _ in names]
        self._newest: list[Wild | None] = [None] * len(names)
        self.acknowledged = self.sent_plain = 0

    def close(self) -> None:
        self._poll.close()
        for stream in self._streams:
            stream.close()

    @property
    def sent(self) -> int:
        return self.acknowledged + self.unacknowledged + self.sent_plain

    @property
    def unacknowledged(self) -> int:
        return sum(map(len, self._open))

    def send(self, message: Wild) -> None:
        place = message.publisher
        packet_id = 0
        if message.qos:
            packet_id = self._last_id[place] = self._last_id[place] % _IDS + 1
            self._open[place].add(packet_id)
            assert len(self._open[place]) < _MOST_UNACKNOWLEDGED
        else:
            self.sent_plain += 1
        self._newest[place] = message
        waiting = self._unsent.setdefault(place, bytearray())
        waiting += publish_packet(message, packet_id)
        self._push(place)

    def turn(self) -> None:
        """Send what sockets did not take before, and take in what has come."""
        for place in list(self._unsent):
            self._push(place)
        for descriptor, _ in self._poll.poll(0):
            place = self._place[descriptor]
            received = self._streams[place].recv(_RECEIVE)
            if not received:
                raise BrokerHungUpError(
                    f"{self._names[place]}, after {self._newest[place]}"
                )
            self._take(place, received)

    def _take(self, place: int, received: bytes) -> None:
        text = self._unread[place] + received
        whole = len(text) // _PUBACK_BYTES * _PUBACK_BYTES
        for start in range(0, whole, _PUBACK_BYTES):
            assert text[start : start + 2] == _PUBACK, text[start:].hex()
            self._open[place].remove(int.from_bytes(text[start + 2 : start + 4]))
            self.acknowledged += 1
        self._unread[place] = text[whole:]

    def _push(self, place: int) -> None:
        waiting = self._unsent[place]
        try:
            done = self._streams[place].send(waiting)
        except BlockingIOError:
            return
        except ConnectionError as error:
            raise BrokerHungUpError(
                f"{self._names[place]}, after {self._newest[place]}"
            ) from error
        del waiting[:done]
        if not waiting:
            del self._unsent[place]


def publish_packet(message: Wild, packet_id: int) -> bytes:
    topic = message.topic.encode()
    head = len(topic).to_bytes(2) + topic
    if message.qos:
        head += packet_id.to_bytes(2)
    length, octets = len(head) + len(message.payload), bytearray()
    while True:
        length, digit = length >> 7, length & 127
        octets.append(digit | 128 if length else digit)
        if not length:
            break
    first = 0x30 | message.qos << 1 | message.retain
    return bytes([first]) + octets + head + message.payload
