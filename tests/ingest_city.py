"""A city of a few devices that shows every kind of value, for ingest's tests."""

import datetime as dt

from services.core.city.catalogue import (
    Aggregation,
    Domain,
    Kind,
    ObservedProperty,
    Span,
    StateCode,
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
from services.core.storage.pool import Connection
from services.core.storage.registry_store import apply_city


def _text(name: str) -> Text:
    return Text(kk=name, ru=name, en=name)


def _codes(*keys: str, weights: bool = False) -> tuple[StateCode, ...]:
    return tuple(
        StateCode(1 << place if weights else place, key, _text(key))
        for place, key in enumerate(keys)
    )


PROPERTIES = (
    ObservedProperty(
        "voltage",
        Domain.POWER,
        Kind.MEASUREMENT,
        "V",
        _text("voltage"),
        (Aggregation.AVG,),
        Span(0, 1000),
        Span(180, 260),
    ),
    ObservedProperty(
        "current",
        Domain.POWER,
        Kind.MEASUREMENT,
        "A",
        _text("current"),
        (Aggregation.AVG,),
    ),
    ObservedProperty(
        "energy",
        Domain.POWER,
        Kind.COUNTER,
        "kW.h",
        _text("energy"),
        (Aggregation.DELTA,),
        Span(0),
    ),
    ObservedProperty(
        "breaker",
        Domain.POWER,
        Kind.STATE,
        "1",
        _text("breaker"),
        (Aggregation.LAST,),
        codes=_codes("open", "closed", "intermediate"),
    ),
    ObservedProperty(
        "alarms",
        Domain.POWER,
        Kind.BITS,
        "1",
        _text("alarms"),
        (Aggregation.LAST,),
        codes=_codes("door", "smoke", "water", weights=True),
    ),
)
_VOLTAGE = Channel("voltage", "voltage", "V")
TYPES = (
    DeviceType(
        "meter",
        _text("meter"),
        "sensor",
        (
            _VOLTAGE,
            Channel("current", "current", "mA", factor=0.001),
            Channel("energy", "energy", "kW.h"),
            Channel("breaker", "breaker", "1"),
            Channel("alarms", "alarms", "1"),
        ),
        dt.timedelta(seconds=5),
    ),
    DeviceType(
        "probe",
        _text("probe"),
        "sensor",
        (_VOLTAGE, Channel("current", "current", "A")),
        dt.timedelta(seconds=5),
    ),
    DeviceType(
        "clockless",
        _text("clockless"),
        "sensor",
        (_VOLTAGE,),
        dt.timedelta(seconds=5),
        server_time=True,
    ),
)


def _devices(probes: int) -> tuple[Device, ...]:
    thing = "site"
    return (
        Device("gw-1", None, None, publishes=True),
        Device("gw-2", None, None, publishes=True),
        Device("feeder-1", "meter", thing, publishes=True),
        Device(
            "meter-1", "meter", "house-1", publishes=False, hosted_by=("gw-1", "gw-2")
        ),
        Device("meter-2", "meter", "house-2", publishes=False, hosted_by=("gw-2",)),
        Device("clockless-1", "clockless", "hut", publishes=True),
        *(
            Device(f"probe-{number}", "probe", f"post-{number}", publishes=True)
            for number in range(1, probes + 1)
        ),
    )


def ingest_city(probes: int = 1, *extra: Device) -> City:
    square = [[76.9, 43.2], [77.0, 43.2], [77.0, 43.3], [76.9, 43.2]]
    district = District(
        "gate", _text("gate"), {"type": "Polygon", "coordinates": [square]}
    )
    devices = (*_devices(probes), *extra)
    things = {device.thing for device in devices if device.thing is not None}
    return City(
        key="test",
        name=_text("test"),
        time_zone="Asia/Almaty",
        longitude=76.9,
        latitude=43.2,
        districts={"gate": district},
        catalogue={entry.key: entry for entry in PROPERTIES},
        sensors={"sensor": Sensor("sensor", _text("sensor"))},
        device_types={kind.key: kind for kind in TYPES},
        things={key: _thing(key) for key in sorted(things)},
        relations=(),
        devices={device.key: device for device in devices},
    )


def _thing(key: str) -> Thing:
    return Thing(
        key,
        "site",
        Domain.POWER,
        _text(key),
        "gate",
        {"type": "Point", "coordinates": [76.9, 43.2]},
        76.9,
        43.2,
    )


async def apply_ingest_city(
    connection: Connection, probes: int = 1, *extra: Device
) -> None:
    await apply_city(
        connection,
        ingest_city(probes, *extra),
        retire=False,
        actor="tester",
        dry_run=False,
    )
