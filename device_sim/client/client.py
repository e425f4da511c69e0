"""One publisher that loses nothing: what it is given is on its disk before it is sent, and until it is receipted."""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

from device_sim import wire
from device_sim.commands import Configure
from device_sim.faults import FaultPlan
from device_sim.folder import OUTBOX, SECRETS, locked
from device_sim.outbox import MOST_MESSAGES, Outbox
from device_sim.outbox_disk import OutboxDisk
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Identity, Publisher, Surroundings, Tell
from device_sim.rotation import KeptSecrets
from services.core.broker.messages import Item
from services.core.broker.options import Trust
from services.core.clock import Clock, SystemClock

LARGEST_MESSAGE: Final = 65_536
_LARGEST_NUMBER: Final = 1 << 53
_BEAT_SECONDS: Final = 1.0
_GOODBYE_SECONDS: Final = 5.0
_EARLIEST_EPOCH: Final = 1_767_225_600  # 2026: a clock before it was never set


class ClockNotSetError(Exception):
    """The clock stands before 2026, so a new epoch could be lower than an old one: set it, then start again."""


class MessageTooLargeError(ValueError):
    """A message has at most 64 KB: put its items in several."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """folder: the outbox's own, on a disk that keeps what fsync was told. secret: the first; later ones are in folder.

    most_messages: kept without a receipt; beyond, the oldest is dropped, and the platform is told.
    """

    broker_url: str
    device: str
    secret: str
    folder: Path
    device_type: str | None = None
    most_messages: int = MOST_MESSAGES
    trust: Trust = field(default_factory=Trust)
    configure: Configure | None = None


def fits(items: Sequence[Item]) -> bool:
    """Whether they can be one message, whatever number it gets."""
    largest = wire.data(items, _LARGEST_NUMBER, _LARGEST_NUMBER)
    return len(largest) <= LARGEST_MESSAGE


def _say_nothing(_event: str, /, **_facts: object) -> None:
    pass


class DeviceClient:
    """Enter it, put() messages; leaving sends what is ready. Used by one event loop.

    tell: hears of refused values, of receipts that cannot be read, and of a disk that cannot be written.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        clock: Clock | None = None,
        tell: Tell = _say_nothing,
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._tell = tell
        self._opened = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises FolderTakenError, ClockNotSetError."""
        async with contextlib.AsyncExitStack() as opening:
            folder = opening.enter_context(locked(self._settings.folder))
            _sync_folder(folder.parent)  # a new folder must outlast the power, too
            file = OutboxFile(folder / OUTBOX)
            opening.callback(file.close)
            self._outbox = self._open_outbox(file)
            self._disk = OutboxDisk(
                file, {self._settings.device: self._outbox}, self._tell
            )
            self._publisher = self._make_publisher(folder)
            tasks = await opening.enter_async_context(asyncio.TaskGroup())
            self._running = tasks.create_task(self._publisher.run(), name="publish")
            self._beating = tasks.create_task(self._beat(), name="beat")
            opening.push_async_callback(self._leave)
            self._opened = opening.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._opened.aclose()

    @property
    def epoch(self) -> int:
        """What its numbers belong to; it changes only with a new folder."""
        return self._outbox.epoch

    @property
    def pending(self) -> int:
        """Messages that no receipt covers yet."""
        return self._outbox.pending

    @property
    def dropped(self) -> int:
        """Messages that this epoch lost because the outbox was full."""
        return self._outbox.dropped

    async def put(self, *messages: Sequence[Item]) -> range:
        """Number messages of some items each; on return all of them are on the disk, and will arrive.

        Who is cancelled while it waits for the disk has put them all the same.

        Returns:
            Their numbers.

        Raises:
            MessageTooLargeError: one is; none is taken.
        """
        if not all(map(fits, messages)):
            raise MessageTooLargeError((MessageTooLargeError.__doc__ or "").strip())
        first = self._outbox.last_seq + 1
        for items in messages:
            self._outbox.number(partial(wire.data, items), len(items))
        while await self._disk.write({}) is None:
            await self._clock.sleep(_BEAT_SECONDS)
        self._publisher.wake()
        return range(first, first + len(messages))

    async def receipted(self) -> None:
        """Until a receipt covers all that was put."""
        while self.pending:
            self._publisher.receipted.clear()
            await self._publisher.receipted.wait()

    def _open_outbox(self, file: OutboxFile) -> Outbox:
        settings, epoch = self._settings, self._clock.now_ms() // 1000
        if epoch < _EARLIEST_EPOCH and not file.knows(settings.device):
            raise ClockNotSetError((ClockNotSetError.__doc__ or "").strip())
        opened = file.open_outboxes([settings.device], epoch, settings.most_messages)
        return opened[settings.device]

    def _make_publisher(self, folder: Path) -> Publisher:
        settings = self._settings
        identity = Identity(
            settings.device,
            settings.secret,
            settings.device_type,
            ring=KeptSecrets(folder / SECRETS).ring(settings.device, settings.secret),
            configure=settings.configure,
        )
        around = Surroundings(
            settings.broker_url,
            self._clock,
            FaultPlan(),
            self._clock.monotonic,
            self._tell,
            settings.trust,
        )
        return Publisher(identity, self._outbox, around)

    async def _beat(self) -> None:
        """What receipts covered leaves the disk; what waits too long for one is sent again."""
        while True:
            await self._clock.sleep(_BEAT_SECONDS)
            await self._disk.write({})
            self._publisher.wake()

    async def _leave(self) -> None:
        self._publisher.leave()
        await asyncio.wait([self._running], timeout=_GOODBYE_SECONDS)
        self._running.cancel()
        self._beating.cancel()
        await self._disk.write({})


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
