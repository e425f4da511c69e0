"""PURE: wells and pumps: which run, what each lifts, what power that takes.

Flows in m3/h, pressures in bar, power in kW, energy in kWh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.signals import Floats, Places, approach, generator_for, sum_by
from device_sim.world.table import Table, places_of

STOPPED, RUNNING = 0.0, 2.0
_ADD_AT, _DROP_AT = 0.92, 0.80  # of the running pumps' rating, and of that of one fewer
_FIRST_WELL, _LAST_WELL = 0.84, 0.62  # fills at which the first and the last well start
_WELL_BAND: Final = 0.05  # how much fuller its basin is when a well stops
_REST_LEVEL: Final = 42.0  # metres down to water
_DRAWDOWN: Final = 9.0  # metres, at rated flow
_DRAWDOWN_SECONDS: Final = 600.0
_WELLHEAD: Final = 3.2
_EFFICIENCY: Final = 0.72
_BAR_TO_KW: Final = 1.0 / 36.0  # of 1 m3/h lifted by 1 bar
_BAR_PER_METRE: Final = 0.0981
_SUCTION: Final = 0.45


@dataclass(frozen=True, slots=True)
class Well:
    """field: wells that work together; rated_flow in m3/h."""

    thing: str
    field: str
    rated_flow: float


@dataclass(frozen=True, slots=True)
class Pump:
    """station: pumps that lift into the same mains."""

    thing: str
    station: str
    rated_flow: float


class Wells:
    """Table `wells`. A field with a basin follows its fill; a field without follows what is drawn."""

    def __init__(self, wells: Sequence[Well], seed: int) -> None:
        self.wells = Table([well.thing for well in wells])
        self.fields = tuple(dict.fromkeys(well.field for well in wells))
        self._field = places_of([well.field for well in wells], self.fields)
        self._rated = np.array([well.rated_flow for well in wells])
        self._rank = _ranks(self._field)
        share = self._rank / np.maximum(1, _counts(self._field)[self._field] - 1)
        self._start = _FIRST_WELL - (_FIRST_WELL - _LAST_WELL) * share
        chance = generator_for(seed, "wells")
        self._rest = _REST_LEVEL + chance.uniform(-4.0, 4.0, len(wells))
        self._running = np.zeros(len(wells), dtype=bool)
        self._drawdown = np.zeros(len(wells))
        self.energy = chance.uniform(2e4, 3e5, len(wells))

    def advance(self, seconds: float, fills: Floats, drawn: Floats) -> Floats:
        """fills: of each field's basin, NaN without one; drawn: from each field without. Returns the fields' flows."""
        by_fill = np.isfinite(fills)[self._field]
        fill = np.nan_to_num(fills, nan=1.0)[self._field]
        level = np.where(
            fill < self._start,
            True,  # noqa: FBT003 # numpy.where's shape
            np.where(fill > self._start + _WELL_BAND, False, self._running),  # noqa: FBT003
        )
        needed = np.ceil(drawn / np.maximum(1e-9, self._mean_rated()))[self._field]
        self._running = np.where(by_fill, level, self._rank < needed)
        running = sum_by(self._field, self._running * 1.0, len(self.fields))
        each = (drawn / np.maximum(1.0, running))[self._field]
        flow = np.where(by_fill, self._rated * 0.96, each) * self._running
        self._show(flow, seconds)
        return sum_by(self._field, flow, len(self.fields))

    def _mean_rated(self) -> Floats:
        count = len(self.fields)
        rated: Floats = sum_by(self._field, self._rated, count) / _counts(self._field)
        return rated

    def _show(self, flow: Floats, seconds: float) -> None:
        target = _DRAWDOWN * flow / self._rated
        self._drawdown = approach(self._drawdown, target, seconds, _DRAWDOWN_SECONDS)
        level = self._rest + self._drawdown
        pressure = np.where(self._running, _WELLHEAD, 0.3)
        lift = level * _BAR_PER_METRE + pressure
        power = flow * lift * _BAR_TO_KW / _EFFICIENCY
        self.energy = self.energy + power * seconds / 3600.0
        self.wells.write(
            flow=flow,
            pressure=pressure,
            level=level,
            pump=np.where(self._running, RUNNING, STOPPED),
            active_power=power,
            energy=self.energy,
        )


class Pumps:
    """Table `pumps`: as many run as the station's flow needs, all with the same share."""

    def __init__(self, pumps: Sequence[Pump], seed: int) -> None:
        self.pumps = Table([pump.thing for pump in pumps])
        self.stations = tuple(dict.fromkeys(pump.station for pump in pumps))
        self._station = places_of([pump.station for pump in pumps], self.stations)
        self._rank = _ranks(self._station)
        self._count = _counts(self._station)
        rated = np.array([pump.rated_flow for pump in pumps])
        self._rated = sum_by(self._station, rated, len(self.stations)) / self._count
        self._running = np.ones(len(self.stations))
        chance = generator_for(seed, "pumps")
        self._vibration = chance.uniform(1.1, 2.1, len(pumps))
        self.energy = chance.uniform(1e5, 2e6, len(pumps))

    def advance(self, seconds: float, flow: Floats, discharge: Floats) -> None:
        """Of each station, what it lifts and to what pressure."""
        per_pump = flow / self._rated
        needed = np.ceil(per_pump / _ADD_AT)
        too_many = per_pump < _DROP_AT * (self._running - 1.0)
        self._running = np.clip(
            np.where(too_many, needed, np.maximum(self._running, needed)),
            1.0,
            self._count,
        )
        runs = self._rank < self._running[self._station]
        each = np.where(runs, (flow / self._running)[self._station], 0.0)
        outlet = np.where(runs, discharge[self._station], _SUCTION)
        power = each * (outlet - _SUCTION) * _BAR_TO_KW / _EFFICIENCY
        self.energy = self.energy + power * seconds / 3600.0
        ratio = each / self._rated[self._station]
        self.pumps.write(
            flow=each,
            suction_pressure=np.full(len(self.pumps), _SUCTION),
            discharge_pressure=outlet,
            pump=np.where(runs, RUNNING, STOPPED),
            active_power=power,
            energy=self.energy,
            vibration=np.where(runs, self._vibration * (0.8 + 0.3 * ratio), 0.05),
        )


def _counts(groups: Places) -> Floats:
    return np.bincount(groups).astype(np.float64)


def _ranks(groups: Places) -> Floats:
    """Of each member, how many of its group stand before it."""
    return np.array(
        [
            np.count_nonzero(groups[:place] == group)
            for place, group in enumerate(groups)
        ],
        dtype=np.float64,
    )
