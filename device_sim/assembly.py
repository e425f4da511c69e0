"""From a city, its publishers' secrets and a folder to a simulator that is ready to run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_sim.devices import FieldDevice, Rounds
from device_sim.folder import OUTBOX
from device_sim.instruments import Probe, wandering
from device_sim.outbox import Outbox, Unnumbered
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Identity, Publisher, Surroundings
from device_sim.signals import generator_for
from device_sim.simulator import COUNTERS, Cast
from device_sim.survey import build_world
from device_sim.world.table import Reader
from services.core.city.entities import City, Device

# Simple devices that do not number what they send: the platform must bear those too.
UNNUMBERED_TYPES: Final = frozenset({"road_counter"})


@dataclass(frozen=True, slots=True)
class Plan:
    """secrets: of publishers by device id; who has none stays silent. rate_factor: how many times as often."""

    city: City
    secrets: Mapping[str, str]
    folder: Path
    seed: int = 1
    rate_factor: float = 1.0


def assemble(plan: Plan, around: Surroundings, alive: Callable[[int], None]) -> Cast:
    now_ms = around.clock.now_ms()
    world = build_world(plan.city, plan.seed)
    world.advance_to(now_ms / 1000)
    file = OutboxFile(plan.folder / OUTBOX)
    if kept := file.recall(COUNTERS):
        world.restore(kept)
    speakers = _speakers(plan)
    readers = world.readers()
    devices = [
        (
            _field_device(plan, device, speakers[device.key], readers),
            plan.city.device_types[device.type].period,
        )
        for device in plan.city.devices.values()
        if device.type is not None and device.key in speakers
    ]
    publishers = {
        key: Publisher(
            _identity(plan, key, speakers),
            _outbox(plan.city.devices[key], file, now_ms),
            around,
        )
        for key in plan.secrets
        if key in plan.city.devices
    }
    around.tell(
        "the cast is assembled",
        action="assembled",
        devices=len(devices),
        publishers=len(publishers),
        silent=sum(device.type is not None for device in plan.city.devices.values())
        - len(devices),
    )
    return Cast(
        world, Rounds(devices, now_ms, plan.rate_factor), publishers, file, alive
    )


def _speakers(plan: Plan) -> dict[str, str]:
    """Who publishes for each device that has a voice: itself, or its first gateway with a secret."""
    found = {}
    for device in plan.city.devices.values():
        own = (device.key,) if device.publishes else ()
        voices = [key for key in (*own, *device.hosted_by) if key in plan.secrets]
        if voices:
            found[device.key] = voices[0]
    return found


def _identity(plan: Plan, key: str, speakers: Mapping[str, str]) -> Identity:
    devices = plan.city.devices
    hosted = tuple(
        (device, devices[device].type)
        for device, speaker in speakers.items()
        if speaker == key and device != key
    )
    return Identity(key, plan.secrets[key], devices[key].type, hosted)


def _outbox(device: Device, file: OutboxFile, now_ms: int) -> Outbox | Unnumbered:
    if device.type in UNNUMBERED_TYPES:
        return Unnumbered()
    # A new file gets a later epoch than any before it.
    return file.open_outbox(device.key, now_ms // 1000)


def _field_device(
    plan: Plan,
    device: Device,
    publisher: str,
    readers: Mapping[tuple[str, str], Reader],
) -> FieldDevice:
    city = plan.city
    chance = generator_for(plan.seed, "device", device.key)
    probes = []
    for channel in city.device_types[device.type or ""].channels:
        observed = city.catalogue[channel.observed_property]
        thing = device.channel_things.get(channel.name, device.thing or "")
        read = readers.get((thing, channel.name)) or wandering(observed, chance)
        probes.append(Probe(channel, observed, read))
    return FieldDevice(device.key, publisher, probes, chance)
