"""PURE: the datastreams that a city's devices make: thing × sensor × observed property × channel."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.core.city.entities import Channel, City, Device, DeviceType
from services.core.city.ids import datastream_key
from services.core.city.language import Text


@dataclass(frozen=True, slots=True)
class Datastream:
    """device: the one that reports it now; exchanging it leaves the datastream what it is."""

    key: str
    thing: str
    device: str
    device_type: DeviceType
    channel: Channel
    name: Text


def datastreams(city: City) -> Iterator[Datastream]:
    names = Names(
        {key: thing.name for key, thing in city.things.items()},
        {key: observed.name for key, observed in city.catalogue.items()},
    )
    for device in city.devices.values():
        if device.type is not None:
            yield from of_device(device, city.device_types[device.type], names)


@dataclass(frozen=True, slots=True)
class Names:
    things: Mapping[str, Text]
    properties: Mapping[str, Text]


def of_device(
    device: Device, device_type: DeviceType, names: Names
) -> Iterator[Datastream]:
    """The datastreams of a device of that type."""
    if device.thing is None:
        return
    alike = Counter(channel.observed_property for channel in device_type.channels)
    for channel in device_type.channels:
        thing = device.channel_things.get(channel.name, device.thing)
        label = channel.name if alike[channel.observed_property] > 1 else ""
        yield Datastream(
            key=datastream_key(thing, channel.name),
            thing=thing,
            device=device.key,
            device_type=device_type,
            channel=channel,
            name=_name(
                names.things[thing], names.properties[channel.observed_property], label
            ),
        )


def _name(owner: Text, observed: Text, label: str) -> Text:
    """The thing's and the property's names; the channel too where the device has several of that property."""
    suffix = f" ({label})" if label else ""
    return Text(
        kk=f"{owner.kk}: {observed.kk}{suffix}",
        ru=f"{owner.ru}: {observed.ru}{suffix}",
        en=f"{owner.en}: {observed.en}{suffix}",
    )
