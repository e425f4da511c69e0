"""Water: no litre is lost, and a burst shows along its main, in its zones and basins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.moment import moment_at
from device_sim.signals import Floats
from device_sim.world.pumping import RUNNING, STOPPED, Pump, Pumps, Well, Wells
from device_sim.world.supply import SupplyPlan, WaterSupply
from device_sim.world.water import Main, Reservoir, Waterworks, Zone
from tests.unit.device_sim.moments import ALMATY, DAY, at_hour

CALM = np.zeros(2)
BURST = np.array([1.0, 0.0])


def supply(seed: int = 1) -> WaterSupply:
    """Wells fill a clear-water basin, a station lifts it into a town; another takes wells' water straight."""
    along = (0.05, 0.35, 0.65, 0.95)
    works = Waterworks(
        [
            Reservoir("clear", "clear", 6_000.0, 5.0),
            Reservoir("town-1", "town-1", 8_000.0, 5.5),
            Reservoir("town-2", "town-1", 8_000.0, 5.5),
        ],
        [
            Main(
                "main-a",
                "works",
                "clear",
                "town-1",
                600.0,
                tuple((f"a-{x}", x) for x in along),
            ),
            Main("main-b", "field-b", None, "town-1", 300.0, (("b-0.5", 0.5),)),
        ],
        [
            Zone("zone-1", "town-1", 500.0, ("z-1", "z-2")),
            Zone("zone-2", "town-1", 400.0, ("z-3",)),
        ],
        ["outlet"],
    )
    wells = [Well(f"well-{n}", "works", 150.0) for n in range(8)]
    wells += [Well(f"far-{n}", "field-b", 150.0) for n in range(4)]
    pumps = [Pump(f"pump-{n}", "works", 400.0) for n in range(4)]
    pumps += [Pump(f"far-pump-{n}", "field-b", 300.0) for n in range(2)]
    return WaterSupply(SupplyPlan(works, wells, pumps, {"works": "clear"}), seed)


def live(
    water: WaterSupply, start: float, seconds: float, step: float, bursts: Floats
) -> None:
    for n in range(round(seconds / step)):
        water.advance(moment_at(start + n * step, ALMATY), step, bursts)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 100),
    burst=st.floats(0, 1),
    step=st.sampled_from([1.0, 17.0, 60.0]),
)
def test_a_basin_holds_what_came_less_what_went(
    seed: int, burst: float, step: float
) -> None:
    world = supply(seed)
    water = world.water
    live(world, DAY, 3600, 60.0, CALM)
    before = water.volume.copy()
    came = np.zeros(2)
    for n in range(40):
        world.advance(moment_at(DAY + n * step, ALMATY), step, np.array([burst, 0.0]))
        flows = water.reservoirs["inflow"] - water.reservoirs["outflow"]
        came += np.array([flows[0], flows[1] + flows[2]]) * step / 3600
    assert water.volume - before == pytest.approx(came, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(burst=st.floats(0, 1))
def test_what_the_wells_give_is_drawn_stored_or_leaks(burst: float) -> None:
    """Over the whole supply, from tables that know nothing of each other."""
    world = supply()
    live(world, DAY, 600, 60.0, CALM)
    for n in range(10):
        before = world.water.volume.sum()
        # Wells of a basin are switched by its level: their water is there in the next step.
        near = world.wells.wells["flow"][:8].sum()
        world.advance(moment_at(DAY + n * 60, ALMATY), 60.0, np.array([burst, 0.0]))
        far = world.wells.wells["flow"][8:].sum()
        lost = world.water.mains["leak"].sum() + world.water.zones["demand"].sum()
        stored = world.water.volume.sum() - before
        assert stored == pytest.approx((near + far - lost) / 60, abs=1e-6)


def test_what_the_mains_send_is_delivered_or_leaks() -> None:
    world = supply()
    live(world, DAY, 600, 60.0, BURST)
    mains = world.water.mains
    assert mains["flow"] == pytest.approx(mains["delivered"] + mains["leak"])
    assert mains["leak"][0] > 300
    assert mains["leak"][1] == 0
    pumps = world.pumps.pumps["flow"]
    assert [pumps[:4].sum(), pumps[4:].sum()] == pytest.approx(mains["flow"])


def test_levels_stay_in_their_band_for_a_week() -> None:
    world = supply()
    fills = []
    for n in range(7 * 24 * 12):
        world.advance(moment_at(DAY + n * 300, ALMATY), 300.0, CALM)
        fills.append(world.water.fill)
    assert np.min(fills) > 0.45
    assert np.max(fills) < 0.97
    assert np.ptp(fills, axis=0).min() > 0.02


def test_the_mean_of_a_zone_is_its_demand() -> None:
    world = supply()
    drawn = []
    for n in range(7 * 24 * 6):
        world.advance(moment_at(DAY + n * 600, ALMATY), 600.0, CALM)
        drawn.append(world.water.zones["demand"])
    assert np.mean(drawn, axis=0) == pytest.approx([500.0, 400.0], rel=0.03)


def test_pressure_is_low_when_demand_is_high() -> None:
    world = supply()
    world.advance(at_hour(3), 60.0, CALM)
    night = world.water.points["pressure"]
    world.advance(at_hour(7), 60.0, CALM)
    assert (world.water.points["pressure"] < night - 0.3).all()


class TestBurst:
    def run(self, bursts: Floats) -> WaterSupply:
        world = supply()
        live(world, DAY + 3 * 3600, 3600, 60.0, CALM)
        live(world, DAY + 4 * 3600, 75, 1.0, bursts)
        return world

    def test_flow_rises_before_it_and_falls_behind_it(self) -> None:
        calm, wrong = self.run(CALM).water.loggers, self.run(BURST).water.loggers
        ratio = wrong["flow"] / calm["flow"]
        assert (ratio[:2] > 1.6).all()
        assert (ratio[2:4] < 0.8).all()
        assert ratio[4] == pytest.approx(1.0, abs=0.01)

    def test_pressure_falls_along_the_main_and_in_its_zones(self) -> None:
        calm, wrong = self.run(CALM).water, self.run(BURST).water
        fall = calm.loggers["pressure"] - wrong.loggers["pressure"]
        assert (fall[:4] > 0.8).all()
        assert fall[2] > fall[0]
        assert fall[4] == pytest.approx(0.0, abs=0.01)
        assert (calm.points["pressure"] - wrong.points["pressure"] > 0.7).all()

    def test_basins_on_both_ends_fall_and_more_pumps_run(self) -> None:
        calm, wrong = self.run(CALM), self.run(BURST)
        assert (wrong.water.reservoirs["level"] < calm.water.reservoirs["level"]).all()
        running = [(w.pumps.pumps["pump"][:4] == RUNNING).sum() for w in (calm, wrong)]
        assert running[1] > running[0]

    def test_pressure_is_back_when_it_is_mended(self) -> None:
        calm, wrong = self.run(CALM), self.run(BURST)
        for world in (calm, wrong):
            live(world, DAY + 4 * 3600 + 75, 10, 1.0, CALM)
        assert wrong.water.points["pressure"] == pytest.approx(
            calm.water.points["pressure"], abs=0.05
        )


class TestPumping:
    def test_wells_start_one_by_one_as_the_basin_empties(self) -> None:
        wells = Wells([Well(f"w-{n}", "field", 150.0) for n in range(5)], 1)
        running = [
            int((wells.advance(60.0, np.array([fill]), np.zeros(1)) / (150 * 0.96))[0])
            for fill in (0.95, 0.8, 0.75, 0.7, 0.65, 0.5)
        ]
        assert running == sorted(running)
        assert (running[0], running[-1]) == (0, 5)

    def test_between_its_two_levels_a_well_stays_as_it_is(self) -> None:
        wells = Wells([Well("w", "field", 150.0)], 1)
        states = []
        for fill in (0.9, 0.85, 0.83, 0.86, 0.88, 0.90, 0.86):
            wells.advance(60.0, np.array([fill]), np.zeros(1))
            states.append(float(wells.wells["pump"][0]))
        assert states == [STOPPED, STOPPED, RUNNING, RUNNING, RUNNING, STOPPED, STOPPED]

    def test_wells_without_a_basin_give_what_is_drawn(self) -> None:
        wells = Wells([Well(f"w-{n}", "field", 150.0) for n in range(5)], 1)
        given_ = wells.advance(60.0, np.array([np.nan]), np.array([400.0]))
        assert given_ == pytest.approx([400.0])
        assert (wells.wells["flow"] > 0).sum() == 3

    def test_power_is_flow_times_lift_over_efficiency(self) -> None:
        pumps = Pumps([Pump("p", "s", 800.0)], 1)
        pumps.advance(3600.0, np.array([720.0]), np.array([5.45]))
        [power] = pumps.pumps["active_power"]
        assert power == pytest.approx(720 / 3600 * 5e5 / 1000 / 0.72, rel=1e-3)

    def test_pumps_do_not_hunt_at_a_steady_flow(self) -> None:
        pumps = Pumps([Pump(f"p-{n}", "s", 400.0) for n in range(4)], 1)
        counts = set()
        for n in range(50):
            pumps.advance(60.0, np.array([740.0 + 8 * (n % 2)]), np.array([6.0]))
            counts.add(int((pumps.pumps["pump"] == RUNNING).sum()))
        assert len(counts) <= 2
        assert (pumps.pumps["flow"] <= 400).all()
