"""PURE: wastewater: what was drawn comes back later, rain on top; lift stations, collectors, works.

Flows in m3/h, levels in metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.pipe import sewer_depth, sewer_velocity
from device_sim.signals import Drift, Floats, approach, generator_for, sum_by
from device_sim.world.table import Table, places_of
from device_sim.world.weather import Air

RETURNED: Final = 0.85  # of the water drawn
LIFTED: Final = 0.5  # of a district's sewage that needs its lift stations
_HOUSE_SECONDS: Final = 3_600.0
_RAIN_SECONDS: Final = 2_400.0
_SEWER_SECONDS: Final = 900.0
_TRUNK_SECONDS: Final = 1_800.0
_WORKS_SECONDS: Final = 6 * 3_600.0
_RAIN_INFLOW: Final = 0.12  # of the dry-weather flow, per mm/h
_SUBSTEP: Final = 10.0  # seconds: a wet well fills in minutes
_WELL_AREA: Final = 26.0  # m2
_OFF, _ON, _SECOND_ON = 1.0, 2.2, 3.0
_STOPPED, _RUNNING = 0.0, 2.0
_PUMP_KW: Final = 0.11  # per m3/h
_STANDBY_KW: Final = 1.5
_FULL_VELOCITY: Final = 1.25  # m/s: what sewers are sloped for
_BLOWER_ON: Final = 1.0


@dataclass(frozen=True, slots=True)
class LiftStation:
    """Pumps into a collector; rated_flow is of each of its two pumps, inflow its mean."""

    thing: str
    collector: str
    rated_flow: float
    inflow: float


@dataclass(frozen=True, slots=True)
class Collector:
    """gravity: mean inflow besides its lift stations; diameter in metres; points along it, 0 to 1."""

    thing: str
    gravity: float
    diameter: float
    points: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Sewerage:
    stations: Sequence[LiftStation]
    collectors: Sequence[Collector]
    inlets: Sequence[str] = field(default_factory=list)
    tanks: Sequence[str] = field(default_factory=list)
    outlets: Sequence[str] = field(default_factory=list)


class Wastewater:
    """Tables `stations`, `points`, `inlets`, `tanks`, `outlets`."""

    def __init__(self, sewerage: Sewerage, seed: int) -> None:
        self.stations = Table([station.thing for station in sewerage.stations])
        self.collectors = Table([each.thing for each in sewerage.collectors])
        points = [point for each in sewerage.collectors for point in each.points]
        self.points = Table([thing for thing, _ in points])
        self.inlets, self.tanks, self.outlets = (
            Table(sewerage.inlets),
            Table(sewerage.tanks),
            Table(sewerage.outlets),
        )
        self._collector_of = places_of(
            [station.collector for station in sewerage.stations], self.collectors.things
        )
        self._rated = np.array([each.rated_flow for each in sewerage.stations])
        self._mean_inflow = np.array([each.inflow for each in sewerage.stations])
        self._gravity = np.array([each.gravity for each in sewerage.collectors])
        self._diameter = np.array([each.diameter for each in sewerage.collectors])
        self._point_place = np.array([place for _, place in points])
        counts = [len(each.points) for each in sewerage.collectors]
        self._point_collector = np.repeat(np.arange(len(counts)), counts)
        self._start(seed)

    def _start(self, seed: int) -> None:
        chance = generator_for(seed, "wastewater")
        count = len(self.stations)
        self._drift = Drift(chance, count, deviation=0.06, memory=1_200.0)
        self._works = Drift(chance, 8, deviation=1.0, memory=3_600.0)
        self.level = chance.uniform(_OFF + 0.1, _ON - 0.1, count)
        self._pumps = np.zeros((2, count), dtype=bool)
        self._lead = np.zeros(count, dtype=np.intp)
        self._returned = np.array([1.0])
        self._rain = np.array([0.0])
        mean = sum_by(self._collector_of, self._mean_inflow, len(self.collectors))
        self._carried = self._gravity + mean
        self._inlet = np.array([self._carried.sum()])
        self._treated = self._inlet.copy()

    def tables(self) -> Sequence[Table]:
        return self.stations, self.points, self.inlets, self.tanks, self.outlets

    def advance(self, moment: Moment, seconds: float, air: Air, drawn: float) -> None:
        """drawn: the city's water demand now, over its mean."""
        self._returned = approach(
            self._returned, np.array([drawn]), seconds, _HOUSE_SECONDS
        )
        self._rain = approach(self._rain, np.array([air.rain]), seconds, _RAIN_SECONDS)
        inflow_ratio = float(self._returned[0] + _RAIN_INFLOW * self._rain[0])
        inflow = self._mean_inflow * inflow_ratio * (1.0 + self._drift.advance(seconds))
        lifted = self._lift(inflow, seconds)
        lifts = sum_by(self._collector_of, lifted, len(self.collectors))
        arriving = self._gravity * inflow_ratio + lifts
        self._carried = approach(self._carried, arriving, seconds, _SEWER_SECONDS)
        total = np.array([self._carried.sum()])
        self._inlet = approach(self._inlet, total, seconds, _TRUNK_SECONDS)
        self._treated = approach(self._treated, self._inlet, seconds, _WORKS_SECONDS)
        self._show_points()
        self._show_works(moment, seconds)

    def _lift(self, inflow: Floats, seconds: float) -> Floats:
        """Wet wells between their switching levels; returns the mean flow pumped in this step."""
        pumped = np.zeros_like(inflow)
        steps = max(1, round(seconds / _SUBSTEP))
        step = seconds / steps
        for _ in range(steps):
            self._switch()
            flow = self._rated * self._pumps.sum(axis=0)
            self.level = self.level + (inflow - flow) * step / 3600.0 / _WELL_AREA
            pumped += flow / steps
        running = self._pumps.sum(axis=0)
        self.stations.write(
            level=self.level,
            flow=self._rated * running,
            inflow=inflow,
            pump_1=np.where(self._pumps[0], _RUNNING, _STOPPED),
            pump_2=np.where(self._pumps[1], _RUNNING, _STOPPED),
            active_power=_STANDBY_KW + _PUMP_KW * self._rated * running,
            alarms=np.zeros(len(self.stations)),
        )
        return pumped

    def _switch(self) -> None:
        """The leading pump starts at its level, the other where one is not enough; they take turns."""
        columns = np.arange(len(self.stations))
        empty = self.level < _OFF
        ran = self._pumps.any(axis=0)
        self._pumps[:, empty] = False
        self._lead = np.where(empty & ran, 1 - self._lead, self._lead)
        start = self.level > _ON
        self._pumps[self._lead[start], columns[start]] = True
        self._pumps[:, self.level > _SECOND_ON] = True

    def _show_points(self) -> None:
        """A collector gathers its flow along the way: half of it is there from the beginning."""
        at = self._point_collector
        flow = self._carried[at] * (0.5 + 0.5 * self._point_place)
        area = np.pi * self._diameter[at] ** 2 / 4.0
        full = area * _FULL_VELOCITY * 3600.0
        depth = sewer_depth(flow / full)
        self.points.write(
            flow=flow,
            level=depth * self._diameter[at],
            velocity=_FULL_VELOCITY * sewer_velocity(depth),
        )

    def _show_works(self, moment: Moment, seconds: float) -> None:
        works = self._works.advance(seconds)
        strength = self._inlet[0] / max(1e-9, self._treated[0])
        warmth = 16.5 + 3.5 * np.sin(2 * np.pi * (moment.day_of_year - 140) / 365)
        inlets, tanks, outlets = len(self.inlets), len(self.tanks), len(self.outlets)
        self.inlets.write(
            flow=np.full(inlets, self._inlet[0]),
            ph=np.full(inlets, 7.4 + 0.08 * works[0]),
            temperature=np.full(inlets, warmth + 0.2 * works[1]),
            turbidity=np.full(inlets, 210.0 * strength + 12.0 * works[2]),
            conductivity=np.full(inlets, 960.0 + 25.0 * works[3]),
        )
        lanes = np.linspace(-0.15, 0.15, tanks)
        self.tanks.write(
            dissolved_oxygen=2.1 + lanes + 0.12 * works[4],
            temperature=np.full(tanks, warmth - 0.6),
            ammonium=5.0 * strength + 4.0 * lanes + 0.5 * works[5],
            blower=np.full(tanks, _BLOWER_ON),
            level=4.6 + 0.1 * (strength - 1.0) + 0.2 * lanes,
        )
        self.outlets.write(
            flow=np.full(outlets, self._treated[0]),
            ph=np.full(outlets, 7.2 + 0.05 * works[0]),
            turbidity=np.full(outlets, 4.0 + 0.5 * works[6]),
            ammonium=np.full(outlets, 1.1 + 0.15 * works[5]),
            dissolved_oxygen=np.full(outlets, 5.8 + 0.3 * works[7]),
        )
