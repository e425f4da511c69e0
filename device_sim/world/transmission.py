"""PURE: power transformers and lines above the 10 kV feeders: load from below, voltage from above, tap changers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.transformer import POWER, Heat
from device_sim.signals import Drift, Floats, generator_for, sum_by
from device_sim.world.power import demand
from device_sim.world.table import Table, places_of

_MEAN_LOAD: Final = (
    0.34  # of a power transformer's rating, with what no modelled feeder takes
)
_LINE_MEAN: Final = 0.24  # of the rating of a line that feeds nothing modelled
_POWER_FACTOR: Final = 0.96
_TAN_PHI: Final = (1.0 / _POWER_FACTOR**2 - 1.0) ** 0.5
_ROOT_3: Final = 3.0**0.5
_IMPEDANCE_DROP: Final = 0.06  # of the voltage, at rated load
_TAP_STEP: Final = 0.0178
_TAP_MOST: Final = 9.0
_TAP_SECONDS: Final = 60.0
_BUS_TARGET: Final = 1.035
_DEAD_BAND: Final = 0.014
_HIGH_VOLTAGE: Final = 1.025  # of the nominal one, of the grid above
_FREQUENCY: Final = 50.0
_CLOSED: Final = 2.0


@dataclass(frozen=True, slots=True)
class Branch:
    """A line (rating from its rated current) or power transformer. kVA, kV.

    fed_by: the branches above it; modelled: mean kW of the modelled feeders that hang on it.
    """

    thing: str
    rating: float
    voltage: float
    fed_by: Sequence[str] = ()
    modelled: float = 0.0


class Transmission:
    """Tables `lines` (V in kV, A, kW) and `transformers` (kW, per cent, Celsius, taps)."""

    def __init__(
        self, lines: Sequence[Branch], transformers: Sequence[Branch], seed: int
    ) -> None:
        self.lines = Table([line.thing for line in lines])
        self.transformers = Table([each.thing for each in transformers])
        self._branches = [*lines, *transformers]
        self._order = _from_below(self._branches)
        self._rating = np.array([branch.rating for branch in self._branches])
        self._voltage = np.array([branch.voltage for branch in self._branches])
        self._modelled = np.array([branch.modelled for branch in self._branches])
        chance = generator_for(seed, "transmission")
        self._rest = Drift(chance, len(self._branches), deviation=0.03, memory=1_800.0)
        self._grid = Drift(chance, 1, deviation=0.004, memory=900.0)
        self._hertz = Drift(chance, 1, deviation=0.010, memory=90.0)
        self._unevenness = chance.uniform(-0.01, 0.01, (2, len(self._branches)))
        self._tap = np.zeros(len(transformers))
        self._since_tap = np.full(len(transformers), _TAP_SECONDS)
        self._heat: Heat | None = None
        self.transformers.write(bus=np.full(len(transformers), _BUS_TARGET))
        self.frequency = _FREQUENCY

    def advance(
        self,
        moment: Moment,
        seconds: float,
        temperature: float,
        below: Mapping[str, float],
    ) -> None:
        """below: kW that the modelled feeders of a power transformer take."""
        self.frequency = _FREQUENCY + float(self._hertz.advance(seconds)[0])
        power = self._load(moment, seconds, temperature, below)
        ratio = power / _POWER_FACTOR / self._rating
        level = _HIGH_VOLTAGE * (1.0 + float(self._grid.advance(seconds)[0]))
        count = len(self.lines)
        self._show_lines(power[:count], ratio[:count], level)
        self._show_transformers(power[count:], ratio[count:], temperature, seconds)
        self._change_taps(level, ratio[count:], seconds)

    def _load(
        self,
        moment: Moment,
        seconds: float,
        temperature: float,
        below: Mapping[str, float],
    ) -> Floats:
        """Of every branch in kW: what it feeds; of the lowest, its modelled feeders and the rest."""
        rhythm = demand(moment, temperature) * (1.0 + self._rest.advance(seconds))
        usual = np.where(
            np.arange(len(self._branches)) < len(self.lines), _LINE_MEAN, _MEAN_LOAD
        )
        mean = self._rating * _POWER_FACTOR * usual - self._modelled
        power: Floats = np.maximum(mean, 0.0) * rhythm
        carried = np.zeros(len(self._branches))
        is_parent = np.zeros(len(self._branches), dtype=bool)
        for place, parents in self._order:
            branch = self._branches[place]
            power[place] = (
                carried[place]
                if is_parent[place]
                else power[place] + below.get(branch.thing, 0.0)
            )
            for parent in parents:
                carried[parent] += power[place] / len(parents)
                is_parent[parent] = True
        return power

    def _show_lines(self, power: Floats, ratio: Floats, level: float) -> None:
        count = len(self.lines)
        nominal = self._voltage[:count]
        voltage = nominal * level * (1.0 - 0.02 * ratio)
        current = power / (_ROOT_3 * voltage * _POWER_FACTOR)
        one, two = 1.0 + self._unevenness[:, :count]
        columns = {
            f"{quantity}_{phase}": mean * share
            for quantity, mean in (("voltage", voltage), ("current", current))
            for phase, share in (("l1", one), ("l2", two), ("l3", 3.0 - one - two))
        }
        self.lines.write(
            active_power=power,
            reactive_power=power * _TAN_PHI,
            frequency=np.full(count, self.frequency),
            breaker=np.full(count, _CLOSED),
            alarms=np.zeros(count),
            **columns,
        )

    def _show_transformers(
        self, power: Floats, ratio: Floats, temperature: float, seconds: float
    ) -> None:
        self._heat = self._heat or Heat(ratio, POWER)
        self._heat.advance(ratio, seconds)
        self.transformers.write(
            active_power=power,
            load=100.0 * ratio,
            oil_temperature=self._heat.oil(temperature),
            winding_temperature=self._heat.winding(temperature),
            alarms=np.zeros(len(self.transformers)),
        )

    def _change_taps(self, level: float, ratio: Floats, seconds: float) -> None:
        """One step a minute at most, and only out of the dead band: a tap changer does not hunt."""
        untapped = level * (1.0 - _IMPEDANCE_DROP * ratio)
        error = untapped * (1.0 + _TAP_STEP * self._tap) - _BUS_TARGET
        self._since_tap = self._since_tap + seconds
        wants = (np.abs(error) > _DEAD_BAND) & (self._since_tap >= _TAP_SECONDS)
        step = np.where(wants, -np.sign(error), 0.0)
        self._tap = np.clip(self._tap + step, -_TAP_MOST, _TAP_MOST)
        self._since_tap = np.where(wants, 0.0, self._since_tap)
        self.transformers.write(
            tap=self._tap, bus=untapped * (1.0 + _TAP_STEP * self._tap)
        )


def _from_below(branches: Sequence[Branch]) -> list[tuple[int, list[int]]]:
    """Every branch after all that hang on it, with the branches above it."""
    rows = {branch.thing: place for place, branch in enumerate(branches)}
    above = [
        [rows[thing] for thing in branch.fed_by if thing in rows] for branch in branches
    ]
    height = [0] * len(branches)
    for _ in branches:
        for place, parents in enumerate(above):
            for parent in parents:
                height[parent] = max(height[parent], height[place] + 1)
    order = sorted(range(len(branches)), key=lambda place: height[place])
    return [(place, above[place]) for place in order]


def loads_of_buses(
    feeders: Sequence[str], power: Floats, buses: Sequence[str]
) -> dict[str, float]:
    """By power transformer. feeders: of each feeder, its power transformer."""
    sums = sum_by(places_of(feeders, buses), power, len(buses))
    return dict(zip(buses, sums.tolist(), strict=True))
