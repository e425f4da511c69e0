"""What a running installation tells the other commands: its state file, its lock and how to read both."""

import fcntl
import json
import os
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from deploy.native.home import Home, HomeError, Ports


class AlreadyRunningError(HomeError):
    """This installation is running already."""

    remedy = "`alatau status` shows it, `alatau down` stops it."


@dataclass
class StateFile:
    """Written by the supervisor alone, in one step."""

    home: Home
    ports: Ports
    urls: dict[str, str]
    ready: bool = False
    first_login: bool = False
    processes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def write(self, services: dict[str, dict[str, object]]) -> None:
        pids = [
            pid for entry in services.values() if isinstance(pid := entry["pid"], int)
        ]
        document = {
            "version": version("alatau"),
            "pid": os.getpid(),
            "home": str(self.home.folder),
            "port_base": self.ports.base,
            "ready": self.ready,
            "first_login": self.first_login,
            "urls": self.urls,
            "services": services,
            "processes": [[pid, started_at(pid)] for pid in pids],
        }
        draft = self.home.state_file.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(self.home.state_file)


def read_state(home: Home) -> dict[str, Any] | None:
    """The last state written; None: never started here."""
    try:
        state: dict[str, Any] = json.loads(home.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise HomeError(
            f"{home.folder} belongs to another user; run this as root or as its owner."
        ) from error
    return state


def take_lock(home: Home) -> IO[str]:
    """Held as long as the returned file is open: one supervisor for each home."""
    lock = home.lock_file.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyRunningError from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def running_supervisor(home: Home) -> int | None:
    """The process id of the supervisor that holds the lock."""
    try:
        with home.lock_file.open("r", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise HomeError(
            f"{home.folder} belongs to another user; run this as root or as its owner."
        ) from error
    except BlockingIOError:
        text = home.lock_file.read_text(encoding="utf-8").strip()
        return int(text) if text else None
    return None


def started_at(pid: int) -> int:
    """When a process started, in kernel ticks: with the id it names one process for ever; 0: it has ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    state, *facts = line.rpartition(")")[2].split()
    return 0 if state == "Z" else int(facts[18])
