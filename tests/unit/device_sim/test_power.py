"""The grid: every kilowatt is somewhere, and an overload shows wherever it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.moment import Moment, moment_at
from device_sim.physics.transformer import DISTRIBUTION, losses
from device_sim.signals import Floats
from device_sim.world.power import (
    Distribution,
    Feeder,
    Meter,
    Network,
    Supply,
    Transformer,
    demand,
)
from device_sim.world.transmission import Branch, Transmission
from tests.unit.device_sim.moments import ALMATY, DAY, at_hour

SUPPLY = Supply(np.array([10.3, 10.3]), 50.0, 5.0)
CALM, FIRST_OVERLOADED = np.zeros(2), np.array([1.0, 0.0])
RATINGS = np.array([630.0, 400.0, 630.0])


def network(seed: int = 1) -> Distribution:
    plan = Network(
        [Meter(f"home-{n}", f"tp-{n % 3}") for n in range(9)],
        [
            Transformer("tp-0", "feeder-a", 630.0),
            Transformer("tp-1", "feeder-a", 400.0),
            Transformer("tp-2", "feeder-b", 630.0),
        ],
        [Feeder("feeder-a", "t-1", 300.0), Feeder("feeder-b", "t-1", 300.0)],
    )
    return Distribution(plan, seed)


def moments(hours: int, step: float) -> list[Moment]:
    return [
        moment_at(DAY + n * step, ALMATY) for n in range(round(hours * 3600 / step))
    ]


def feeder_sums(values: Floats) -> list[float]:
    return [values[0] + values[1], values[2]]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    hour=st.floats(0, 23.9),
    overload=st.floats(0, 1),
)
def test_a_feeder_carries_its_transformers_and_all_losses(
    seed: int, hour: float, overload: float
) -> None:
    grid = network(seed)
    grid.advance(at_hour(hour), 60.0, SUPPLY, np.array([overload, 0.0]))
    load = grid.transformers["active_power"]
    lost = losses(grid.transformers["load"] / 100, RATINGS, DISTRIBUTION)
    feeders = grid.feeders
    expected = (
        feeder_sums(load + lost) + feeders["line_loss"] + feeders["switched_over"]
    )
    assert feeders["active_power"] == pytest.approx(expected)
    assert (feeders["switched_over"][1], feeders["line_loss"].min() > 0) == (0, True)


def test_a_transformer_carries_at_least_its_meters() -> None:
    grid = network()
    for moment in moments(24, 600):
        grid.advance(moment, 600.0, SUPPLY, CALM)
        metered = grid.meters["active_power"].reshape(3, 3).sum(axis=0)
        assert (metered < grid.transformers["active_power"]).all()


def test_the_phases_current_and_voltage_make_the_power() -> None:
    grid = network()
    grid.advance(at_hour(19), 60.0, SUPPLY, CALM)
    table = grid.transformers
    apparent = sum(
        table[f"voltage_{p}"] * table[f"current_{p}"] for p in ("l1", "l2", "l3")
    )
    assert apparent / 1000 * 0.95 == pytest.approx(table["active_power"], rel=0.005)


@pytest.mark.parametrize("step", [1.0, 60.0])
def test_meters_count_what_flows_through_them(step: float) -> None:
    grid = network()
    before, counted = grid.energy.copy(), np.zeros(9)
    for moment in moments(1, step):
        grid.advance(moment, step, SUPPLY, CALM)
        counted += grid.meters["active_power"] * step / 3600
    assert grid.meters["energy"] - before == pytest.approx(counted)
    assert (counted > 0).all()


def test_the_evening_is_the_peak_and_the_night_the_valley() -> None:
    by_hour = [demand(at_hour(hour), 15.0) for hour in range(24)]
    assert by_hour.index(max(by_hour)) == 19
    assert by_hour.index(min(by_hour)) == 3
    assert np.mean(by_hour) == pytest.approx(1.0, abs=0.05)


def test_cold_and_heat_raise_demand() -> None:
    mild, frost, heat = (demand(at_hour(12), degrees) for degrees in (18, -20, 38))
    assert frost == pytest.approx(mild * 1.456)
    assert heat == pytest.approx(mild * 1.32)


class TestOverload:
    def run(self, overload: Floats) -> Distribution:
        grid = network()
        for moment in moments(1, 60):
            grid.advance(moment, 60.0, SUPPLY, CALM)
        for second in range(60):
            moment = moment_at(DAY + 3600 + second, ALMATY)
            grid.advance(moment, 1.0, SUPPLY, overload)
        return grid

    def test_it_shows_on_the_feeder_and_all_that_hangs_on_it(self) -> None:
        calm, wrong = self.run(CALM), self.run(FIRST_OVERLOADED)
        assert (
            wrong.feeders["current_l1"][0]
            > 1.2 * 300
            > 3 * calm.feeders["current_l1"][0]
        )
        for quantity in ("load", "current_l1", "oil_temperature"):
            assert (
                wrong.transformers[quantity][:2] > calm.transformers[quantity][:2]
            ).all()
        assert (
            wrong.transformers["voltage_l1"][:2]
            < calm.transformers["voltage_l1"][:2] - 4
        ).all()
        on_feeder = [n for n in range(9) if n % 3 != 2]
        assert (
            wrong.meters["voltage"][on_feeder] < calm.meters["voltage"][on_feeder] - 4
        ).all()

    def test_the_neighbour_feels_nothing(self) -> None:
        calm, wrong = self.run(CALM), self.run(FIRST_OVERLOADED)
        assert wrong.feeders["current_l1"][1] == calm.feeders["current_l1"][1]
        assert wrong.transformers["voltage_l1"][2] == calm.transformers["voltage_l1"][2]


class TestTransmission:
    def build(self) -> Transmission:
        """Two lines feed a transformer that feeds a line and a second transformer with feeders."""
        lines = [
            Branch("in-1", 380_000.0, 220.0),
            Branch("in-2", 380_000.0, 220.0),
            Branch("out-1", 114_000.0, 110.0, ("at-1",)),
        ]
        transformers = [
            Branch("at-1", 250_000.0, 110.0, ("in-1", "in-2")),
            Branch("t-1", 63_000.0, 10.0, ("at-1",), modelled=4_000.0),
        ]
        return Transmission(lines, transformers, 1)

    def test_what_is_above_carries_what_is_below(self) -> None:
        grid = self.build()
        grid.advance(at_hour(12), 60.0, 5.0, {"t-1": 5_000.0})
        lines, transformers = (
            grid.lines["active_power"],
            grid.transformers["active_power"],
        )
        assert transformers[0] == pytest.approx(lines[2] + transformers[1])
        assert lines[:2].sum() == pytest.approx(transformers[0])
        assert lines[0] == lines[1]

    def test_more_on_a_feeder_is_as_much_more_above_it(self) -> None:
        one, other = self.build(), self.build()
        one.advance(at_hour(12), 60.0, 5.0, {"t-1": 5_000.0})
        other.advance(at_hour(12), 60.0, 5.0, {"t-1": 9_000.0})
        more = other.transformers["active_power"] - one.transformers["active_power"]
        assert more == pytest.approx([4_000.0, 4_000.0])

    def test_tap_changers_hold_the_bus_without_hunting(self) -> None:
        grid = self.build()
        taps = []
        for moment in moments(24, 60):
            grid.advance(moment, 60.0, 5.0, {"t-1": 4_000.0})
            taps.append(grid.transformers["tap"].copy())
            if len(taps) > 30:
                assert np.abs(grid.transformers["bus"] - 1.035).max() < 0.035
        moves = np.abs(np.diff(taps, axis=0)).sum(axis=0)
        assert (moves < 40).all()

    def test_the_frequency_stays_near_50(self) -> None:
        grid = self.build()
        seen = []
        for moment in moments(2, 1):
            grid.advance(moment, 1.0, 5.0, {})
            seen.append(grid.frequency)
        assert 49.97 < min(seen) < max(seen) < 50.03
