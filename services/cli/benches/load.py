"""A load generator at the speed of C: NumPy makes the packets of many publishers at once, raw sockets carry them.

It runs in a process of its own. Every publisher numbers its messages, gets its receipts and checks them.
"""

import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.cli.benches.load_packets import Templates
from services.cli.benches.load_publisher import Publishers

_TURN_SECONDS: Final = 0.004
# At full speed latency is not asked. A socket is worth a look when it has more than PUBACKs of what was sent together.
_LONG_TURN_SECONDS: Final = 0.01
_WORTH_A_LOOK: Final = 100  # bytes
_LOOK_AT_ALL_SECONDS: Final = 0.5
_AT_ONCE: Final = 500  # messages whose packets are made at once
TOGETHER: Final = 20  # as a gateway does


@dataclass(frozen=True)
class LoadPlan:
    """Who publishes what. Messages of a publisher are numbered from 1 in an epoch of its own.

    values: what each channel says, always. unreceipted: that many messages may be without a receipt; 0: no receipts
    are waited for. saved_up: of what each of them sends, so many messages are from the past, a millisecond apart.
    """

    port: int
    secrets: dict[str, str]
    values: dict[str, float]
    epoch: int
    unreceipted: int = 0
    saved_up: int = 0


@dataclass(frozen=True)
class Latencies:
    """Seconds from sending a message to the receipt that covers it."""

    count: int
    p50: float
    p99: float
    worst: float


@dataclass(frozen=True)
class Progress:
    """Shared with the generator's process, which never sends more than is allowed.

    rate: messages a second, evenly; 0: as fast as is allowed. together: messages that a publisher sends at once.
    faults: receipts that were wrong.
    """

    pid: int
    publishers: int
    allowed: "Synchronized[int]"
    rate: "Synchronized[float]"
    together: "Synchronized[int]"
    sent: "Synchronized[int]"
    receipted: "Synchronized[int]"
    receipts: "Synchronized[int]"
    faults: "Synchronized[int]"
    _questions: multiprocessing.connection.Connection

    def take_latencies(self) -> Latencies:
        """Of all receipts since it was asked last."""
        self._questions.send(None)
        seconds: NDArray[np.float64] = self._questions.recv()
        if not len(seconds):
            return Latencies(0, 0.0, 0.0, 0.0)
        p50, p99 = np.percentile(seconds, (50, 99)).tolist()
        return Latencies(len(seconds), p50, p99, float(seconds.max()))


@contextmanager
def running_load(plan: LoadPlan) -> Iterator[Progress]:
    """All publishers are connected, have subscribed to their receipts and announced their epoch."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    shared = _Shared(
        *(context.Value(kind, 0) for kind in ("q", "d", "q", "q", "q", "q", "q"))
    )
    shared.together.value = TOGETHER
    generator = context.Process(
        target=_generate, args=(plan, shared, theirs), daemon=True
    )
    generator.start()
    try:
        ours.recv()
        yield Progress(
            generator.pid or 0,
            len(plan.secrets),
            shared.allowed,
            shared.rate,
            shared.together,
            shared.sent,
            shared.receipted,
            shared.receipts,
            shared.faults,
            ours,
        )
    finally:
        generator.terminate()
        generator.join()


@dataclass(frozen=True)
class _Shared:
    allowed: "Synchronized[int]"
    rate: "Synchronized[float]"
    together: "Synchronized[int]"
    sent: "Synchronized[int]"
    receipted: "Synchronized[int]"
    receipts: "Synchronized[int]"
    faults: "Synchronized[int]"


def _generate(
    plan: LoadPlan, shared: _Shared, questions: multiprocessing.connection.Connection
) -> None:
    publishers = Publishers(plan.port, plan.secrets, plan.epoch, plan.saved_up)
    questions.send("ready")
    generator = _Generator(plan, shared, publishers)
    while True:
        generator.turn()
        if questions.poll():
            questions.recv()
            questions.send(publishers.ledger.take_latencies())


class _Generator:
    def __init__(self, plan: LoadPlan, shared: _Shared, publishers: Publishers) -> None:
        self._templates = Templates(list(plan.secrets), plan.values, plan.epoch)
        self._unreceipted = plan.unreceipted
        self._shared = shared
        self._publishers = publishers
        self._next = 0
        self._sent = 0
        self._pace = _Pace()
        self._hurried = False
        self._looked_at = 0.0

    def turn(self) -> None:
        """Send what may be sent, take in what has come, and rest a little: many messages a system call."""
        now, rate = time.monotonic(), self._shared.rate.value
        chunk = self._shared.together.value
        most = min(_AT_ONCE // chunk, len(self._publishers))
        for _ in range(-(-len(self._publishers) // most)):
            group = min(most, self._room(rate, now) // chunk)
            if not group or (group < most and not rate):
                break
            self._send(group, chunk)
        self._read(now, hurried=not rate)
        self._report()
        seconds = _TURN_SECONDS if rate else _LONG_TURN_SECONDS
        time.sleep(max(0.0, now + seconds - time.monotonic()))

    def _read(self, now: float, *, hurried: bool) -> None:
        if hurried != self._hurried:
            self._hurried = hurried
            self._publishers.look_from(_WORTH_A_LOOK if hurried else 1)
        if hurried and now - self._looked_at >= _LOOK_AT_ALL_SECONDS:
            self._looked_at = now
            self._publishers.read_all()
        else:
            self._publishers.read()

    def _room(self, rate: float, now: float) -> int:
        room = self._shared.allowed.value - self._sent
        if self._unreceipted:
            in_flight = self._sent - self._publishers.ledger.receipted
            room = min(room, self._unreceipted - in_flight)
        due = self._pace.due(rate, now, self._sent)
        return min(room, due) if rate else room

    def _send(self, group: int, chunk: int) -> None:
        count = len(self._publishers)
        places = np.arange(self._next, self._next + group) % count
        self._next = (self._next + group) % count
        free = self._publishers.free(places)
        if len(free):
            numbers, times = self._publishers.number(free, chunk)
            packets = self._templates.packets(free, numbers, times)
            self._publishers.send(free, packets)
            self._sent += len(free) * chunk

    def _report(self) -> None:
        shared, ledger = self._shared, self._publishers.ledger
        shared.sent.value = self._sent
        shared.receipted.value = ledger.receipted
        shared.receipts.value = ledger.receipts
        shared.faults.value = ledger.faults


class _Pace:
    """How many messages a steady rate makes due; what could not be sent in time is not made up for."""

    def __init__(self) -> None:
        self._rate = self._since = 0.0
        self._before = 0

    def due(self, rate: float, now: float, sent: int) -> int:
        if rate != self._rate:
            self._rate, self._since, self._before = rate, now, sent
        return int((now - self._since) * rate) - (sent - self._before)
