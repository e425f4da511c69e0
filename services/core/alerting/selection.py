"""PURE: what rules would look at in a city."""

from collections.abc import Iterator, Mapping, Sequence

from services.core.alerting.rule import Rule
from services.core.city.datastreams import datastreams
from services.core.city.entities import City

Labels = Mapping[str, str]


def count_targets(city: City, rules: Sequence[Rule]) -> dict[str, int]:
    """How many datastreams (devices, of a rule that watches those) each rule looks at, by rule key."""
    of_datastreams, of_devices = list(_datastreams(city)), list(_devices(city))
    return {
        rule.key: sum(
            rule.selector.fits(labels)
            for labels in (of_devices if rule.watches_devices else of_datastreams)
        )
        for rule in rules
    }


def _datastreams(city: City) -> Iterator[Labels]:
    for stream in datastreams(city):
        yield {
            **_thing_labels(city, stream.thing),
            "datastream": stream.key,
            "channel": stream.channel.name,
            "observed_property": stream.channel.observed_property,
            "device": stream.device,
            "device_type": stream.device_type.key,
        }


def _devices(city: City) -> Iterator[Labels]:
    for device in city.devices.values():
        yield {
            **_thing_labels(city, device.thing),
            "device": device.key,
            "device_type": device.type or "",
        }


def _thing_labels(city: City, key: str | None) -> dict[str, str]:
    if key is None:
        return {}
    thing = city.things[key]
    return {
        "thing": key,
        "thing_kind": thing.kind,
        "domain": thing.domain,
        "district": thing.district,
    }
