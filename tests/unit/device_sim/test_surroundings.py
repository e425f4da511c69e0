"""Weather, air, gas and wastewater: bounded, coupled, and true to their balances."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.moment import moment_at
from device_sim.world.air import AirQuality, Place
from device_sim.world.gas import Gas, Regulator, Station
from device_sim.world.gas import demand as gas_demand
from device_sim.world.wastewater import (
    Collector,
    LiftStation,
    Sewerage,
    Wastewater,
)
from device_sim.world.weather import Air, Weather
from tests.unit.device_sim.moments import ALMATY, DAY, at_hour

CLEAR = Air(2.0, -3.0, 70.0, 942.0, 2.0, 180.0, 0.0, 0.0, 400.0, 20_000.0)


class TestWeather:
    @settings(max_examples=200, deadline=None)
    @given(seed=st.integers(0, 50), day=st.integers(0, 365), hour=st.floats(0, 23.99))
    def test_it_is_weather_as_almaty_has_it(
        self, seed: int, day: int, hour: float
    ) -> None:
        air = Weather(seed, 43.62).at(moment_at(DAY + (day * 24 + hour) * 3600, ALMATY))
        assert -25 < air.temperature < 40
        assert air.dew_point < air.temperature
        assert 10 < air.humidity <= 100
        assert 925 < air.pressure < 955
        assert 0.8 < air.wind_speed < 6
        assert 0 <= air.wind_direction < 360
        assert 0 <= air.rain <= 3.5
        assert 0 <= air.solar < 1000
        assert 200 < air.mixing_height < 1500
        assert 3000 < air.visibility < 30_000

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 50), start=st.floats(0, 366 * 86_400))
    def test_it_changes_smoothly_also_over_midnight(
        self, seed: int, start: float
    ) -> None:
        weather = Weather(seed, 43.62)
        for step in range(60):
            here, next_ = (
                weather.at(moment_at(DAY + start + (step + n) * 60, ALMATY))
                for n in (0, 1)
            )
            assert abs(next_.temperature - here.temperature) < 0.15
            assert abs(next_.pressure - here.pressure) < 0.1
            assert abs(next_.rain - here.rain) < 0.15

    def test_the_same_seed_has_the_same_weather_after_a_restart(self) -> None:
        moment = at_hour(14)
        assert Weather(3, 43.62).at(moment) == Weather(3, 43.62).at(moment)
        assert Weather(3, 43.62).at(moment) != Weather(4, 43.62).at(moment)

    def test_summer_is_warmer_than_winter_and_noon_than_night(self) -> None:
        def mean(month: int, hour: int) -> float:
            days = [
                dt.datetime(2026, month, day, hour, tzinfo=ALMATY)
                for day in range(1, 29)
            ]
            weather = Weather(1, 43.62)
            return float(
                np.mean(
                    [
                        weather.at(moment_at(d.timestamp(), ALMATY)).temperature
                        for d in days
                    ]
                )
            )

        assert mean(7, 14) > 26
        assert mean(1, 14) < 3
        assert mean(7, 5) < mean(7, 14) - 5


class TestAir:
    def build(self) -> AirQuality:
        road = Place("road", 77.0, 43.6)
        near, far = Place("near", 77.002, 43.6), Place("far", 77.2, 43.6)
        return AirQuality([near, far], [near], [road], 1)

    def settle(self, air: Air, emission: float) -> AirQuality:
        world = self.build()
        world.advance(60.0, air, np.array([emission]))
        world.advance(36_000.0, air, np.array([emission]))
        return world

    def test_traffic_is_felt_near_the_road(self) -> None:
        quiet, busy = self.settle(CLEAR, 0.0), self.settle(CLEAR, 30_000.0)
        rise = busy.air["no2"] - quiet.air["no2"]
        assert rise[0] > 10
        assert 0 <= rise[1] < 0.5

    def test_a_steady_box_holds_emission_times_width_over_wind_and_height(self) -> None:
        """Without heating (20 °C): background + E W / (u H), to the drift of 8 % by 2.5 deviations."""
        world = self.settle(replace(CLEAR, temperature=20.0), 10_000.0)
        reach = 1 / (1 + (161.2 / 900) ** 2)
        expected = 1.6 * reach * 300 / (2.0 * 18)
        assert world.air["no2"][0] - 6.0 == pytest.approx(expected, rel=0.21)

    def test_wind_cleans_cold_and_inversion_foul(self) -> None:
        def rise(**changes: float) -> float:
            world = self.settle(replace(CLEAR, **changes), 5_000.0)
            return float(world.air["pm2_5"].mean() - 5.0)

        assert rise(wind_speed=5.0) < 0.5 * rise()
        assert rise(temperature=-15.0) > 1.7 * rise()
        assert rise(mixing_height=220.0) > 1.4 * rise()

    def test_exhaust_takes_ozone_and_sun_makes_it(self) -> None:
        base = self.settle(CLEAR, 0.0).air["o3"][0]
        assert self.settle(CLEAR, 30_000.0).air["o3"][0] < base
        assert self.settle(replace(CLEAR, solar=600.0), 0.0).air["o3"][0] > base + 20

    def test_rain_adds_up(self) -> None:
        world = self.build()
        before = world.rain_total.copy()
        for _ in range(60):
            world.advance(60.0, replace(CLEAR, rain=2.4), np.zeros(1))
        assert world.weather["rain_total"] - before == pytest.approx([2.4])


class TestGas:
    def build(self) -> Gas:
        return Gas(
            [Station("agds", 80_000.0, 5.4, 0.6)],
            [Regulator(f"r-{n}", "agds", 0.19) for n in range(5)],
            1,
        )

    def test_the_volume_is_the_flow_over_time(self) -> None:
        gas = self.build()
        before, passed = gas.volume.copy(), 0.0
        for hour in range(24):
            gas.advance(at_hour(hour), 3600.0, -5.0)
            passed += gas.stations["flow"][0]
        assert gas.stations["volume"] - before == pytest.approx([passed])

    def test_frost_takes_more_and_leaves_less_pressure(self) -> None:
        mild, frost = self.build(), self.build()
        mild.advance(at_hour(8), 60.0, 15.0)
        frost.advance(at_hour(8), 60.0, -25.0)
        assert frost.stations["flow"] > 3 * mild.stations["flow"]
        for quantity in ("inlet_pressure", "outlet_pressure"):
            assert (frost.regulators[quantity] < mild.regulators[quantity]).all()

    def test_the_coldest_morning_is_within_the_stations_capacity(self) -> None:
        assert gas_demand(at_hour(19), -30.0) < 1.0

    def test_regulators_hold_two_kilopascal_at_any_weather(self) -> None:
        gas = self.build()
        for degrees in range(-30, 40, 5):
            gas.advance(at_hour(19), 60.0, float(degrees))
            assert (gas.regulators["outlet_pressure"] > 1.8).all()
            assert (gas.regulators["outlet_pressure"] < 2.2).all()
            assert (gas.regulators["inlet_pressure"] > 0.5).all()


class TestWastewater:
    def build(self, seed: int = 1) -> Wastewater:
        stations = [LiftStation(f"s-{n}", "c", 500.0, 110.0) for n in range(3)]
        collectors = [Collector("c", 330.0, 1.0, (("p-1", 0.05), ("p-2", 0.95)))]
        return Wastewater(
            Sewerage(stations, collectors, ["in"], ["t-1", "t-2"], ["out"]), seed
        )

    @settings(max_examples=10, deadline=None)
    @given(seed=st.integers(0, 100), step=st.sampled_from([1.0, 10.0, 60.0, 300.0]))
    def test_a_wet_well_holds_what_came_less_what_was_pumped(
        self, seed: int, step: float
    ) -> None:
        world = self.build(seed)
        for n in range(60):
            level = world.level.copy()
            moment = moment_at(DAY + n * step, ALMATY)
            world.advance(moment, step, CLEAR, 1.0)
            came = world.stations["inflow"] * step / 3600 / 26.0
            pumped = level + came - world.level
            assert (pumped >= -1e-9).all()
            assert (pumped <= 2 * 500 * step / 3600 / 26.0 + 1e-9).all()

    def test_pumps_switch_between_their_levels_and_take_turns(self) -> None:
        world = self.build()
        levels, starts = [], np.zeros((2, 3))
        before = np.zeros((2, 3), dtype=bool)
        for n in range(24 * 360):
            world.advance(moment_at(DAY + n * 10, ALMATY), 10.0, CLEAR, 1.0)
            levels.append(world.stations["level"])
            running = np.array([world.stations["pump_1"], world.stations["pump_2"]]) > 0
            starts += running & ~before
            before = running
        assert 0.9 < np.min(levels) < 1.1
        assert 2.1 < np.max(levels) < 2.4
        assert np.abs(starts[0] - starts[1]).max() <= 1
        # Some 30 m3 at 110 m3/h in and 390 m3/h out: a cycle of about 22 minutes.
        assert 50 < starts.sum(axis=0).mean() < 80

    def test_a_downpour_is_pumped_by_both(self) -> None:
        world = self.build()
        for n in range(180):
            world.advance(
                moment_at(DAY + n * 60, ALMATY), 60.0, replace(CLEAR, rain=50.0), 1.5
            )
        assert (world.stations["pump_1"] + world.stations["pump_2"] == 4.0).all()

    def test_in_the_long_run_the_works_get_what_comes(self) -> None:
        world = self.build()
        for n in range(3 * 288):
            world.advance(moment_at(DAY + n * 300, ALMATY), 300.0, CLEAR, 1.0)
        assert world.outlets["flow"][0] == pytest.approx(3 * 110 + 330, rel=0.08)

    def test_sewage_follows_the_taps_by_hours(self) -> None:
        world = self.build()
        for n in range(48):
            world.advance(moment_at(DAY + n * 300, ALMATY), 300.0, CLEAR, 0.4)
        low = world.inlets["flow"][0]
        world.advance(moment_at(DAY + 48 * 300, ALMATY), 300.0, CLEAR, 1.6)
        assert world.inlets["flow"][0] == pytest.approx(low, rel=0.12)
        for n in range(49, 97):
            world.advance(moment_at(DAY + n * 300, ALMATY), 300.0, CLEAR, 1.6)
        assert world.inlets["flow"][0] > 2.5 * low
