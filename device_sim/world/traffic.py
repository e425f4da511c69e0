"""PURE: vehicles an hour on every lane and approach, queues where demand exceeds what can pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.road import Lane, occupancy, speed
from device_sim.signals import (
    Drift,
    Floats,
    Profile,
    approach,
    generator_for,
    sum_by,
)
from device_sim.world.table import Reader, Table

_SETTLING: Final = 12.0  # seconds in which density at a detector follows the queue
_STORAGE: Final = 18.0  # vehicles a lane; a longer queue turns drivers away
_BLOCKED: Final = 0.85  # of the capacity, while a jam lasts
_DIVERTED: Final = 0.6  # of the capacity, that a jam brings in addition
_NIGHT_ENDS: Final = 6.0
_NIGHT_STARTS: Final = 23.0
_PEAK_SHARE: Final = 0.75
_NIGHT, _DAY, _PEAK = 2.0, 3.0, 4.0


class Direction(StrEnum):
    """Where a lane leads, as to Almaty in the south: it decides which peak it has."""

    TOWARDS = "towards"
    AWAY = "away"
    ACROSS = "across"


_MORNING: Final = Profile(
    (0.06, 0.04, 0.03, 0.03, 0.06, 0.18, 0.48, 0.90, 1.0, 0.80, 0.62, 0.56,
     0.56, 0.55, 0.55, 0.56, 0.60, 0.66, 0.68, 0.52, 0.38, 0.28, 0.18, 0.10)
)  # fmt: skip
_EVENING: Final = Profile(
    (0.08, 0.05, 0.03, 0.03, 0.04, 0.10, 0.28, 0.52, 0.62, 0.56, 0.52, 0.54,
     0.57, 0.56, 0.57, 0.64, 0.78, 0.95, 1.0, 0.85, 0.62, 0.42, 0.26, 0.14)
)  # fmt: skip
_BOTH: Final = Profile(
    (0.07, 0.04, 0.03, 0.03, 0.05, 0.13, 0.36, 0.74, 0.84, 0.68, 0.57, 0.55,
     0.57, 0.56, 0.56, 0.60, 0.70, 0.84, 0.86, 0.68, 0.48, 0.34, 0.22, 0.12)
)  # fmt: skip
_LEISURE: Final = Profile(
    (0.13, 0.09, 0.06, 0.04, 0.04, 0.06, 0.11, 0.18, 0.28, 0.40, 0.50, 0.56,
     0.60, 0.60, 0.59, 0.58, 0.58, 0.59, 0.60, 0.54, 0.45, 0.36, 0.27, 0.19)
)  # fmt: skip
_WEEKDAY: Final[Mapping[Direction, Profile]] = {
    Direction.TOWARDS: _MORNING,
    Direction.AWAY: _EVENING,
    Direction.ACROSS: _BOTH,
}


@dataclass(frozen=True, slots=True)
class Stream:
    """Lanes that are counted together. name: what their channels end with.

    free_speed in km/h, capacity in vehicles/h a lane, peak: the busiest hour's flow over the capacity.
    """

    name: str
    direction: Direction
    lanes: int
    free_speed: float
    capacity: float
    peak: float


@dataclass(frozen=True, slots=True)
class Road:
    """An intersection, overpass or counting place; a jam is of all its streams."""

    thing: str
    streams: tuple[Stream, ...]


class Traffic:
    """Table `streams`: flow (vehicles/h a lane), count (vehicles/h on all), speed (km/h), occupancy (%), queue."""

    def __init__(self, roads: Sequence[Road], seed: int) -> None:
        streams = [(road, stream) for road in roads for stream in road.streams]
        self.roads = tuple(roads)
        self.streams = Table([f"{road.thing}/{each.name}" for road, each in streams])
        self.signals = Table([road.thing for road in roads])
        self._road_of = np.array(
            [self.roads.index(road) for road, _ in streams], dtype=np.intp
        )
        each = [stream for _, stream in streams]
        self._lanes = np.array([float(stream.lanes) for stream in each])
        self._lane = Lane(
            np.array([stream.free_speed for stream in each]),
            np.array([stream.capacity for stream in each]),
        )
        self._peaks = np.array([stream.peak * stream.capacity for stream in each])
        self._directions = [stream.direction for stream in each]
        chance = generator_for(seed, "traffic")
        self._drift = Drift(chance, len(streams), deviation=0.06, memory=900.0)
        self._queue = np.zeros(len(streams))
        self._density: Floats | None = None

    def advance(self, moment: Moment, seconds: float, jams: Floats) -> None:
        """jams: of each road, 0 none to 1 full."""
        jam = jams[self._road_of]
        usual = self._lane.capacity
        demand = self._demand(moment, seconds) + jam * _DIVERTED * usual
        capacity = usual * (1.0 - _BLOCKED * jam)
        waiting = self._queue + demand * seconds / 3600.0
        passed = np.minimum(waiting, capacity * seconds / 3600.0)
        self._queue = np.minimum(waiting - passed, _STORAGE)
        self._show(passed * 3600.0 / seconds, seconds)
        self.signals.write(signal=np.full(len(self.roads), _programme(moment)))

    def _demand(self, moment: Moment, seconds: float) -> Floats:
        share = {
            direction: (_LEISURE if moment.weekend else profile).at(moment.hour)
            for direction, profile in _WEEKDAY.items()
        }
        shares = np.array([share[direction] for direction in self._directions])
        demand: Floats = self._peaks * shares * (1.0 + self._drift.advance(seconds))
        return demand

    def _show(self, passing: Floats, seconds: float) -> None:
        queued = self._queue > 0
        target = np.where(
            queued, self._lane.queued_density(passing), self._lane.free_density(passing)
        )
        start = target if self._density is None else self._density
        self._density = approach(start, target, seconds, _SETTLING)
        flow = np.minimum(passing, self._lane.flow(self._density))
        self.streams.write(
            flow=flow,
            count=flow * self._lanes,
            speed=speed(flow, self._density, self._lane.free_speed),
            occupancy=occupancy(self._density),
            queue=self._queue,
        )

    @property
    def emission(self) -> Floats:
        """Of each road: vehicles/h, each counted the more the slower it goes."""
        streams = self.streams
        crawling = 1.0 + 40.0 / np.maximum(streams["speed"], 8.0)
        standing = 90.0 * streams["queue"]
        emitted = (streams["flow"] * crawling + standing) * self._lanes
        return sum_by(self._road_of, emitted, len(self.roads))

    def readers(self) -> Mapping[tuple[str, str], Reader]:
        """By road and channel: the stream's name ends the channel's."""
        found = dict(self.signals.readers())
        for (stream, quantity), reader in self.streams.readers().items():
            thing, _, name = stream.rpartition("/")
            found[thing, f"{quantity}_{name}" if name else quantity] = reader
        return found


def _programme(moment: Moment) -> float:
    if not _NIGHT_ENDS <= moment.hour < _NIGHT_STARTS:
        return _NIGHT
    busy = not moment.weekend and _BOTH.at(moment.hour) >= _PEAK_SHARE
    return _PEAK if busy else _DAY
