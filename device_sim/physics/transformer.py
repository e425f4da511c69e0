"""PURE: heat and losses of oil-immersed transformers.

Source: IEC 60076-7:2018, Loading guide for mineral-oil-immersed power transformers (ONAN values).
"""

from dataclasses import dataclass

from device_sim.signals import Floats, approach


@dataclass(frozen=True, slots=True)
class Cooling:
    """Rises in kelvin at rated load, time constants in seconds."""

    oil_rise: float
    winding_gradient: float
    loss_ratio: float  # load losses over no-load losses, at rated load
    oil_exponent: float
    winding_exponent: float
    oil_constant: float
    winding_constant: float


DISTRIBUTION = Cooling(55.0, 23.0, 5.0, 0.8, 1.6, 180 * 60.0, 4 * 60.0)
POWER = Cooling(52.0, 26.0, 6.0, 0.8, 1.3, 210 * 60.0, 10 * 60.0)

_NO_LOAD_LOSS = 0.0016  # of the rating, per unit


def steady_oil_rise(load: Floats, cooling: Cooling) -> Floats:
    """Kelvin over ambient. load: per unit of the rating."""
    ratio = cooling.loss_ratio
    rise: Floats = ((1.0 + ratio * load**2) / (1.0 + ratio)) ** cooling.oil_exponent
    return cooling.oil_rise * rise


def steady_winding_gradient(load: Floats, cooling: Cooling) -> Floats:
    """Kelvin of the hot spot over top oil."""
    gradient: Floats = cooling.winding_gradient * load**cooling.winding_exponent
    return gradient


def losses(load: Floats, rating: Floats, cooling: Cooling) -> Floats:
    """In the unit of the rating."""
    return rating * _NO_LOAD_LOSS * (1.0 + cooling.loss_ratio * load**2)


class Heat:
    """Oil rise and winding gradient following the load with their own time constants."""

    def __init__(self, load: Floats, cooling: Cooling) -> None:
        self._cooling = cooling
        self._oil_rise = steady_oil_rise(load, cooling)
        self._gradient = steady_winding_gradient(load, cooling)

    def advance(self, load: Floats, seconds: float) -> None:
        cooling = self._cooling
        oil, gradient = (
            steady_oil_rise(load, cooling),
            steady_winding_gradient(load, cooling),
        )
        self._oil_rise = approach(self._oil_rise, oil, seconds, cooling.oil_constant)
        self._gradient = approach(
            self._gradient, gradient, seconds, cooling.winding_constant
        )

    def oil(self, ambient: float) -> Floats:
        return ambient + self._oil_rise

    def winding(self, ambient: float) -> Floats:
        return ambient + self._oil_rise + self._gradient
