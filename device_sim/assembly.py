"""From a city, its publishers' secrets and a folder to a simulator that is ready to run."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from device_sim.devices import FieldDevice, Rounds
from device_sim.folder import OUTBOX, SECRETS
from device_sim.instruments import Probe, wandering
from device_sim.outbox import Outbox, Unnumbered
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Identity, Publisher, Surroundings
from device_sim.rotation import KeptSecrets
from device_sim.signals import generator_for
from device_sim.simulator import ALIVE, COUNTERS, INCIDENTS, Alive, Cast
from device_sim.survey import build_world
from device_sim.world.incidents import Incident
from device_sim.world.table import Reader
from device_sim.world.world import World
from services.core.city.entities import City, Device, DeviceType

Readers: TypeAlias = Mapping[tuple[str, str], Reader]

# Simple devices that do not number what they send: the platform must bear those too.
UNNUMBERED_TYPES: Final = frozenset({"road_counter"})
_JUST_NOW: Final = 60.0  # seconds in which a supervisor starts again what died


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
    file = OutboxFile(plan.folder / OUTBOX)
    world = build_world(plan.city, plan.seed)
    world.advance_to(now_ms / 1000)
    resumed = _died_just_now(file, now_ms / 1000)
    _remember(world, file, resumed=resumed)
    speakers = _speakers(plan)
    devices = _field_devices(plan, speakers, world.readers())
    kept = KeptSecrets(plan.folder / SECRETS)
    publishers = {
        key: Publisher(_identity(plan, key, speakers, kept), outbox, around)
        for key, outbox in _outboxes(plan, file, now_ms).items()
    }
    around.tell(
        "the cast is assembled",
        action="assembled",
        devices=len(devices),
        publishers=len(publishers),
        resumed=resumed,
    )
    rounds = Rounds(devices, now_ms, plan.rate_factor)
    return Cast(world, rounds, publishers, file, alive, resumed)


def _remember(world: World, file: OutboxFile, *, resumed: bool) -> None:
    if kept := file.recall(COUNTERS):
        world.restore(kept)
    if resumed and (running := file.recall(INCIDENTS)):
        world.incidents = msgspec.json.decode(running, type=list[Incident])


def _died_just_now(file: OutboxFile, now: float) -> bool:
    kept = file.recall(ALIVE)
    last = msgspec.json.decode(kept, type=Alive) if kept else Alive(0.0)
    return not last.stopped and now - last.at < _JUST_NOW


def _speakers(plan: Plan) -> dict[str, str]:
    """Who publishes for each device that has a voice: itself, or its first gateway with a secret."""
    found = {}
    for device in plan.city.devices.values():
        own = (device.key,) if device.publishes else ()
        voices = [key for key in (*own, *device.hosted_by) if key in plan.secrets]
        if voices:
            found[device.key] = voices[0]
    return found


def _identity(
    plan: Plan, key: str, speakers: Mapping[str, str], kept: KeptSecrets
) -> Identity:
    devices = plan.city.devices
    hosted = tuple(
        (device, devices[device].type)
        for device, speaker in speakers.items()
        if speaker == key and device != key
    )
    given = plan.secrets[key]
    ring = kept.ring(key, given)
    return Identity(key, given, devices[key].type, hosted, ring)


def _outboxes(
    plan: Plan, file: OutboxFile, now_ms: int
) -> dict[str, Outbox | Unnumbered]:
    """Of every publisher with a secret."""
    types = {
        key: plan.city.devices[key].type
        for key in plan.secrets
        if key in plan.city.devices
    }
    simple = [key for key, type_ in types.items() if type_ in UNNUMBERED_TYPES]
    # A new file gets a later epoch than any before it.
    numbering = file.open_outboxes(types.keys() - set(simple), now_ms // 1000)
    return {**numbering, **{key: Unnumbered() for key in simple}}


def _field_devices(
    plan: Plan, speakers: Mapping[str, str], readers: Readers
) -> list[tuple[FieldDevice, dt.timedelta]]:
    """Everyone who measures and has a voice, with its period."""
    types = plan.city.device_types
    return [
        (
            _field_device(plan, device, types[device.type], speakers, readers),
            types[device.type].period,
        )
        for device in plan.city.devices.values()
        if device.type is not None and device.key in speakers
    ]


def _field_device(
    plan: Plan,
    device: Device,
    device_type: DeviceType,
    speakers: Mapping[str, str],
    readers: Readers,
) -> FieldDevice:
    chance = generator_for(plan.seed, "device", device.key)
    probes = []
    for channel in device_type.channels:
        observed = plan.city.catalogue[channel.observed_property]
        thing = device.channel_things.get(channel.name, device.thing or "")
        read = readers.get((thing, channel.name)) or wandering(observed, chance)
        probes.append(Probe(channel, observed, read))
    return FieldDevice(device.key, speakers[device.key], probes, chance)
