"""THE MAP: the world moves, devices sample it, messages go to the outbox's disk, publishers send them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from device_sim import wire
from device_sim.devices import Rounds
from device_sim.faults import FaultKind
from device_sim.outbox import Outbox
from device_sim.outbox_disk import OutboxDisk
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Publisher, Surroundings
from device_sim.world.world import World
from services.core.broker.messages import Item

_BEAT: Final = (
    0.1  # seconds: how long messages gather before the disk writes them together
)
_WORLD_STEP: Final = 1.0
_GOODBYE: Final = 5.0
# What the outbox file remembers besides messages.
COUNTERS: Final = "counters"
INCIDENTS: Final = "incidents"
ALIVE: Final = "alive"


class Alive(msgspec.Struct, frozen=True):
    """When the simulator last lived (Unix seconds), and whether it has stopped in order since."""

    at: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone on the stage. `alive` hears once a second how many publishers are connected.

    resumed: the simulator died moments ago, and its incidents go on.
    """

    world: World
    rounds: Rounds
    publishers: Mapping[str, Publisher]
    file: OutboxFile
    alive: Callable[[int], None]
    resumed: bool = False


class Simulator:
    def __init__(self, cast: Cast, around: Surroundings) -> None:
        self._cast = cast
        self._around = around
        outboxes = {
            key: publisher.outbox
            for key, publisher in cast.publishers.items()
            if isinstance(publisher.outbox, Outbox)
        }
        self._disk = OutboxDisk(cast.file, outboxes, around.tell)
        self._memory: dict[str, bytes] = {}
        self._moved_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Until stop; then what is ready is sent, all disconnect, and the outboxes are on disk."""
        publishers = self._cast.publishers.values()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(publisher.run(), name=f"publisher[{publisher.key}]")
                for publisher in publishers
            ]
            while not stop.is_set():
                await self._beat()
                await self._around.clock.sleep(_BEAT)
            for publisher in publishers:
                publisher.leave()
            late = (await asyncio.wait(running, timeout=_GOODBYE))[1] if running else ()
            for task in late:
                task.cancel()
        self._memory = self._remember(stopped=True)
        await self._write()
        self._cast.file.close()

    async def _beat(self) -> None:
        """World ▸ sample ▸ number ▸ write ▸ send."""
        now = self._around.clock.monotonic()
        tick = now - self._moved_at >= _WORLD_STEP
        if tick:
            self._moved_at = now
            self._cast.world.advance_to(self._around.clock.now_ms() / 1000)
            self._memory = self._remember(stopped=False)
            self._cast.alive(self._connected())
        senders = self._sample()
        written = await self._write()
        for publisher in self._cast.publishers.values():
            if tick or publisher.key in senders or publisher.key in written:
                publisher.wake()

    def _remember(self, *, stopped: bool) -> dict[str, bytes]:
        now = self._around.clock.now_ms() / 1000
        return {
            COUNTERS: self._cast.world.counters,
            INCIDENTS: msgspec.json.encode(self._cast.world.incidents),
            ALIVE: msgspec.json.encode(Alive(now, stopped)),
        }

    def _connected(self) -> int:
        return sum(each.connected.is_set() for each in self._cast.publishers.values())

    def _sample(self) -> set[str]:
        """Who has something new to send."""
        now_ms = self._around.clock.now_ms()
        elapsed = self._around.elapsed()
        by_publisher: dict[str, list[Item]] = {}
        for devices in self._cast.rounds.take_due(now_ms):
            for device in devices:
                if not self._around.faults.is_on(
                    FaultKind.SILENCE, device.key, elapsed
                ):
                    items = by_publisher.setdefault(device.publisher, [])
                    items.append(device.sample(now_ms))
        for key, items in by_publisher.items():
            _number(self._cast.publishers[key], items)
        return by_publisher.keys() & self._cast.publishers.keys()

    async def _write(self) -> set[str]:
        written = await self._disk.write(self._memory)
        if written is None:
            return set()
        self._memory = {}
        return written


def _number(publisher: Publisher, items: Sequence[Item]) -> None:
    for part in wire.split(items):
        publisher.outbox.number(partial(wire.data, part), len(part))
