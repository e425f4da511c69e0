"""PURE: drinking water between the pumps and the taps: mains carry, basins hold, zones draw; no litre is lost.

Flows in m3/h, pressures in bar, levels in metres, volumes in m3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.pipe import leak_flow, pressure_with_leak
from device_sim.signals import Drift, Floats, Places, Profile, generator_for, sum_by
from device_sim.world.table import Table, places_of

# Shares of the mean: a residential district's draw, with its morning and evening peak.
_WEEKDAY: Final = Profile(
    (0.45, 0.36, 0.32, 0.32, 0.40, 0.70, 1.25, 1.55, 1.42, 1.20, 1.08, 1.02,
     1.02, 0.98, 0.95, 0.96, 1.05, 1.22, 1.40, 1.45, 1.36, 1.15, 0.88, 0.62)
).scaled_to_mean(1.0)  # fmt: skip
_WEEKEND: Final = Profile(
    (0.55, 0.42, 0.36, 0.34, 0.36, 0.46, 0.70, 1.05, 1.38, 1.50, 1.42, 1.30,
     1.22, 1.14, 1.08, 1.06, 1.10, 1.22, 1.34, 1.36, 1.28, 1.12, 0.92, 0.70)
).scaled_to_mean(1.0)  # fmt: skip
_BAR_PER_METRE: Final = 0.0981
_TARGET_FILL: Final = 0.75
_FILL_GAIN: Final = 3.0  # of a main's mean flow, for a whole fill
_LEAST_FLOW, _MOST_FLOW = 0.25, 1.7
STATION_PRESSURE: Final = 7.6
_DROOP: Final = 0.6  # bar that the station loses at its mean flow
_MAIN_LOSS: Final = 1.1  # bar over a main's length, at its mean flow
_ZONE_HEAD: Final = 3.9  # bar: how high a basin at its target stands over its zones
_ZONE_LOSS: Final = 0.45  # bar, at mean demand
_ZONE_ON_MAIN: Final = (
    0.55  # of the pressure that the end of its main loses, a zone feels
)
_BURST_AT: Final = 0.5  # of the main's length
_BURST_FLOW: Final = 2.2  # of the mean flow: a full burst, were the pressure to stay
_BATTERY: Final = 3.58


@dataclass(frozen=True, slots=True)
class Reservoir:
    """basin: reservoirs that are connected share their level."""

    thing: str
    basin: str
    volume: float
    depth: float


@dataclass(frozen=True, slots=True)
class Main:
    """Carries `flow` on average to the basin `target`, from the basin `source`; None: straight from wells.

    station: the pumps that lift into it. loggers: things along it and where each sits, 0 at the pumps to 1.
    """

    thing: str
    station: str
    source: str | None
    target: str
    flow: float
    loggers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """Draws `demand` on average from a basin; points: things whose pressure is measured."""

    thing: str
    basin: str
    demand: float
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waterworks:
    """quality: things where drinking water is analysed."""

    reservoirs: Sequence[Reservoir]
    mains: Sequence[Main]
    zones: Sequence[Zone]
    quality: Sequence[str] = field(default_factory=list)


class Water:
    """Tables `reservoirs`, `mains`, `zones`, `loggers`, `points`, `quality`."""

    def __init__(self, works: Waterworks, seed: int) -> None:
        self.basins = tuple(dict.fromkeys(each.basin for each in works.reservoirs))
        self.reservoirs = Table([each.thing for each in works.reservoirs])
        self.mains = Table([main.thing for main in works.mains])
        self.zones = Table([zone.thing for zone in works.zones])
        loggers = [logger for main in works.mains for logger in main.loggers]
        self.loggers = Table([thing for thing, _ in loggers])
        self.points = Table([point for zone in works.zones for point in zone.points])
        self.quality = Table(works.quality)
        self._logger_place = np.array([place for _, place in loggers])
        self._logger_main = _owners([len(main.loggers) for main in works.mains])
        self._point_zone = _owners([len(zone.points) for zone in works.zones])
        self._build_basins(works)
        self._build_chance(seed)

    def _build_basins(self, works: Waterworks) -> None:
        self._basin_of = places_of(
            [each.basin for each in works.reservoirs], self.basins
        )
        self._size = np.array([each.volume for each in works.reservoirs])
        self._depth = np.array([each.depth for each in works.reservoirs])
        self._mean_flow = np.array([main.flow for main in works.mains])
        self._target = places_of([main.target for main in works.mains], self.basins)
        # One more place, thrown away, for what comes straight from wells.
        sources = [main.source or "" for main in works.mains]
        self._source = places_of(sources, (*self.basins, ""))
        self._zone_basin = places_of([zone.basin for zone in works.zones], self.basins)
        self._mean_demand = np.array([zone.demand for zone in works.zones])
        self.capacity = sum_by(self._basin_of, self._size, len(self.basins))
        self.volume = _TARGET_FILL * self.capacity

    def _build_chance(self, seed: int) -> None:
        chance = generator_for(seed, "water")
        self._drift = Drift(chance, len(self.zones), deviation=0.05, memory=1_200.0)
        self._heights = chance.uniform(-0.15, 0.15, len(self.points))
        self._water = Drift(
            chance, 3 * len(self.quality), deviation=1.0, memory=7_200.0
        )

    @property
    def fill(self) -> Floats:
        """Of each basin, 0 to 1."""
        share: Floats = self.volume / self.capacity
        return share

    @property
    def draw(self) -> float:
        """What all zones draw now, over their mean."""
        return float(self.zones["demand"].sum() / max(1e-9, self._mean_demand.sum()))

    def advance(
        self, moment: Moment, seconds: float, pumped: Floats, bursts: Floats
    ) -> None:
        """pumped: what wells bring into each basin; bursts: of each main, 0 none to 1 full."""
        demand = self._demand(moment, seconds)
        delivered, sent, end_loss = self._carry(bursts)
        count = len(self.basins)
        inflow = pumped + sum_by(self._target, delivered, count)
        outflow = (
            sum_by(self._zone_basin, demand, count)
            + sum_by(self._source, sent, count + 1)[:count]
        )
        volume = self.volume + (inflow - outflow) * seconds / 3600.0
        self.volume = np.clip(volume, 0.0, self.capacity)
        self._show_reservoirs(moment, inflow, outflow)
        self._show_zones(demand, end_loss)
        self._show_quality(moment, seconds)

    def _demand(self, moment: Moment, seconds: float) -> Floats:
        rhythm = (_WEEKEND if moment.weekend else _WEEKDAY).at(moment.hour)
        drift = 1.0 + self._drift.advance(seconds)
        drawn: Floats = self._mean_demand * rhythm * drift
        return drawn

    def _carry(self, bursts: Floats) -> tuple[Floats, Floats, Floats]:
        """Delivered at the mains' ends, sent by their pumps, and pressure lost at the ends to bursts."""
        want = 1.0 + _FILL_GAIN * (_TARGET_FILL - self.fill[self._target])
        calm = np.clip(want, _LEAST_FLOW, _MOST_FLOW)  # over the mean flow
        head = np.full_like(calm, STATION_PRESSURE)
        resistance = np.full_like(calm, _DROOP + _MAIN_LOSS * _BURST_AT)
        nothing = np.zeros_like(calm)
        undisturbed = pressure_with_leak(head, calm, resistance, nothing)
        emitter = bursts * _BURST_FLOW / np.sqrt(undisturbed)
        # The basin gets less through the lower pressure that the leak leaves.
        pressure = pressure_with_leak(head, calm, resistance, emitter)
        through = calm * np.sqrt(pressure / undisturbed)
        pressure = pressure_with_leak(head, through, resistance, emitter)
        leaking = leak_flow(pressure, emitter)
        rest = _MAIN_LOSS * (1.0 - _BURST_AT)
        end, calm_end = pressure - rest * through**2, undisturbed - rest * calm**2
        self._show_mains(through, leaking, end)
        self._show_loggers(through, leaking, pressure)
        return (
            through * self._mean_flow,
            (through + leaking) * self._mean_flow,
            calm_end - end,
        )

    def _show_mains(self, through: Floats, leaking: Floats, end: Floats) -> None:
        droop = _DROOP * (through + leaking) ** 2
        self.mains.write(
            delivered=through * self._mean_flow,
            flow=(through + leaking) * self._mean_flow,
            leak=leaking * self._mean_flow,
            start_pressure=STATION_PRESSURE - droop,
            end_pressure=end,
        )

    def _show_loggers(self, through: Floats, leaking: Floats, burst: Floats) -> None:
        place, main = self._logger_place, self._logger_main
        before = place <= _BURST_AT
        flow = through[main] + np.where(before, leaking[main], 0.0)
        loss = _MAIN_LOSS * flow**2
        start = self.mains["start_pressure"][main]
        pressure = np.where(
            before, start - loss * place, burst[main] - loss * (place - _BURST_AT)
        )
        self.loggers.write(
            flow=flow * self._mean_flow[main],
            pressure=np.maximum(pressure, 0.0),
            battery=np.full(len(self.loggers), _BATTERY),
        )

    def _show_reservoirs(self, moment: Moment, inflow: Floats, outflow: Floats) -> None:
        basin = self._basin_of
        share = self._size / self.capacity[basin]
        temperature = 11.0 + 3.0 * np.sin(2 * np.pi * (moment.day_of_year - 130) / 365)
        self.reservoirs.write(
            level=self.fill[basin] * self._depth,
            inflow=inflow[basin] * share,
            outflow=outflow[basin] * share,
            temperature=np.full(len(self.reservoirs), temperature),
        )

    def _show_zones(self, demand: Floats, end_loss: Floats) -> None:
        count = len(self.basins)
        mains = np.maximum(sum_by(self._target, self._mean_flow, count), 1e-9)
        lost = sum_by(self._target, end_loss * self._mean_flow, count) / mains
        depth = sum_by(self._basin_of, self._depth * self._size, count) / self.capacity
        over = _BAR_PER_METRE * depth * (self.fill - _TARGET_FILL)
        head = _ZONE_HEAD + (over - _ZONE_ON_MAIN * lost)[self._zone_basin]
        pressure = head - _ZONE_LOSS * (demand / self._mean_demand) ** 2
        self.zones.write(demand=demand, pressure=np.maximum(pressure, 0.0))
        zone = self._point_zone
        self.points.write(
            pressure=np.maximum(pressure[zone] + self._heights, 0.0),
            battery=np.full(len(self.points), _BATTERY),
        )

    def _show_quality(self, moment: Moment, seconds: float) -> None:
        chlorine, turbidity, other = np.split(self._water.advance(seconds), 3)
        warmth = np.sin(2 * np.pi * (moment.day_of_year - 130) / 365)
        self.quality.write(
            free_chlorine=0.48 + 0.04 * chlorine,
            turbidity=0.35 + 0.06 * turbidity,
            ph=7.45 + 0.05 * other,
            conductivity=415.0 + 12.0 * other,
            temperature=10.5 + 2.5 * warmth + 0.1 * turbidity,
        )


def _owners(counts: Sequence[int]) -> Places:
    """Of each part, the row of the whole it belongs to."""
    return np.repeat(np.arange(len(counts)), counts)
