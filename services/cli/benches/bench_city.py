"""PURE: the shipped city with devices of a few sizes besides, whose values the shipped rules look at."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.core.city.entities import Channel, City, Device, DeviceType, Thing
from services.core.city.language import Text

# Observed property and a value at which no rule has anything to say. The first ten are watched by rules.
MEASURED: Final = (
    ("low_voltage", 230.5),
    ("pm2_5", 12.5),
    ("no2", 30.5),
    ("wind_gust", 5.5),
    ("methane", 0.5),
    ("rain_rate", 1.5),
    ("transformer_oil_temperature", 55.5),
    ("free_chlorine", 0.5),
    ("reservoir_level", 3.5),
    ("effluent_ammonium", 0.5),
    ("pm10", 40.5),
    ("so2", 20.5),
    ("o3", 50.5),
    ("air_temperature", 12.5),
    ("relative_humidity", 45.5),
    ("air_pressure", 940.5),
    ("wind_speed", 3.5),
    ("water_pressure", 5.5),
    ("water_temperature", 8.5),
    ("line_current", 150.5),
)


def channels(values: int) -> tuple[str, ...]:
    """The channels of a device with so many values, at most twenty."""
    return tuple(name for name, _ in MEASURED[:values])


def publishers(values: int, devices: int) -> list[str]:
    return [f"bench-{values:02}-{number:04}" for number in range(devices)]


def bench_city(shipped: City, sizes: Sequence[int], devices: int) -> City:
    """Every device is a post of its own that publishes for itself."""
    added = {
        name: Device(name, f"bench_{values}", f"thing-{name}", publishes=True)
        for values in sizes
        for name in publishers(values, devices)
    }
    posts = {f"thing-{name}": _post(shipped, f"thing-{name}") for name in added}
    types = {f"bench_{values}": _device_type(shipped, values) for values in sizes}
    return replace(
        shipped,
        device_types={**shipped.device_types, **types},
        things={**shipped.things, **posts},
        devices={**shipped.devices, **added},
    )


def _device_type(shipped: City, values: int) -> DeviceType:
    return DeviceType(
        f"bench_{values}",
        _text(f"{values} values"),
        next(iter(shipped.sensors)),
        tuple(
            Channel(name, name, shipped.catalogue[name].unit)
            for name in channels(values)
        ),
        dt.timedelta(milliseconds=20),
    )


def _post(shipped: City, key: str) -> Thing:
    model = next(iter(shipped.things.values()))
    return replace(model, key=key, name=_text(key), protected=False, properties={})


def _text(name: str) -> Text:
    return Text(kk=name, ru=name, en=name)
