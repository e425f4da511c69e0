"""Runs the units' commands as systemd would: user, credentials, environment, readiness, watchdog, stop."""

import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.dockerfile import ROOT, USER, Image
from tests.deploy.local_process import LocalProcess, as_user
from tests.deploy.unit_files import Unit, read_units
from tests.installation import until

START_SECONDS = 120.0
# MemoryDenyWriteExecute=yes, on kernels that know it (6.3): PR_SET_MDWE, kept by the program it becomes.
NO_WRITABLE_CODE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
SETTINGS_OF_THE_MACHINE = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}


class Ear:
    """Hears all that a service tells its supervisor; who does not listen would hold it up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o777)
        self._listening = threading.Thread(target=self._listen, name="ear", daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        while notice := self._socket.recv(4096):
            self.heard += notice.decode().splitlines()

    def close(self) -> None:
        self._socket.sendto(b"", str(self.path))
        self._listening.join()
        self._socket.close()


@dataclass(frozen=True)
class Started:
    process: LocalProcess
    ear: Ear

    def has_said(self, word: str) -> bool:
        """Whether it has told its supervisor so, ever."""
        return word in self.ear.heard


@dataclass
class UnitRun:
    image: Image
    folder: Path
    units: dict[str, Unit]
    ports: dict[str, str]
    started: dict[str, Started] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, Path]:
        return {
            "/opt/alatau/bin/alatau": self.image.environment_folder / "bin/alatau",
            "/usr/local/lib/alatau/run-broker": ROOT / "deploy/mosquitto/run-broker",
            "/etc/alatau": self.folder / "etc",
            "/var/lib/alatau": self.folder / "state",
            "/run/alatau": self.folder / "run",
        }

    def start(self, name: str) -> Started:
        unit = self.units[name]
        self._give_credentials(unit)
        ear = Ear(self.folder / "ears" / name)
        environment = {
            **SETTINGS_OF_THE_MACHINE,
            **{key: self.translate(unit, v) for key, v in unit.environment().items()},
            "NOTIFY_SOCKET": str(ear.path),
        }
        command = self.translate(unit, unit.only("ExecStart")).split()
        log = self.folder / "logs" / f"{name}.log"
        confined = [sys.executable, "-I", "-c", NO_WRITABLE_CODE, *as_user(command)]
        process = LocalProcess(name, confined, environment, self.folder, log)
        process.start()
        self.started[name] = Started(process, ear)
        return self.started[name]

    def run_to_its_end(self, name: str) -> None:
        process = self.start(name).process
        assert process.wait() == 0, process.said()

    def until_ready(self, name: str) -> None:
        started = self.started[name]

        def ready() -> bool:
            assert started.process.code is None, started.process.said()
            return started.has_said("READY=1")

        until(f"{name} is ready", ready, START_SECONDS)

    def translate(self, unit: Unit, text: str) -> str:
        text = text.replace("%d", str(self.folder / "credentials" / unit.name))
        text = self.ports.get(text, text)
        known = "|".join(map(re.escape, self.places))
        return re.sub(known, lambda found: str(self.places[found[0]]), text)

    def _give_credentials(self, unit: Unit) -> None:
        """Copies that the unit's user alone may read, as from LoadCredential=."""
        own = self.folder / "credentials" / unit.name
        own.mkdir(parents=True, exist_ok=True)
        for name, path in unit.credentials().items():
            copy = own / name
            copy.write_bytes(Path(self.translate(unit, path)).read_bytes())
            copy.chmod(0o400)
            give(copy)

    def stop_all(self) -> dict[str, int]:
        return {
            name: started.process.stop(
                signal.SIGTERM, float(self.units[name].only("TimeoutStopSec"))
            )
            for name, started in reversed(self.started.items())
            if started.process.code is None
        }

    def end(self) -> None:
        for started in self.started.values():
            started.process.kill()
            started.ear.close()


def give(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, USER, USER)


@contextmanager
def unit_run(image: Image, ports: dict[str, str]) -> Iterator[UnitRun]:
    """ports: what stands for a port that a unit names. Nothing is started; what runs at the end is killed."""
    folder = Path(tempfile.mkdtemp(prefix="alatau-units-", dir="/tmp"))
    folder.chmod(0o755)
    run = UnitRun(image, folder, read_units(), ports)
    for name in ("logs", "ears", "credentials", "etc/secrets"):
        (folder / name).mkdir(parents=True)
    for name in ("state/broker", "state/handover", "run"):
        (folder / name).mkdir(parents=True)
        give(folder / name)
    try:
        yield run
    finally:
        run.end()
        shutil.rmtree(folder, ignore_errors=True)
