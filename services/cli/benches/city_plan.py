"""PURE: the load of Alatau in 2050: who reports how often, and how much that is."""

from dataclasses import dataclass
from typing import Final

HOUSEHOLDS_OF_A_GATEWAY: Final = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """Devices that are alike. hosted: by gateways, so many of each household; else they publish themselves.

    like: the device type, shipped or of the bench's own, whose channels these have, repeated or cut to so many values.
    """

    key: str
    count: int
    period_s: float
    values: int
    like: str
    hosted: bool = False


_HOUSEHOLDS: Final = 600_000
YEAR_2050: Final = (
    Kind("smart_meter", _HOUSEHOLDS, 900, 6, "smart_meter", hosted=True),
    Kind("water_meter", _HOUSEHOLDS, 3600, 2, "water_meter", hosted=True),
    Kind("gas_meter", _HOUSEHOLDS, 3600, 2, "gas_meter", hosted=True),
    Kind("feeder_bay", 280, 1, 12, "feeder_bay"),
    Kind("distribution_transformer", 2400, 10, 10, "distribution_transformer"),
    Kind("main_logger", 1500, 60, 3, "main_logger"),
    Kind("works_inlet", 5, 1, 100, "works_inlet"),
    Kind("gas_regulator", 302, 10, 6, "gas_regulator"),
    Kind("intersection_controller", 600, 20, 48, "intersection_controller"),
    Kind("air_station", 500, 60, 8, "air_station"),
)


@dataclass(frozen=True, slots=True)
class CityPlan:
    """kinds: with their periods as they are played."""

    gateways: int
    kinds: tuple[Kind, ...]

    @property
    def hosted(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in self.kinds if kind.hosted)

    @property
    def direct(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in self.kinds if not kind.hosted)

    @property
    def items_per_second(self) -> float:
        return sum(kind.count / kind.period_s for kind in self.kinds)

    @property
    def readings_per_second(self) -> float:
        return sum(kind.count * kind.values / kind.period_s for kind in self.kinds)

    @property
    def frames(self) -> int:
        return sum(kind.count for kind in self.kinds)

    @property
    def datastreams(self) -> int:
        return sum(kind.count * kind.values for kind in self.kinds)

    @property
    def publishers(self) -> int:
        return self.gateways + sum(kind.count for kind in self.direct)


def city_plan(speed: float = 1.0, scale: float = 1.0) -> CityPlan:
    """All periods divided by speed; all numbers multiplied by scale, with one of each at least."""
    gateways = max(1, round(_HOUSEHOLDS * scale / HOUSEHOLDS_OF_A_GATEWAY))

    def scaled(kind: Kind) -> Kind:
        count = (
            gateways * HOUSEHOLDS_OF_A_GATEWAY
            if kind.hosted
            else max(1, round(kind.count * scale))
        )
        period_s = kind.period_s / speed
        return Kind(kind.key, count, period_s, kind.values, kind.like, kind.hosted)

    return CityPlan(gateways, tuple(scaled(kind) for kind in YEAR_2050))


def member(kind: Kind, number: int) -> str:
    """The device id of the number-th that publishes itself; from 0."""
    return f"{kind.key.replace('_', '-')}-{number + 1:04}"


def gateway(number: int) -> str:
    return f"gateway-{number + 1:04}"


def hosted_prefix(kind: Kind) -> str:
    """Hosted devices are `<prefix>-<gateway, 4 digits>-<household, 3 digits>`."""
    return kind.key.replace("_", "-")


def due(kind_period_s: float, count: int, elapsed_s: float) -> int:
    """How many messages of so many senders should have gone by then: evenly, one after the other."""
    return int(elapsed_s * count / kind_period_s)
