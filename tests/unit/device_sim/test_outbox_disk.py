"""Who stops waiting for the disk stops nothing else."""

import asyncio
import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from device_sim.outbox import Changes
from device_sim.outbox_disk import OutboxDisk
from device_sim.outbox_file import OutboxFile
from tests.unit.device_sim.test_outbox import EPOCH, build, send_due


class SlowFile(OutboxFile):
    """It has written, and says so only when it is let go on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written, self.go_on = threading.Event(), threading.Event()

    @override
    def write(self, changes: Sequence[Changes], memory: Mapping[str, bytes]) -> None:
        super().write(changes, memory)
        self.written.set()
        self.go_on.wait()


async def test_what_a_cancelled_write_has_written_counts_as_written(
    tmp_path: Path,
) -> None:
    file = SlowFile(tmp_path / "outbox.db")
    box = file.open_outboxes(["pump-1"], EPOCH)["pump-1"]
    disk = OutboxDisk(file, {"pump-1": box}, lambda *_, **__: None)
    box.number(build)
    waiting = asyncio.create_task(disk.write({}))
    await asyncio.to_thread(file.written.wait)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    file.go_on.set()
    box.number(build)
    assert await disk.write({}) == {"pump-1"}
    assert send_due(box, 0.0) == [1, 2]
    file.close()
