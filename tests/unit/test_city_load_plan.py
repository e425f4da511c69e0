"""The load of 2050 is what the issue says, at any speed and scale."""

import pytest

from services.cli.benches.city_plan import city_plan, due


def test_the_figures_of_2050() -> None:
    plan = city_plan()
    assert plan.items_per_second == pytest.approx(1_620, rel=0.002)
    assert plan.readings_per_second == pytest.approx(12_700, rel=0.002)
    assert plan.datastreams == 6_066_972
    assert plan.frames == 1_805_587
    assert plan.publishers == 6_787
    assert plan.gateways == 1_200


def test_speed_divides_periods_and_nothing_else() -> None:
    plan, ten = city_plan(), city_plan(speed=10)
    assert ten.items_per_second == pytest.approx(10 * plan.items_per_second)
    assert (ten.datastreams, ten.publishers) == (plan.datastreams, plan.publishers)


def test_a_small_scale_has_one_of_each_at_least() -> None:
    plan = city_plan(scale=0.0001)
    assert {kind.count for kind in plan.direct} == {1}
    assert {kind.count for kind in plan.hosted} == {500}
    hundredth = city_plan(scale=0.01)
    assert hundredth.datastreams == pytest.approx(60_670, rel=0.002)


@pytest.mark.parametrize("elapsed", [0.0, 0.3, 1.0, 899.9, 900.0])
def test_what_is_due_is_spread_over_the_period(elapsed: float) -> None:
    assert due(900, 600, elapsed) == int(elapsed * 600 / 900)
