"""PURE: what a device makes of a true value: noise, resolution, the unit and the words of its channel."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from device_sim.world.table import Reader
from services.core.broker.messages import SourceQuality
from services.core.city.catalogue import Kind, ObservedProperty
from services.core.city.entities import Channel, Sampling

_DOUBTS: Final[tuple[SourceQuality, ...]] = ("suspect", "estimated", "substituted")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Standard deviations: relative, so that nothing stays nothing, and absolute in the canonical unit."""

    relative: float
    absolute: float = 0.0


_BY_UNIT: Final = {
    "Cel": Accuracy(0.0, 0.05),
    "deg": Accuracy(0.0, 6.0),
    "Hz": Accuracy(0.0, 0.001),
    "[pH]": Accuracy(0.0, 0.01),
    "hPa": Accuracy(0.0, 0.05),
    "V": Accuracy(0.0005),
    "kV": Accuracy(0.0005),
    "m": Accuracy(0.001),
    "1": Accuracy(0.0),
}
_ORDINARY: Final = Accuracy(0.004)


class Probe:
    """One channel of one device. read: the true value now, in the canonical unit."""

    def __init__(
        self, channel: Channel, observed: ObservedProperty, read: Reader
    ) -> None:
        self.name = channel.name
        self._channel = channel
        self._observed = observed
        self._read = read
        self._accuracy = _BY_UNIT.get(observed.unit, _ORDINARY)
        self._words = {float(code.value): code.key for code in observed.codes}
        self._counts_hours = (
            channel.sampling_period.total_seconds() / 3600.0
            if observed.unit == "{vehicles}"
            and channel.sampling is not Sampling.INSTANT
            else 0.0
        )

    def sample(self, chance: np.random.Generator) -> float | str:
        """The value as it is sent."""
        true = self._read()
        match self._observed.kind:
            case Kind.STATE:
                return self._words[true]
            case Kind.BITS:
                return int(true)
            case Kind.COUNTER:
                return round(self._to_sent(true), 3)
            case Kind.MEASUREMENT if self._counts_hours:
                return int(chance.poisson(true * self._counts_hours))
            case Kind.MEASUREMENT:
                return float(f"{self._to_sent(self._with_noise(true, chance)):.5g}")

    def doubt(self, chance: np.random.Generator) -> SourceQuality:
        return _DOUBTS[int(chance.integers(len(_DOUBTS)))]

    @property
    def may_doubt(self) -> bool:
        return self._observed.kind is Kind.MEASUREMENT and not self._counts_hours

    def _with_noise(self, true: float, chance: np.random.Generator) -> float:
        width = abs(true) * self._accuracy.relative + self._accuracy.absolute
        noise = float(np.clip(chance.standard_normal(), -2.5, 2.5))
        span = self._observed.hard
        low = -np.inf if span.minimum is None else span.minimum
        high = np.inf if span.maximum is None else span.maximum
        return float(min(max(true + width * noise, low), high))

    def _to_sent(self, canonical: float) -> float:
        return (canonical - self._channel.addend) / self._channel.factor


def wandering(observed: ObservedProperty, chance: np.random.Generator) -> Reader:
    """For what no world models: a calm code, or a walk in the middle of the plausible range."""
    if observed.codes:
        calm = [code.value for code in observed.codes if not code.abnormal]
        value = 0.0 if observed.kind is Kind.BITS else float(calm[0])
        return lambda: value
    span = observed.plausible
    low = 0.0 if span.minimum is None else span.minimum
    high = low + 100.0 if span.maximum is None else span.maximum
    place = 0.5

    def walk() -> float:
        nonlocal place
        step = 0.01 * float(chance.standard_normal())
        if observed.kind is Kind.COUNTER:
            place += abs(step)
        else:
            place = min(0.7, max(0.3, place + step))
        return low + place * (high - low)

    return walk
