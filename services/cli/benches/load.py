"""A load generator at the speed of C: packets are made by NumPy and go out over raw sockets, many at a time."""

import itertools
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CHUNK: Final = 128  # packets made at once for one connection
_PAUSE_SECONDS: Final = 0.005
_TURNS_A_DRAIN: Final = 10
_RECEIVE: Final = 65_536
_EPOCH: Final = 1
_TIME_DIGITS: Final = 13
_SEQ_DIGITS: Final = 9
_PUBLISH_QOS_1: Final = 0x32
_SEVEN_BITS: Final = 0x7F


@dataclass(frozen=True)
class LoadPlan:
    """Who publishes what. Messages of a connection are numbered from 1; each is a millisecond after the one before."""

    port: int
    secrets: dict[str, str]
    channels: tuple[str, ...]
    first_time_ms: int


@dataclass(frozen=True)
class Progress:
    """Shared with the generator's process, which never sends more than is allowed."""

    allowed: "Synchronized[int]"
    sent: "Synchronized[int]"
    cpu_seconds: "Synchronized[float]"


@contextmanager
def running_load(plan: LoadPlan) -> Iterator[Progress]:
    context = multiprocessing.get_context("spawn")
    progress = Progress(
        context.Value("q", 0), context.Value("q", 0), context.Value("d", 0.0)
    )
    generator = context.Process(target=_generate, args=(plan, progress), daemon=True)
    generator.start()
    try:
        yield progress
    finally:
        generator.terminate()
        generator.join()


def _generate(plan: LoadPlan, progress: Progress) -> None:
    connections = [
        _Connection(plan, name, secret) for name, secret in plan.secrets.items()
    ]
    sent = turns = 0
    in_turn = itertools.cycle(connections)
    while True:
        room = progress.allowed.value - sent
        for connection in itertools.islice(in_turn, max(0, room) // _CHUNK):
            if connection.send(_CHUNK):
                sent += _CHUNK
        turns += 1
        if turns % _TURNS_A_DRAIN == 0:
            for connection in connections:
                connection.drain()
        progress.sent.value = sent
        progress.cpu_seconds.value = time.process_time()
        time.sleep(_PAUSE_SECONDS)


class _Connection:
    def __init__(self, plan: LoadPlan, name: str, secret: str) -> None:
        self.stream = socket.create_connection(("127.0.0.1", plan.port))
        self.stream.sendall(_connect_packet(name, secret))
        if self.stream.recv(4)[3] != 0:
            raise ConnectionRefusedError(name)
        self.stream.sendall(_subscribe_packet(name))
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream.setblocking(False)  # socket's own shape
        self._template = _Template(name, plan.channels)
        self._time_ms = plan.first_time_ms
        self._next = 1
        self._rest = b""

    def send(self, count: int) -> bool:
        """Send so many messages; False: the socket is still full of those before."""
        if self._rest and not self._flush():
            return False
        numbers = np.arange(self._next, self._next + count, dtype=np.int64)
        self._rest = self._template.packets(numbers, self._time_ms + numbers)
        self._next += count
        self._flush()
        return True

    def drain(self) -> None:
        """What the broker says is not looked at: what is stored is counted elsewhere."""
        try:
            while len(self.stream.recv(_RECEIVE)) == _RECEIVE:
                pass
        except BlockingIOError:
            pass

    def _flush(self) -> bool:
        try:
            done = self.stream.send(self._rest)
        except BlockingIOError:
            done = 0
        self._rest = self._rest[done:]
        return not self._rest


class _Template:
    """One PUBLISH packet of a publisher, with places for what differs: packet id, number, time."""

    def __init__(self, name: str, channels: tuple[str, ...]) -> None:
        values = ",".join(
            f'"{channel}":{20 + place}.5' for place, channel in enumerate(channels)
        )
        start = f'{{"seq":{"1" * _SEQ_DIGITS},"epoch":{_EPOCH},"time":'
        payload = f'{start}{"0" * _TIME_DIGITS},"values":{{{values}}}}}'.encode()
        topic = f"city/v1/{name}/data".encode()
        length = 2 + len(topic) + 2 + len(payload)
        head = bytes([_PUBLISH_QOS_1]) + _remaining_length(length)
        head += len(topic).to_bytes(2, "big") + topic
        self._packet = np.frombuffer(head + bytes(2) + payload, np.uint8)
        self._packet_id = len(head)
        self._seq = self._packet_id + 2 + len('{"seq":')
        self._time = self._packet_id + 2 + len(start)

    def packets(self, numbers: NDArray[np.int64], times_ms: NDArray[np.int64]) -> bytes:
        packets = np.tile(self._packet, (len(numbers), 1))
        ids = (numbers - 1) % 65_535 + 1
        packets[:, self._packet_id] = ids >> 8
        packets[:, self._packet_id + 1] = ids & 255
        _write_digits(
            packets, self._seq, _SEQ_DIGITS, numbers + 10 ** (_SEQ_DIGITS - 1)
        )
        _write_digits(packets, self._time, _TIME_DIGITS, times_ms)
        return packets.tobytes()


def _write_digits(
    packets: NDArray[np.uint8], start: int, digits: int, numbers: NDArray[np.int64]
) -> None:
    for place in range(digits):
        packets[:, start + digits - 1 - place] = numbers % 10 + ord("0")
        numbers = numbers // 10


def _connect_packet(name: str, secret: str) -> bytes:
    fields = b"".join(
        len(field).to_bytes(2, "big") + field
        for field in (name.encode(), name.encode(), secret.encode())
    )
    keepalive = (600).to_bytes(2, "big")
    body = b"\x00\x04MQTT\x04\xc2" + keepalive + fields
    return b"\x10" + _remaining_length(len(body)) + body


def _subscribe_packet(name: str) -> bytes:
    """Receipts are delivered as they are to real devices."""
    topic = f"city/v1/{name}/receipt".encode()
    body = b"\x00\x01" + len(topic).to_bytes(2, "big") + topic + b"\x00"
    return b"\x82" + _remaining_length(len(body)) + body


def _remaining_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = length >> 7, length & _SEVEN_BITS
        encoded.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(encoded)
