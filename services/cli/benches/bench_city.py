"""PURE: a city of nothing but devices of a few sizes."""

import datetime as dt
from collections.abc import Sequence

from services.core.city.catalogue import (
    Aggregation,
    Domain,
    Kind,
    ObservedProperty,
    Span,
)
from services.core.city.entities import (
    Channel,
    City,
    Device,
    DeviceType,
    District,
    Sensor,
    Thing,
)
from services.core.city.language import Text

_HERE = (76.9, 43.2)
_SQUARE = [[76.8, 43.1], [77.0, 43.1], [77.0, 43.3], [76.8, 43.1]]


def channels(values: int) -> tuple[str, ...]:
    return tuple(f"channel_{place:02}" for place in range(values))


def publishers(values: int, devices: int) -> list[str]:
    return [f"bench-{values:02}-{number:04}" for number in range(devices)]


def bench_city(sizes: Sequence[int], devices: int) -> City:
    """Every channel has a hard and a plausible range, so that both checks are at work."""
    measured = ObservedProperty(
        "measured",
        Domain.POWER,
        Kind.MEASUREMENT,
        "V",
        _text("measured"),
        (Aggregation.AVG,),
        Span(0, 1000),
        Span(10, 500),
    )
    all_devices = {
        name: Device(name, f"type-{values}", f"thing-{name}", publishes=True)
        for values in sizes
        for name in publishers(values, devices)
    }
    return City(
        key="bench",
        name=_text("bench"),
        time_zone="UTC",
        longitude=_HERE[0],
        latitude=_HERE[1],
        districts={
            "all": District(
                "all", _text("all"), {"type": "Polygon", "coordinates": [_SQUARE]}
            )
        },
        catalogue={"measured": measured},
        sensors={"sensor": Sensor("sensor", _text("sensor"))},
        device_types={f"type-{values}": _device_type(values) for values in sizes},
        things={f"thing-{name}": _thing(f"thing-{name}") for name in all_devices},
        relations=(),
        devices=all_devices,
    )


def _device_type(values: int) -> DeviceType:
    return DeviceType(
        f"type-{values}",
        _text(f"{values} values"),
        "sensor",
        tuple(Channel(name, "measured", "V") for name in channels(values)),
        dt.timedelta(seconds=1),
    )


def _thing(key: str) -> Thing:
    return Thing(
        key,
        "post",
        Domain.POWER,
        _text(key),
        "all",
        {"type": "Point", "coordinates": list(_HERE)},
        *_HERE,
    )


def _text(name: str) -> Text:
    return Text(kk=name, ru=name, en=name)
