"""Many publishers on raw sockets: what each has sent, and what its receipts say of it."""

import contextlib
import re
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.cli.benches.load_packets import (
    SEQ_BEFORE,
    birth_packet,
    connect_packet,
    subscribe_packet,
)

_RECEIVE: Final = 65_536
_CONNACK: Final = 4
_RECEIPT: Final = re.compile(rb'\{"epoch":(\d+),"stored_through":(\d+)([^{}]*)\}')
_BEGIN: Final = b'{"'
_REFUSAL: Final = b'"rejected"'


class ReceiptLedger:
    """What receipts say, against what was sent.

    receipted: messages covered by receipts; receipts: how many came; faults: what a receipt must not say.
    """

    def __init__(self, publishers: int, epoch: int) -> None:
        self._epoch = epoch
        self._unread = [b""] * publishers
        self._sent = [0] * publishers
        self._covered = [0] * publishers
        self._under_way: list[deque[tuple[int, float]]] = [
            deque() for _ in range(publishers)
        ]
        self._latencies = array("d")
        self.receipted = self.receipts = self.faults = 0

    def sent(self, places: list[int], through: list[int], now: float) -> None:
        """Publishers have sent their messages through these, a moment ago."""
        for place, number in zip(places, through, strict=True):
            self._sent[place] = number
            self._under_way[place].append((number, now))

    def take(self, place: int, received: bytes, now: float) -> None:
        """PUBACKs are not looked at. Of a receipt whose end has not come yet, the beginning is kept."""
        unread = self._unread[place]
        if not unread and _BEGIN not in received:
            return
        text = unread + received
        end = 0
        for receipt in _RECEIPT.finditer(text):
            end = receipt.end()
            self._check(place, int(receipt[1]), int(receipt[2]) - SEQ_BEFORE, now)
        self.faults += _REFUSAL in text[end:]
        begin = text.find(_BEGIN, end)
        self._unread[place] = text[begin:] if begin >= 0 else b""

    def take_latencies(self) -> NDArray[np.float64]:
        """Seconds from sending to receipt, of all since it was asked last."""
        taken, self._latencies = np.array(self._latencies), array("d")
        return taken

    def _check(self, place: int, epoch: int, through: int, now: float) -> None:
        """A receipt may neither take back anything nor cover what was not sent."""
        self.receipts += 1
        covered = self._covered[place]
        if epoch != self._epoch or not covered <= through <= self._sent[place]:
            self.faults += 1
            return
        self._covered[place] = through
        self.receipted += through - covered
        under_way = self._under_way[place]
        while under_way and under_way[0][0] <= through:
            self._latencies.append(now - under_way.popleft()[1])


class Publishers:
    """Connected, subscribed to their receipts, and announced."""

    def __init__(
        self, port: int, secrets: Mapping[str, str], epoch: int, saved_up: int = 0
    ) -> None:
        self._saved_up = saved_up
        self._streams = [_connect(port, name, secrets[name]) for name in secrets]
        for name, stream in zip(secrets, self._streams, strict=True):
            stream.sendall(birth_packet(name, epoch))
            stream.setblocking(False)  # socket's own shape
        self._poll = select.epoll()
        self._place = {}
        for place, stream in enumerate(self._streams):
            self._poll.register(stream, select.EPOLLIN)
            self._place[stream.fileno()] = place
        count = len(self._streams)
        self._unsent: dict[int, bytes] = {}
        self._sent = np.zeros(count, np.int64)
        self._newest_ms = np.zeros(count, np.int64)
        self.ledger = ReceiptLedger(count, epoch)

    def __len__(self) -> int:
        return len(self._streams)

    def free(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of them whose sockets have taken everything so far."""
        for place in list(self._unsent):
            self._push(place, self._unsent.pop(place))
        if not self._unsent:
            return places
        return places[~np.isin(places, list(self._unsent))]

    def number(
        self, places: NDArray[np.int64], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """[publisher, message] numbers and times of the next messages: about now, and every one a millisecond later."""
        steps = np.arange(count)
        now_ms = time.time_ns() // 1_000_000
        earliest_ms = now_ms - max(count, self._saved_up)
        first_ms = np.maximum(self._newest_ms[places] + 1, earliest_ms)
        numbers = self._sent[places][:, np.newaxis] + 1 + steps
        self._sent[places] += count
        self._newest_ms[places] = first_ms + count - 1
        return numbers, first_ms[:, np.newaxis] + steps

    def send(self, places: NDArray[np.int64], packets: NDArray[np.uint8]) -> None:
        """The packets of the messages that number() gave out last."""
        whose = places.tolist()
        self.ledger.sent(whose, self._sent[places].tolist(), time.monotonic())
        for place, octets in zip(whose, packets, strict=True):
            self._push(place, octets.tobytes())

    def read(self) -> None:
        """Take in what has come: nothing of a socket that has less than is worth a look."""
        found = self._poll.poll(0)
        now = time.monotonic()
        for number, _ in found:
            self._read(self._place[number], now)

    def read_all(self) -> None:
        """Take in what has come, however little."""
        now = time.monotonic()
        for place in range(len(self)):
            with contextlib.suppress(BlockingIOError):
                self._read(place, now)

    def look_from(self, least: int) -> None:
        """least: bytes that make a socket worth a look."""
        for stream in self._streams:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)

    def _read(self, place: int, now: float) -> None:
        received = self._streams[place].recv(_RECEIVE)
        if not received:
            raise ConnectionResetError
        self.ledger.take(place, received, now)

    def _push(self, place: int, octets: bytes) -> None:
        try:
            done = self._streams[place].send(octets)
        except BlockingIOError:
            done = 0
        if done < len(octets):
            self._unsent[place] = octets[done:]


def _connect(port: int, name: str, secret: str) -> socket.socket:
    stream = log_in(port, name, secret)
    stream.sendall(subscribe_packet(name))
    return stream


def log_in(port: int, name: str, secret: str) -> socket.socket:
    """A publisher's accepted connection, blocking still.

    Raises:
        ConnectionRefusedError: the broker does not let it in.
    """
    stream = socket.create_connection(("127.0.0.1", port))
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.sendall(connect_packet(name, secret))
    if stream.recv(_CONNACK)[-1] != 0:
        raise ConnectionRefusedError(name)
    return stream
