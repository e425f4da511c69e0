"""A database that is slow, full, out of connections, or whose disk lies; and processes out of file descriptors."""

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.core.errors import StorageUnavailableError
from tests.faults.ground import Ground, signal_all
from tests.faults.scene import Recovery, Scene, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_FEW_FILES: Final = 8  # fewer than any of them has open: nothing more can be opened
_HOG_PAUSE: Final = 0.02
_BLOCK: Final = 1 << 20


@fault("observations locked", in_slice=True)
async def lock(scene: Scene, chance: random.Random) -> list[Recovery]:
    """Nothing can be written or read for some seconds, and no connection breaks."""
    async with scene.ground.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE observations IN ACCESS EXCLUSIVE MODE")
        await scene.rest(chance.uniform(2.0, 6.0))
    return [await scene.stores_again("observations locked", scene.now())]


@fault("connections exhausted")
async def no_connections(scene: Scene, chance: random.Random) -> list[Recovery]:
    """Somebody has taken them all, and takes those of ingest too when it loses them."""
    async with AsyncExitStack() as held:
        hog = asyncio.create_task(_take_connections(scene, held))
        await scene.rest(2.0)
        signal_all(scene.ground.backends("ingest"), signal.SIGTERM)
        await scene.rest(chance.uniform(2.0, 5.0))
        hog.cancel()
    return [await scene.stores_again("connections exhausted", scene.now())]


async def _take_connections(scene: Scene, held: AsyncExitStack) -> None:
    while True:
        with suppress(StorageUnavailableError, OSError):
            await held.enter_async_context(scene.ground.connection())
            continue
        await scene.rest(_HOG_PAUSE)


async def _no_files(name: str, scene: Scene, chance: random.Random) -> list[Recovery]:
    """It can open nothing more, just when it has to."""
    pid = scene.ground.pid(name)
    if pid is None:
        return []
    former = await _limit_files(pid, f"{_FEW_FILES}:")
    if name == "ingest":
        signal_all(scene.ground.backends("ingest"), signal.SIGTERM)
    else:
        scene.ground.devices.reset_all()
    await scene.rest(chance.uniform(1.0, 4.0))
    await _limit_files(pid, former)
    return [await scene.stores_again(f"{name} out of files", scene.now())]


for _name in ("ingest", "broker"):
    fault(f"file descriptors of {_name} exhausted", in_slice=_name == "ingest")(
        partial(_no_files, _name)
    )


async def _limit_files(pid: int, limit: str) -> str:
    """As the user of the process, who alone may, in a container. Returns the limit there was."""
    try:
        former, owner = _open_files(Path(f"/proc/{pid}"))
    except FileNotFoundError:
        return limit  # it has ended
    who = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    command = ["prlimit", f"--pid={pid}", f"--nofile={limit}"]
    setting = await asyncio.create_subprocess_exec(
        *(["setpriv", *who, "--", *command] if os.geteuid() == 0 else command)
    )
    await setting.wait()
    return former


def _open_files(process: Path) -> tuple[str, os.stat_result]:
    lines = (process / "limits").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("Max open files"))
    return f"{line.split()[3]}:", process.stat()


def _cannot_trace(_ground: Ground) -> str:
    if os.geteuid() != 0:
        return "only root may trace the database"
    return "" if shutil.which("strace") else "there is no strace"


@fault("fsync fails", impossible=_cannot_trace)
async def fail_fsync(scene: Scene, _chance: random.Random) -> list[Recovery]:
    """EIO: PostgreSQL must believe nothing any more, and recovers from its log."""
    former = scene.ground.backends("ingest")
    async with _tracing(scene.ground.backends(), "fsync,fdatasync", "EIO"):
        await scene.ground.until(
            "the database panics",
            lambda: not set(former) & set(scene.ground.backends("ingest")),
        )
    since = scene.now()
    return [await scene.stores_again("fsync fails", since)]


@asynccontextmanager
async def _tracing(pids: list[int], calls: str, error: str) -> AsyncIterator[None]:
    who = [part for pid in pids for part in ("-p", str(pid))]
    tracer = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-q", "-o", "/dev/null", *who),
        *("-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            tracer.terminate()
        await tracer.wait()


@contextmanager
def _filled(disk: Path) -> "Iterator[None]":
    """Not a byte is left on it."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
            file.seek(0, os.SEEK_END)
            with suppress(OSError):
                while file.write(bytes(_BLOCK)):
                    pass
        yield
    finally:
        ballast.unlink(missing_ok=True)


async def _fill(which: str, scene: Scene, chance: random.Random) -> list[Recovery]:
    ground = scene.ground
    disk = ground.wal_disk if which == "WAL" else ground.data_disk
    assert disk is not None
    with _filled(disk):
        await scene.rest(chance.uniform(4.0, 10.0))
        if chance.random() < 0.5:  # killed besides, while there is no room to recover
            signal_all(ground.backends("ingest")[:1], signal.SIGKILL)
            await scene.rest(2.0)
    return [await scene.stores_again(f"{which} disk full", scene.now())]


def _no_disks(ground: Ground) -> str:
    return "" if ground.data_disk else "only root can mount a small disk"


for _which in ("WAL", "data"):
    fault(f"{_which} disk full", impossible=_no_disks)(partial(_fill, _which))
