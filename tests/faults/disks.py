"""Small disks for the database's data and its log, which can be filled without hurting anybody else. As root only."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.native.home import Home
from deploy.native.state_file import read_state
from deploy.native.system_user import SYSTEM_USER, ensure_user
from services.core.storage.pool import connect
from tests.faults.ground import superuser_dsn
from tests.installation import Installation, until

_DATA_BYTES: Final = 6 * 1024**3
_WAL_BYTES: Final = 1024**3
_SMALL_LOG: Final = (
    "ALTER SYSTEM SET max_wal_size = '256MB'",
    "ALTER SYSTEM SET min_wal_size = '64MB'",
)


@dataclass(frozen=True)
class Disks:
    data: Path | None = None
    wal: Path | None = None

    def move_wal(self, city: Installation) -> None:
        """The log onto its own disk, while the supervisor looks away."""
        if self.wal is None:
            return
        for statement in _SMALL_LOG:
            _as_superuser(city, statement)
        supervisor = int((city.home / "run" / "lock").read_text(encoding="utf-8"))
        state = read_state(Home(city.home)) or {}
        postmaster: int = state["services"]["database"]["pid"]
        os.kill(supervisor, signal.SIGSTOP)
        try:
            os.kill(postmaster, signal.SIGINT)
            until("the database has stopped", lambda: _has_ended(postmaster), 60.0)
            wal = city.home / "postgres" / "data" / "pg_wal"
            shutil.copytree(wal, self.wal / "pg_wal")
            shutil.rmtree(wal)
            wal.symlink_to(self.wal / "pg_wal")
            _give(self.wal)
        finally:
            os.kill(supervisor, signal.SIGCONT)


def can_mount() -> bool:
    """Tried, not guessed: root in a container often may not."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="alatau-disk-") as folder:
        try:
            with _disk(Path(folder), "probe", 16 * 1024**2, Path(folder) / "on"):
                return True
        except subprocess.CalledProcessError:
            return False


@contextmanager
def small_disks(home: Path) -> Iterator[Disks]:
    """Before the first start: home is empty, and its postgres folder will be a disk of its own."""
    ensure_user()
    home.mkdir()
    home.chmod(0o700)
    with ExitStack() as stack:
        data, wal = home / "postgres", home / "postgres-log"
        stack.enter_context(_disk(home.parent, "data", _DATA_BYTES, data))
        stack.enter_context(_disk(home.parent, "wal", _WAL_BYTES, wal))
        _give(home)
        try:
            yield Disks(data, wal)
        finally:
            Installation(home, 0).run("down")


@contextmanager
def _disk(place: Path, name: str, size: int, at: Path) -> Iterator[None]:
    image = place / f"{name}.img"
    with image.open("wb") as file:
        file.truncate(size)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    at.mkdir()
    _run("mount", "-o", "loop", str(image), str(at))
    try:
        yield
    finally:
        _run("umount", "-l", str(at))
        image.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _give(folder: Path) -> None:
    user = pwd.getpwnam(SYSTEM_USER)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _has_ended(pid: int) -> bool:
    """Also when nobody has asked yet how it ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    return state.rpartition(")")[2].split()[0] == "Z"


def _as_superuser(city: Installation, statement: str) -> None:
    async def execute() -> None:
        connection = await connect(superuser_dsn(Home(city.home)), "faults")
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute())
