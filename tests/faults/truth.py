"""What the publishers know: every item that they ever made. A value follows from its device and time, so times are enough."""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from services.core.city.catalogue import Kind, ObservedProperty
from services.core.city.entities import City, Device

_STEPS: Final = 9_973
_STRIDE: Final = 2_654_435_761
_EXCURSION_MS: Final = (
    60_000  # a quarter of each minute, some devices leave their range
)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A channel that stores what was sent. slot: its place in the row; beyond: a value that rules may mind."""

    channel: str
    slot: int
    low: float
    high: float
    beyond: float


@dataclass(frozen=True, slots=True)
class Instrument:
    """A device as its publisher sees it."""

    device: str
    salt: int
    gauges: tuple[Gauge, ...]

    def values(self, time_ms: int) -> dict[str, float]:
        return {
            gauge.channel: self._value(gauge, time_ms)
            for gauge in self.gauges[: 1 + time_ms % len(self.gauges)]
        }

    def results(self, time_ms: int) -> dict[int, float]:
        """By slot, as they must be stored."""
        by_channel = self.values(time_ms)
        return {
            gauge.slot: by_channel[gauge.channel]
            for gauge in self.gauges
            if gauge.channel in by_channel
        }

    def _value(self, gauge: Gauge, time_ms: int) -> float:
        if self.salt % 4 == 0 and time_ms % _EXCURSION_MS < _EXCURSION_MS // 4:
            return gauge.beyond
        part = ((time_ms * _STRIDE + self.salt) % _STEPS) / _STEPS
        return round(gauge.low + (gauge.high - gauge.low) * part, 3)


@dataclass(slots=True)
class Made:
    """All items of one device, in the order of their times; seqs: of the message each went with."""

    instrument: Instrument
    times: "array[int]" = field(default_factory=lambda: array("q"))
    seqs: "array[int]" = field(default_factory=lambda: array("q"))

    def next_time(self, now_ms: int) -> int:
        return max(now_ms, self.times[-1] + 1) if self.times else now_ms

    def add(self, time_ms: int, seq: int) -> None:
        self.times.append(time_ms)
        self.seqs.append(seq)

    def seq_of(self, time_ms: int) -> int | None:
        """The number of the message that had the item of this time; None: no such item was made."""
        place = bisect_left(self.times, time_ms)
        if place == len(self.times) or self.times[place] != time_ms:
            return None
        return self.seqs[place]


def instrument_of(city: City, device: Device, salt: int) -> Instrument | None:
    """None: the device has no channel whose values are stored as they are sent."""
    if device.type is None:
        return None
    gauges = []
    for slot, channel in enumerate(city.device_types[device.type].channels):
        entry = city.catalogue[channel.observed_property]
        plain = (channel.factor, channel.addend, channel.unit) == (1.0, 0.0, entry.unit)
        if plain and (gauge := _gauge(channel.name, slot, entry)):
            gauges.append(gauge)
    return Instrument(device.key, salt, tuple(gauges[:4])) if gauges else None


def _gauge(channel: str, slot: int, entry: ObservedProperty) -> Gauge | None:
    low, high = entry.plausible.minimum, entry.plausible.maximum
    if entry.kind is not Kind.MEASUREMENT or low is None or high is None:
        return None
    middle, reach = (low + high) / 2, (high - low) / 20
    most = entry.hard.maximum
    beyond = high + reach if most is None else min(high + reach, most)
    return Gauge(channel, slot, middle - reach, middle + reach, round(beyond, 3))
