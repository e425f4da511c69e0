"""PURE: devices that measure: when each reports, and the item it then sends."""

import datetime as dt
import heapq
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from device_sim.instruments import Probe
from services.core.broker.messages import Item

_JITTER: Final = 0.03  # of the period, to each side
_ROUND: Final = dt.timedelta(minutes=1)
_DOUBT_CHANCE: Final = 0.0005  # of an item to doubt one of its values


class FieldDevice:
    """A device with its own chance. publisher: itself, or the gateway that speaks for it."""

    def __init__(
        self,
        key: str,
        publisher: str,
        probes: Sequence[Probe],
        chance: np.random.Generator,
    ) -> None:
        self.key = key
        self.publisher = publisher
        self._probes = tuple(probes)
        self._chance = chance

    def sample(self, time_ms: int) -> Item:
        chance = self._chance
        item = Item(
            time=time_ms,
            values={probe.name: probe.sample(chance) for probe in self._probes},
            device=None if self.key == self.publisher else self.key,
        )
        if chance.random() < _DOUBT_CHANCE:
            probe = self._probes[int(chance.integers(len(self._probes)))]
            if probe.may_doubt:
                item.quality = {probe.name: probe.doubt(chance)}
        return item

    def jitter(self) -> float:
        return float(self._chance.uniform(-_JITTER, _JITTER))


class Rounds:
    """Who reports when: each every period, a little early or late but never drifting away.

    What a gateway asks for once a minute or more rarely it asks for in rounds: those are due together.
    rate_factor: how many times as often as the types say.
    """

    def __init__(
        self,
        devices: Iterable[tuple[FieldDevice, dt.timedelta]],
        start_ms: int,
        rate_factor: float = 1.0,
    ) -> None:
        rounds: dict[tuple[str, int], list[FieldDevice]] = {}
        for device, period in devices:
            period_ms = max(1, round(period.total_seconds() * 1000 / rate_factor))
            asker = device.publisher if period >= _ROUND else device.key
            rounds.setdefault((asker, period_ms), []).append(device)
        self._rounds = [
            (period_ms, members) for (_, period_ms), members in rounds.items()
        ]
        self._bases = [
            start_ms
            + round(members[0].jitter() / _JITTER * period_ms / 2 + period_ms / 2)
            for period_ms, members in self._rounds
        ]
        self._due = [(base, place) for place, base in enumerate(self._bases)]
        heapq.heapify(self._due)

    def take_due(self, now_ms: int) -> list[list[FieldDevice]]:
        """The rounds that are due; one that was missed for long is done once, not made up for."""
        taken = []
        while self._due and self._due[0][0] <= now_ms:
            _, place = heapq.heappop(self._due)
            period_ms, members = self._rounds[place]
            missed = max(0, now_ms - self._bases[place]) // period_ms
            self._bases[place] += period_ms * (missed + 1)
            jitter = round(members[0].jitter() * period_ms)
            heapq.heappush(self._due, (self._bases[place] + jitter, place))
            taken.append(members)
        return taken
