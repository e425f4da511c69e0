"""PURE: drinking water from the wells to the taps: wells, pumps and the network as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from device_sim.moment import Moment
from device_sim.signals import Floats, sum_by
from device_sim.world.pumping import Pump, Pumps, Well, Wells
from device_sim.world.table import Table, places_of
from device_sim.world.water import Water, Waterworks


@dataclass(frozen=True, slots=True)
class SupplyPlan:
    """field_basins: the basin that a well field fills; a field without one feeds the station of its own name."""

    works: Waterworks
    wells: Sequence[Well]
    pumps: Sequence[Pump]
    field_basins: Mapping[str, str]


class WaterSupply:
    def __init__(self, plan: SupplyPlan, seed: int) -> None:
        self.water = Water(plan.works, seed)
        self.wells = Wells(plan.wells, seed)
        self.pumps = Pumps(plan.pumps, seed)
        stations, fields = self.pumps.stations, self.wells.fields
        self._main_station = places_of(
            [main.station for main in plan.works.mains], stations
        )
        basins = (*self.water.basins, "")
        self._field_basin = places_of(
            [plan.field_basins.get(field, "") for field in fields], basins
        )
        self._field_station = np.array(
            [
                stations.index(field) if field in stations else len(stations)
                for field in fields
            ],
            dtype=np.intp,
        )
        self._pumped = np.zeros(len(self.water.basins))

    @property
    def draw(self) -> float:
        """The city's water demand now, over its mean."""
        return self.water.draw

    def tables(self) -> Sequence[Table]:
        water = self.water
        return (
            water.reservoirs,
            water.loggers,
            water.points,
            water.quality,
            self.wells.wells,
            self.pumps.pumps,
        )

    def advance(self, moment: Moment, seconds: float, bursts: Floats) -> None:
        self.water.advance(moment, seconds, self._pumped, bursts)
        mains = self.water.mains
        count = len(self.pumps.stations)
        lifted = sum_by(self._main_station, mains["flow"], count)
        shares = sum_by(
            self._main_station, mains["start_pressure"] * mains["flow"], count
        )
        self.pumps.advance(seconds, lifted, shares / np.maximum(lifted, 1e-9))
        fills = np.append(self.water.fill, np.nan)[self._field_basin]
        drawn = np.append(lifted, 0.0)[self._field_station]
        flows = self.wells.advance(seconds, fills, drawn)
        basins = len(self.water.basins)
        self._pumped = sum_by(self._field_basin, flows, basins + 1)[:basins]
