"""PURE: gas: taken by weather and hour, let down in two steps; lines lose pressure by the square of the flow.

Flows in m3/h at standard conditions, pressures over the atmosphere: MPa, and kPa behind the regulators.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.pipe import gas_outlet_pressure
from device_sim.signals import Drift, Floats, Profile, generator_for, sum_by
from device_sim.world.table import Table, places_of

_HOURS: Final = Profile(
    (0.72, 0.68, 0.66, 0.66, 0.70, 0.84, 1.10, 1.28, 1.22, 1.08, 1.00, 0.96,
     0.98, 0.98, 0.94, 0.94, 1.02, 1.18, 1.34, 1.38, 1.30, 1.14, 0.94, 0.80)
).scaled_to_mean(1.0)  # fmt: skip
_HEATING_LIMIT: Final = 18.0
_COOKING: Final = 0.08  # of the design flow
_PER_KELVIN: Final = 0.016  # of the design flow: 46 K below the limit use 82 % of it
_ATMOSPHERE: Final = 0.101
_LINE_LOSS: Final = 0.12  # of the pressure's square, over the line at design flow
_OUTLET_KPA: Final = 2.1
_DROOP: Final = 0.10  # of a regulator's outlet pressure, at design flow
_OPEN: Final = 2.0
_GROUND: Final = 9.0  # Celsius, where lines lie


@dataclass(frozen=True, slots=True)
class Station:
    """An automated gas distribution station; m3/h, MPa."""

    thing: str
    capacity: float
    inlet: float
    outlet: float


@dataclass(frozen=True, slots=True)
class Regulator:
    """share: of its station's flow."""

    thing: str
    station: str
    share: float


class Gas:
    """Tables `stations` and `regulators`."""

    def __init__(
        self, stations: Sequence[Station], regulators: Sequence[Regulator], seed: int
    ) -> None:
        self.stations = Table([station.thing for station in stations])
        self.regulators = Table([regulator.thing for regulator in regulators])
        self._station = places_of(
            [regulator.station for regulator in regulators], self.stations.things
        )
        self._share = np.array([regulator.share for regulator in regulators])
        self._capacity = np.array([station.capacity for station in stations])
        self._inlet = np.array([station.inlet for station in stations])
        self._outlet = np.array([station.outlet for station in stations])
        chance = generator_for(seed, "gas")
        self._use = Drift(chance, len(regulators), deviation=0.04, memory=1_200.0)
        self._grid = Drift(chance, len(stations), deviation=0.015, memory=7_200.0)
        self._odorant = Drift(chance, len(stations), deviation=0.7, memory=3_600.0)
        self._far = chance.uniform(0.3, 1.0, len(regulators))
        self.volume = chance.uniform(1e7, 9e7, len(stations))

    def advance(self, moment: Moment, seconds: float, temperature: float) -> None:
        use = demand(moment, temperature)  # of the design flow
        load = use * (1.0 + self._use.advance(seconds))
        count = len(self.stations)
        taken = load * self._share * self._capacity[self._station]
        flow = sum_by(self._station, taken, count)
        self.volume = self.volume + flow * seconds / 3600.0
        inlet = self._inlet * (1.0 + self._grid.advance(seconds)) * (1.0 - 0.04 * use)
        # Letting gas down cools it by about 5 K a MPa (Joule-Thomson); the station's heater gives most of it back.
        cooling = 0.3 * 5.0 * (inlet - self._outlet)
        self.stations.write(
            inlet_pressure=inlet,
            outlet_pressure=self._outlet * (1.0 - 0.02 * use),
            flow=flow,
            volume=self.volume,
            gas_temperature=_ground(temperature) + 5.0 - cooling,
            odorant=16.0 + self._odorant.advance(seconds),
            methane=np.full(count, 0.4),
            valve=np.full(count, _OPEN),
            alarms=np.zeros(count),
        )
        self._regulate(load, flow, temperature)

    def _regulate(self, load: Floats, flow: Floats, temperature: float) -> None:
        count = len(self.regulators)
        at = self._station
        start = self.stations["outlet_pressure"][at] + _ATMOSPHERE
        resistance = _LINE_LOSS * start**2 / self._capacity[at] ** 2 * self._far
        arriving = gas_outlet_pressure(start, flow[at], resistance) - _ATMOSPHERE
        self.regulators.write(
            inlet_pressure=arriving,
            outlet_pressure=_OUTLET_KPA * (1.0 - _DROOP * load),
            gas_temperature=np.full(count, _ground(temperature)),
            methane=np.full(count, 0.2),
            valve=np.full(count, _OPEN),
            alarms=np.zeros(count),
        )


def demand(moment: Moment, temperature: float) -> float:
    """Over the design flow: cooking all year, heating below its limit."""
    heating = _PER_KELVIN * max(0.0, _HEATING_LIMIT - temperature)
    return _HOURS.at(moment.hour) * (_COOKING + heating) * 0.75


def _ground(temperature: float) -> float:
    return _GROUND + 0.2 * (temperature - _GROUND)
