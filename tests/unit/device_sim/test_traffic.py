"""Roads: vehicles are conserved, a jam slows and empties the road behind it, and goes."""

import numpy as np
import pytest

from device_sim.moment import moment_at
from device_sim.world.traffic import Direction, Road, Stream, Traffic
from tests.unit.device_sim.moments import ALMATY, DAY, at_hour

CALM, JAM = np.zeros(2), np.array([1.0, 0.0])


def roads() -> Traffic:
    return Traffic(
        [
            Road(
                "overpass",
                (
                    Stream("1", Direction.TOWARDS, 1, 75.0, 1750.0, 0.6),
                    Stream("2", Direction.AWAY, 1, 75.0, 1750.0, 0.6),
                ),
            ),
            Road("a3", (Stream("", Direction.ACROSS, 3, 100.0, 1850.0, 0.6),)),
        ],
        seed=1,
    )


def live(traffic: Traffic, start: float, seconds: int, jams: np.ndarray) -> None:
    for n in range(seconds):
        traffic.advance(moment_at(start + n, ALMATY), 1.0, jams)


@pytest.mark.parametrize("step", [1.0, 60.0])
def test_flow_is_density_times_speed_all_day(step: float) -> None:
    traffic = roads()
    for n in range(500):
        traffic.advance(moment_at(DAY + n * step, ALMATY), step, CALM)
        streams = traffic.streams
        density = streams["occupancy"] * 10 / 6.5
        assert streams["flow"] == pytest.approx(density * streams["speed"])
        assert (streams["queue"] == 0).all()


def test_the_morning_goes_towards_almaty_and_the_evening_away() -> None:
    traffic = roads()
    traffic.advance(at_hour(8), 60.0, CALM)
    morning = traffic.streams["flow"]
    traffic.advance(at_hour(18), 60.0, CALM)
    evening = traffic.streams["flow"]
    assert morning[0] > 1.3 * morning[1]
    assert evening[1] > 1.3 * evening[0]


def test_a_weekend_has_no_rush_hour() -> None:
    traffic = roads()
    traffic.advance(moment_at(DAY + 8 * 3600, ALMATY), 60.0, CALM)
    sunday = traffic.streams["flow"].sum()
    traffic.advance(at_hour(8), 60.0, CALM)
    assert traffic.streams["flow"].sum() > 1.8 * sunday


def test_lanes_together_count_more_than_one() -> None:
    traffic = roads()
    traffic.advance(at_hour(12), 60.0, CALM)
    ratio = traffic.streams["count"] / traffic.streams["flow"]
    assert ratio == pytest.approx([1, 1, 3])


@pytest.mark.parametrize("hour", [3.0, 8.0, 13.0, 18.0])
class TestJam:
    def test_it_shows_within_a_minute_at_any_hour(self, hour: float) -> None:
        traffic = roads()
        start = at_hour(hour).unix
        live(traffic, start, 120, CALM)
        calm = {
            name: traffic.streams[name].copy()
            for name in ("flow", "speed", "occupancy")
        }
        emission = traffic.emission.copy()
        live(traffic, start + 120, 60, JAM)
        streams = traffic.streams
        assert (streams["speed"][:2] < 10).all()
        assert (streams["occupancy"][:2] > 60).all()
        assert (streams["flow"][:2] < 270).all()
        assert streams["speed"][2] == pytest.approx(calm["speed"][2], rel=0.02)
        assert traffic.emission[0] > 1.8 * emission[0]

    def test_it_is_gone_within_five_minutes(self, hour: float) -> None:
        traffic = roads()
        start = at_hour(hour).unix
        live(traffic, start, 75, JAM)
        live(traffic, start + 75, 300, CALM)
        assert (traffic.streams["speed"][:2] > 70).all()
        assert (traffic.streams["queue"] == 0).all()


def test_a_queue_is_what_came_less_what_passed() -> None:
    """Until drivers turn away: a lane holds 18."""
    traffic = roads()
    start = at_hour(3.0).unix
    live(traffic, start, 10, JAM)
    queue = traffic.streams["queue"][:2]
    # Nearly no traffic of its own: the diverted 60 % come, 15 % pass.
    assert queue == pytest.approx(10 * 0.45 * 1750 / 3600, rel=0.15)
    live(traffic, start, 300, JAM)
    assert traffic.streams["queue"][:2] == pytest.approx([18, 18])


def test_a_road_is_read_by_its_channels() -> None:
    traffic = roads()
    traffic.advance(at_hour(12), 60.0, CALM)
    readers = traffic.readers()
    assert readers["overpass", "speed_2"]() == traffic.streams["speed"][1]
    assert readers["a3", "count"]() == traffic.streams["count"][2]
    assert readers["overpass", "signal"]() == 3.0
