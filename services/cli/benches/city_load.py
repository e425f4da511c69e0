"""The load generator of the city of 2050: a process of its own that plays the plan on the wall clock."""

import multiprocessing
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.cli.benches.city_2050 import VARIANTS, Sent
from services.cli.benches.city_packets import Round, rounds
from services.cli.benches.city_plan import (
    HOUSEHOLDS_OF_A_GATEWAY,
    CityPlan,
    Kind,
    due,
    gateway,
    hosted_prefix,
    member,
)
from services.cli.benches.load_packets import Templates
from services.cli.benches.load_publisher import Publishers

_EPOCH: Final = 1
_TICK_SECONDS: Final = 0.01
_TICKS_A_READ: Final = 10
_BAY: Final = "feeder_bay"

Places = NDArray[np.int64]


@dataclass(frozen=True)
class CityLoad:
    """trip_every_s: how often a bay's protection trips, and with it an alert."""

    plan: CityPlan
    sent: Sent
    port: int
    secrets: Mapping[str, str]
    trip_every_s: float = 0.5


@dataclass(frozen=True)
class CityProgress:
    """Shared with the generator's process. late_s: how far it is behind its own plan, at the worst.

    trips: (device, Unix time of sending) of each tripped bay. receipted: messages that receipts cover.
    """

    playing: "Synchronized[bool]"
    connected: "Synchronized[int]"
    items: "Synchronized[int]"
    readings: "Synchronized[int]"
    messages: "Synchronized[int]"
    receipted: "Synchronized[int]"
    faults: "Synchronized[int]"
    late_s: "Synchronized[float]"
    trips: "SimpleQueue[tuple[str, float]]"
    pid: int = 0


@contextmanager
def running_city_load(load: CityLoad) -> Iterator[CityProgress]:
    """Connects, then plays while `playing` is set."""
    context = multiprocessing.get_context("spawn")
    names = ("connected", "items", "readings", "messages", "receipted", "faults")
    shared: dict[str, Any] = {name: context.Value("q", 0) for name in names}
    shared |= {"playing": context.Value("b", 0), "late_s": context.Value("d", 0.0)}
    progress = CityProgress(**shared, trips=context.SimpleQueue())
    generator = context.Process(target=_generate, args=(load, progress), daemon=True)
    generator.start()
    try:
        yield replace(progress, pid=generator.pid or 0)
    finally:
        generator.terminate()
        generator.join()


def _generate(load: CityLoad, progress: CityProgress) -> None:
    player = _Player(load, progress)
    while not progress.playing.value:
        time.sleep(_TICK_SECONDS)
        player.read()
    player.play()


class _Direct:
    """One kind that publishes itself; its messages go out one sender after the other, evenly."""

    def __init__(self, kind: Kind, sent: Sent, first_place: int) -> None:
        names = [member(kind, number) for number in range(kind.count)]
        self.kind = kind
        self.first_place = first_place
        self.done = 0
        self._templates = [
            Templates(names, values, _EPOCH) for values in sent.values[kind.key]
        ]

    def turns(self, elapsed_s: float) -> Iterator[tuple[int, Places]]:
        """(round, senders) of what is due: a sender at most once a round."""
        wanted = due(self.kind.period_s, self.kind.count, elapsed_s)
        while self.done < wanted:
            turn, first = divmod(self.done, self.kind.count)
            last = min(self.kind.count, first + wanted - self.done)
            self.done += last - first
            yield turn, np.arange(first, last)

    def packets(
        self, turn: int, senders: Places, numbers: Places, times_ms: Places
    ) -> NDArray[np.uint8]:
        return self._templates[turn % VARIANTS].packets(senders, numbers, times_ms)


class _Hosted:
    """One kind behind gateways: a gateway's round is some messages, and rounds are spread over the period."""

    def __init__(self, kind: Kind, sent: Sent, gateways: int) -> None:
        self.kind = kind
        self.done = 0
        self._gateways = gateways
        self._rounds: list[list[Round]] = [
            rounds(hosted_prefix(kind), HOUSEHOLDS_OF_A_GATEWAY, values, _EPOCH)
            for values in sent.values[kind.key]
        ]

    def turns(self, elapsed_s: float) -> Iterator[tuple[int, Round]]:
        """(gateway, round) of each message that is due."""
        parts = len(self._rounds[0])
        senders = self._gateways * parts
        wanted = due(self.kind.period_s, senders, elapsed_s)
        while self.done < wanted:
            turn, place = divmod(self.done, senders)
            part, number = divmod(place, self._gateways)
            self.done += 1
            yield number, self._rounds[turn % VARIANTS][part]


class _Player:
    def __init__(self, load: CityLoad, progress: CityProgress) -> None:
        plan = load.plan
        names = [gateway(number) for number in range(plan.gateways)]
        self._direct = []
        for kind in plan.direct:
            self._direct.append(_Direct(kind, load.sent, len(names)))
            names += [member(kind, number) for number in range(kind.count)]
        self._hosted = [_Hosted(kind, load.sent, plan.gateways) for kind in plan.hosted]
        secrets = {name: load.secrets[name] for name in names}
        self._publishers = Publishers(load.port, secrets, _EPOCH)
        self._progress = progress
        self._trip_every_s = load.trip_every_s
        self._bays = next(each for each in self._direct if each.kind.key == _BAY)
        bays = [member(self._bays.kind, n) for n in range(self._bays.kind.count)]
        self._tripped = Templates(bays, load.sent.tripped, _EPOCH)
        self._trips = 0
        progress.connected.value = len(self._publishers)

    def play(self) -> None:
        began, ticks = time.monotonic(), 0
        while self._progress.playing.value:
            elapsed = time.monotonic() - began
            self._play_to(elapsed)
            ticks += 1
            if ticks % _TICKS_A_READ == 0:
                self.read()
            behind = time.monotonic() - began - elapsed
            self._progress.late_s.value = max(self._progress.late_s.value, behind)
            time.sleep(max(0.0, _TICK_SECONDS - behind))
        while True:
            self.read()
            time.sleep(_TICK_SECONDS)

    def read(self) -> None:
        self._publishers.read()
        self._publishers.free(np.empty(0, np.int64))
        ledger = self._publishers.ledger
        self._progress.receipted.value = ledger.receipted
        self._progress.faults.value = ledger.faults

    def _play_to(self, elapsed: float) -> None:
        for direct in self._direct:
            for turn, senders in direct.turns(elapsed):
                self._send_direct(direct, turn, senders)
        for hosted in self._hosted:
            for number, batch in hosted.turns(elapsed):
                self._send_round(hosted.kind, number, batch)
        while self._trips < elapsed / self._trip_every_s:
            self._trip()

    def _send_direct(self, direct: _Direct, turn: int, senders: Places) -> None:
        places = senders + direct.first_place
        self._wait_for(places)
        numbers, times_ms = self._publishers.number(places, 1)
        self._publishers.send(places, direct.packets(turn, senders, numbers, times_ms))
        self._count(len(senders), len(senders), direct.kind)

    def _send_round(self, kind: Kind, number: int, batch: Round) -> None:
        places = np.array([number])
        self._wait_for(places)
        numbers, times_ms = self._publishers.number(places, 1)
        packet = batch.packet(number, int(numbers[0, 0]), int(times_ms[0, 0]))
        self._publishers.send(places, packet[np.newaxis])
        self._count(1, batch.items, kind)

    def _trip(self) -> None:
        """The next bay sends once that its protection has tripped; its next message says that all is well."""
        senders = np.array([self._trips % self._bays.kind.count])
        self._trips += 1
        places = senders + self._bays.first_place
        self._wait_for(places)
        numbers, times_ms = self._publishers.number(places, 1)
        packets = self._tripped.packets(senders, numbers, times_ms)
        at = time.time_ns() / 1e9
        self._publishers.send(places, packets)
        self._progress.trips.put((member(self._bays.kind, int(senders[0])), at))
        self._count(1, 1, self._bays.kind)

    def _wait_for(self, places: Places) -> None:
        """A socket that has not taken all of its last message makes the whole city late: that is told."""
        while len(self._publishers.free(places)) < len(places):
            time.sleep(_TICK_SECONDS / 10)
            self._publishers.read()

    def _count(self, messages: int, items: int, kind: Kind) -> None:
        self._progress.messages.value += messages
        self._progress.items.value += items
        self._progress.readings.value += items * kind.values
