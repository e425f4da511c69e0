"""PURE: the distribution grid from the households up: meters, transformer points, feeders.

Every kilowatt is accounted for: a transformer carries its metered and its other customers, a feeder its
transformers, their losses, the line's loss and what is switched over to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.moment import Moment
from device_sim.physics.transformer import DISTRIBUTION, Heat, losses
from device_sim.signals import Drift, Floats, Profile, generator_for, sum_by
from device_sim.world.table import Table, places_of

# Shares of the mean of a residential feeder: a morning and an evening peak, later mornings at the weekend.
_WEEKDAY: Final = Profile(
    (0.68, 0.60, 0.56, 0.54, 0.56, 0.66, 0.90, 1.12, 1.10, 1.00, 0.96, 0.96,
     0.98, 0.97, 0.96, 0.98, 1.08, 1.26, 1.44, 1.52, 1.48, 1.32, 1.08, 0.84)
).scaled_to_mean(1.0)  # fmt: skip
_WEEKEND: Final = Profile(
    (0.76, 0.66, 0.60, 0.56, 0.56, 0.60, 0.70, 0.86, 1.02, 1.14, 1.18, 1.18,
     1.18, 1.14, 1.10, 1.10, 1.16, 1.28, 1.42, 1.48, 1.42, 1.28, 1.08, 0.88)
).scaled_to_mean(1.0)  # fmt: skip
_COMFORT: Final = 18.0
_HEATING, _COOLING = 0.012, 0.020  # more load per kelvin away from comfort
_CUSTOMER_KW: Final = 0.85  # mean of a household
_MEAN_LOAD: Final = 0.40  # of a distribution transformer's rating
_POWER_FACTOR: Final = 0.95
MEAN_KW_PER_KVA: Final = _MEAN_LOAD * _POWER_FACTOR
_TAN_PHI: Final = (1.0 / _POWER_FACTOR**2 - 1.0) ** 0.5
_ROOT_3: Final = 3.0**0.5
_NOMINAL_KV: Final = 10.0
_LINE_LOSS: Final = 0.02  # of a feeder's load at its rated current
_FEEDER_DROP: Final = 0.045  # of the voltage, at rated current, to the far end
_TRANSFORMER_DROP: Final = 0.025  # at rated load
_LOW_VOLTAGE: Final = 400.0 / _ROOT_3
_OVERLOAD: Final = 1.30  # of its rated current: what an overloaded feeder carries
_OWN_EXCESS: Final = 0.45  # by how much more its own customers take meanwhile
_CLOSED: Final = 2.0


@dataclass(frozen=True, slots=True)
class Meter:
    thing: str
    transformer: str


@dataclass(frozen=True, slots=True)
class Transformer:
    """A distribution transformer; rating in kVA."""

    thing: str
    feeder: str
    rating: float


@dataclass(frozen=True, slots=True)
class Feeder:
    """bus: the power transformer that feeds it; rated_current in ampere."""

    thing: str
    bus: str
    rated_current: float


@dataclass(frozen=True, slots=True)
class Network:
    meters: Sequence[Meter]
    transformers: Sequence[Transformer]
    feeders: Sequence[Feeder]


class Distribution:
    """Tables `meters`, `transformers`, `feeders`: kW, kvar, A, V or kV, per cent, Celsius; counters in kWh."""

    def __init__(self, network: Network, seed: int) -> None:
        self.meters = Table([meter.thing for meter in network.meters])
        self.transformers = Table([each.thing for each in network.transformers])
        self.feeders = Table([feeder.thing for feeder in network.feeders])
        self._meter_at = places_of(
            [meter.transformer for meter in network.meters], self.transformers.things
        )
        self._transformer_at = places_of(
            [each.feeder for each in network.transformers], self.feeders.things
        )
        self._rating = np.array([each.rating for each in network.transformers])
        self._rated_current = np.array([each.rated_current for each in network.feeders])
        self._customers = np.round(self._rating * MEAN_KW_PER_KVA / _CUSTOMER_KW)
        self._build_chance(seed)
        self.energy = self._chance.uniform(500.0, 9_000.0, len(self.meters))
        self._heat: Heat | None = None

    def _build_chance(self, seed: int) -> None:
        self._chance = chance = generator_for(seed, "power")
        meters, transformers = len(self.meters), len(self.transformers)
        self._size = chance.uniform(0.6, 1.5, meters)
        self._habits = Drift(chance, meters, deviation=0.35, memory=1_200.0)
        self._unmetered = Drift(chance, transformers, deviation=0.03, memory=1_800.0)
        # From a tenth of the feeder's length to its end.
        self._distance = chance.uniform(0.1, 1.0, transformers)
        self._phases = {
            phase: chance.uniform(-0.02, 0.02, max(transformers, len(self.feeders)))
            for phase in ("l1", "l2")
        }

    def advance(
        self, moment: Moment, seconds: float, around: "Supply", overload: Floats
    ) -> None:
        """overload: of each feeder, 0 none to 1 full."""
        household = _CUSTOMER_KW * demand(moment, around.temperature)
        excess = 1.0 + _OWN_EXCESS * overload[self._transformer_at]
        metered = self._metered(household, seconds) * excess[self._meter_at]
        load = self._transformer_load(household, metered, seconds, excess)
        ratio = load / _POWER_FACTOR / self._rating
        self._heat = self._heat or Heat(ratio, DISTRIBUTION)
        self._heat.advance(ratio, seconds)
        currents = self._feed(
            load, losses(ratio, self._rating, DISTRIBUTION), overload, around
        )
        voltage = self._transform(load, ratio, currents, around)
        self.energy = self.energy + metered * seconds / 3600.0
        self._meter(metered, voltage)

    def _metered(self, household: float, seconds: float) -> Floats:
        habits = np.exp(self._habits.advance(seconds))
        metered: Floats = household * self._size * habits
        return metered

    def _transformer_load(
        self, household: float, metered: Floats, seconds: float, excess: Floats
    ) -> Floats:
        count = sum_by(self._meter_at, np.ones_like(metered), len(self.transformers))
        others = np.maximum(0.0, self._customers - count) * household * excess
        others = others * (1.0 + self._unmetered.advance(seconds))
        load: Floats = others + sum_by(self._meter_at, metered, len(self.transformers))
        return load

    def _feed(
        self, load: Floats, lost: Floats, overload: Floats, around: "Supply"
    ) -> Floats:
        """Load the feeders; returns their currents over the rated ones."""
        count = len(self.feeders)
        rated = self._rated_current * _NOMINAL_KV * _ROOT_3 * _POWER_FACTOR
        own = sum_by(self._transformer_at, load + lost, count)
        line_loss = _LINE_LOSS * own * own / rated
        switched_over = overload * np.maximum(0.0, _OVERLOAD * rated - own)
        power = own + line_loss + switched_over
        bus = around.bus_voltage
        current = power / (_ROOT_3 * bus * _POWER_FACTOR)
        self.feeders.write(
            active_power=power,
            reactive_power=power * _TAN_PHI,
            line_loss=line_loss,
            switched_over=switched_over,
            frequency=np.full(count, around.frequency),
            breaker=np.full(count, _CLOSED),
            alarms=np.zeros(count),
            **self._by_phase("voltage", bus, 0.1),
            **self._by_phase("current", current, 1.0),
        )
        ratio: Floats = current / self._rated_current
        return ratio

    def _transform(
        self, load: Floats, ratio: Floats, currents: Floats, around: "Supply"
    ) -> Floats:
        """Fill the transformers' table; returns their low voltage."""
        assert self._heat is not None  # noqa: S101 # advance() made it
        at_feeder = around.bus_voltage[self._transformer_at] / _NOMINAL_KV
        drop = _FEEDER_DROP * currents[self._transformer_at] * self._distance
        voltage: Floats = (
            _LOW_VOLTAGE * at_feeder * (1.0 - drop) * (1.0 - _TRANSFORMER_DROP * ratio)
        )
        current = load / _POWER_FACTOR * 1000.0 / (3.0 * voltage)
        self.transformers.write(
            active_power=load,
            load=100.0 * ratio,
            oil_temperature=self._heat.oil(around.temperature),
            **self._by_phase("voltage", voltage, 0.2),
            **self._by_phase("current", current, 3.0),
        )
        return voltage

    def _meter(self, metered: Floats, voltage: Floats) -> None:
        at_meter = voltage[self._meter_at] * (1.0 - 0.002 * metered)
        self.meters.write(
            voltage=at_meter,
            current=metered * 1000.0 / (at_meter * _POWER_FACTOR),
            active_power=metered,
            energy=self.energy,
        )

    def _by_phase(
        self, quantity: str, mean: Floats, unevenness: float
    ) -> dict[str, Floats]:
        """Three phases around their mean."""
        one, two = (
            1.0 + unevenness * offset[: mean.size] for offset in self._phases.values()
        )
        return {
            f"{quantity}_l1": mean * one,
            f"{quantity}_l2": mean * two,
            f"{quantity}_l3": mean * (3.0 - one - two),
        }


@dataclass(frozen=True, slots=True)
class Supply:
    """What the network stands in: kV of each feeder's bus, Hz, outdoor Celsius."""

    bus_voltage: Floats
    frequency: float
    temperature: float


def demand(moment: Moment, temperature: float) -> float:
    """Of the mean household, over its yearly mean: hour, kind of day, heating and cooling."""
    rhythm = _WEEKEND if moment.weekend else _WEEKDAY
    cold, heat = (
        max(0.0, _COMFORT - temperature),
        max(0.0, temperature - _COMFORT - 4.0),
    )
    return rhythm.at(moment.hour) * (1.0 + _HEATING * cold + _COOLING * heat)
