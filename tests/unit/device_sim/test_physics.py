"""The laws against closed forms and published figures."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.physics.atmosphere import (
    clear_sky_radiation,
    relative_humidity,
    solar_elevation_sine,
    vapour_pressure,
)
from device_sim.physics.pipe import (
    gas_outlet_pressure,
    leak_flow,
    pressure_with_leak,
    sewer_depth,
    sewer_velocity,
)
from device_sim.physics.road import Lane, occupancy, speed
from device_sim.physics.transformer import (
    DISTRIBUTION,
    Heat,
    losses,
    steady_oil_rise,
    steady_winding_gradient,
)
from device_sim.signals import Floats


def one(value: float) -> Floats:
    return np.array([value])


LANE = Lane(one(60.0), one(1800.0))


class TestTransformer:
    def test_at_rated_load_it_is_as_hot_as_the_standard_says(self) -> None:
        """IEC 60076-7: ONAN distribution transformer, 20 °C ambient: hot spot 98 °C."""
        heat = Heat(one(1.0), DISTRIBUTION)
        assert heat.oil(20.0)[0] == pytest.approx(75.0)
        assert heat.winding(20.0)[0] == pytest.approx(98.0)

    def test_unloaded_only_the_iron_heats(self) -> None:
        """Loss ratio 5, exponent 0.8: 55 K (1/6)^0.8 = 13.1 K."""
        assert steady_oil_rise(one(0.0), DISTRIBUTION)[0] == pytest.approx(
            13.1, abs=0.1
        )
        assert steady_winding_gradient(one(0.0), DISTRIBUTION)[0] == 0.0

    def test_oil_follows_with_three_hours_winding_with_four_minutes(self) -> None:
        heat = Heat(one(0.0), DISTRIBUTION)
        cold_oil, cold_winding = heat.oil(0.0)[0], heat.winding(0.0)[0]
        heat.advance(one(1.0), 240.0)
        oil_done = (heat.oil(0.0)[0] - cold_oil) / (55.0 - cold_oil)
        gradient = heat.winding(0.0)[0] - heat.oil(0.0)[0]
        assert oil_done == pytest.approx(1 - math.exp(-240 / 10_800))
        assert gradient == pytest.approx(23.0 * (1 - 1 / math.e))
        assert cold_winding == cold_oil

    def test_losses_at_rated_load_are_near_one_percent(self) -> None:
        assert losses(one(1.0), one(630.0), DISTRIBUTION)[0] == pytest.approx(
            6.05, abs=0.1
        )


class TestPipe:
    @given(
        head=st.floats(1, 12),
        demand=st.floats(0, 500),
        resistance=st.floats(1e-8, 1e-5),
        emitter=st.floats(0, 300),
    )
    def test_pressure_closes_the_balance(
        self, head: float, demand: float, resistance: float, emitter: float
    ) -> None:
        """What the closed form says must satisfy p = head - k (demand + leak(p))^2."""
        pressure = pressure_with_leak(
            one(head), one(demand), one(resistance), one(emitter)
        )
        flow = demand + leak_flow(pressure, one(emitter))[0]
        if pressure[0] > 0:
            assert pressure[0] == pytest.approx(head - resistance * flow**2, rel=1e-6)
        else:
            assert resistance * demand**2 >= head * (1 - 1e-9)

    @given(st.floats(0, 200), st.floats(1, 100))
    def test_a_leak_takes_pressure_and_adds_flow(
        self, small: float, more: float
    ) -> None:
        at = (one(6.0), one(100.0), one(1e-5))
        less, worse = (
            pressure_with_leak(*at, one(small)),
            pressure_with_leak(*at, one(small + more)),
        )
        assert worse[0] < less[0]
        assert leak_flow(worse, one(small + more))[0] > leak_flow(less, one(small))[0]

    def test_an_orifice_alone_obeys_torricelli(self) -> None:
        pressure = pressure_with_leak(one(4.0), one(0.0), one(0.0), one(10.0))
        assert leak_flow(pressure, one(10.0))[0] == pytest.approx(20.0)

    def test_a_half_full_sewer_carries_half_at_full_velocity(self) -> None:
        """Round pipe, Manning: at half depth the hydraulic radius is that of the full pipe."""
        assert sewer_depth(one(0.5))[0] == pytest.approx(0.5, abs=0.001)
        assert sewer_velocity(one(0.5))[0] == pytest.approx(1.0, abs=0.001)

    def test_a_sewer_is_fastest_at_four_fifths(self) -> None:
        """Camp 1946: 1.14 times the full velocity at 0.81 of the depth."""
        depths = np.linspace(0, 1, 201)
        velocities = sewer_velocity(depths)
        assert depths[np.argmax(velocities)] == pytest.approx(0.81, abs=0.01)
        assert velocities.max() == pytest.approx(1.14, abs=0.005)

    @given(st.floats(0.01, 1.05))
    def test_sewer_flow_is_area_times_velocity(self, ratio: float) -> None:
        depth = sewer_depth(one(ratio))
        angle = 2 * np.arccos(1 - 2 * depth)
        area = (angle - np.sin(angle)) / (2 * np.pi)
        assert (area * sewer_velocity(depth))[0] == pytest.approx(ratio, rel=0.02)

    def test_gas_pressure_falls_by_the_difference_of_squares(self) -> None:
        outlet = gas_outlet_pressure(one(0.5), one(30.0), one(1e-4))
        assert outlet[0] == pytest.approx(0.4)
        assert gas_outlet_pressure(one(0.5), one(1e6), one(1e-4))[0] == 0.0


class TestRoad:
    @given(st.floats(0, 140))
    def test_flow_never_exceeds_capacity(self, density: float) -> None:
        assert 0 <= LANE.flow(one(density))[0] <= 1800 * (1 + 1e-12)

    @given(st.floats(1, 1800))
    def test_a_flow_has_one_free_and_one_queued_density(self, flow: float) -> None:
        free, queued = LANE.free_density(one(flow)), LANE.queued_density(one(flow))
        assert free[0] <= 30 + 1e-9 <= queued[0] + 2e-9
        for density in (free, queued):
            assert LANE.flow(density)[0] == pytest.approx(flow)
        assert speed(one(flow), free, one(60.0))[0] == pytest.approx(60.0)
        assert speed(one(flow), queued, one(60.0))[0] <= 60.0 + 1e-9

    def test_the_diagram_has_its_three_corners(self) -> None:
        corners = LANE.flow(np.array([0.0, LANE.critical_density[0], LANE.jam_density]))
        assert corners == pytest.approx([0.0, 1800.0, 0.0])
        # Queues grow backwards at 15 to 20 km/h on real roads.
        assert 14 < LANE.wave_speed[0] < 20

    def test_an_empty_road_is_free(self) -> None:
        assert speed(one(0.0), one(0.0), one(60.0))[0] == 60.0

    def test_bumper_to_bumper_nearly_fills_a_detector(self) -> None:
        assert occupancy(one(140.0))[0] == pytest.approx(91.0)
        assert occupancy(one(200.0))[0] == 100.0


class TestAtmosphere:
    def test_the_sun_stands_where_almanacs_say(self) -> None:
        """Latitude 43.6: at noon 69.8 degrees on 21 June and 23.0 on 21 December."""
        for day, elevation in ((172, 69.8), (355, 23.0)):
            sine = solar_elevation_sine(43.6, day, 12.0)
            assert math.degrees(math.asin(sine)) == pytest.approx(elevation, abs=0.3)
        assert solar_elevation_sine(43.6, 355, 0.0) < 0

    def test_day_and_night_are_equal_in_march(self) -> None:
        assert solar_elevation_sine(43.6, 80.5, 6.0) == pytest.approx(0.0, abs=0.01)

    def test_the_clear_sky_is_as_bright_as_measured(self) -> None:
        assert clear_sky_radiation(1.0) == pytest.approx(1035, abs=1)
        assert clear_sky_radiation(-0.1) == 0.0

    def test_saturated_vapour(self) -> None:
        """WMO-No. 8: 6.11 hPa at 0 °C, 23.4 hPa at 20 °C."""
        assert vapour_pressure(0.0) == pytest.approx(6.112)
        assert vapour_pressure(20.0) == pytest.approx(23.33, abs=0.1)

    @given(st.floats(-30, 40), st.floats(0, 30))
    def test_humidity_is_full_at_the_dew_point(
        self, dew_point: float, above: float
    ) -> None:
        humidity = relative_humidity(dew_point + above, dew_point)
        assert 0 < humidity <= 100
        assert relative_humidity(dew_point, dew_point) == pytest.approx(100)
