"""A private Mosquitto under one folder: its configuration, its doors and ingest's saved session."""

import ipaddress
import mmap
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from deploy.native.child import child_command, fits_socket, give_to
from deploy.native.postgres import ServerMissingError
from services.core.broker import users
from services.core.broker.passwords import password_line
from services.core.errors import ConfigurationError, PlatformError

TEMPLATES = Path(__file__).resolve().parent.parent / "mosquitto"
FORMATS = TEMPLATES.parent.parent / "services" / "ingest" / "decoders"
MOST_SAID = "native_json"
DATABASE_FILE = "mosquitto.db"
NICENESS = -5  # what it wakes would take its place on the processor (decision 28)
_MAGIC = b"\x00\xb5\x00mosquitto db"


class BrokerNotStartedError(PlatformError):
    """The private Mosquitto cannot be started."""


def find_program() -> str:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise ServerMissingError("No Mosquitto on this machine.")
    return program


class OpenListenerError(ConfigurationError):
    """Without TLS the broker serves this machine alone."""

    remedy = "--mqtt-bind (ALATAU_MQTT_BIND) opens the listeners with TLS to a network; see docs/operations.md."


@dataclass(frozen=True)
class DeviceListener:
    """Without TLS, so on loopback only: whoever listens on the way would learn every secret.

    Raises:
        OpenListenerError: the host is not on loopback.
    """

    host: str
    port: int

    def __post_init__(self) -> None:
        if self.host != "localhost" and not _is_loopback(self.host):
            raise OpenListenerError(f"{self.host} is not on loopback.")


@dataclass(frozen=True)
class TlsListeners:
    """host: may be any. At one port devices show a password, at the other a certificate."""

    host: str
    password_port: int
    certificate_port: int


@dataclass(frozen=True)
class Mosquitto:
    folder: Path
    socket_path: Path
    devices: DeviceListener
    run_as: str | None = None
    tls: TlsListeners | None = None

    @property
    def door_socket(self) -> Path:
        """Beside what only broker and door may reach, or where its path is short enough."""
        path = self.folder / "door.sock"
        return path if fits_socket(path) else self.socket_path.with_name(path.name)

    @property
    def password_file(self) -> Path:
        return self.folder / "passwords"

    @property
    def configuration(self) -> Path:
        return self.folder / "mosquitto.conf"

    def configuration_text(self, *, devices_let_in: bool) -> str:
        text = _template("mosquitto.conf").format(
            folder=self.folder, socket=self.socket_path, door_socket=self.door_socket
        )
        if devices_let_in:
            listener = _template("devices.conf")
            text += listener.format(host=self.devices.host, port=self.devices.port)
        if devices_let_in and self.tls is not None:
            listener = _template("devices-tls.conf")
            text += listener.format(folder=self.folder, **asdict(self.tls))
        return text

    def write_configuration(self, *, devices_let_in: bool) -> None:
        """Without the device listener until ingest's session is saved: nothing may be acknowledged and lost."""
        self._write(self.folder / "acl", acl_text())
        text = self.configuration_text(devices_let_in=devices_let_in)
        self._write(self.configuration, text)

    def write_passwords(self, hashes: Mapping[str, str]) -> None:
        """hashes: user name to stored hash; the file changes in one step."""
        lines = [password_line(user, hashes[user]) for user in sorted(hashes)]
        self._write(self.password_file, "".join(lines))

    def command(self) -> list[str]:
        """The broker in the foreground; on its parent's death it saves its sessions and ends."""
        server = [find_program(), "-c", str(self.configuration)]
        return child_command(
            server, death_signal="TERM", run_as=self.run_as, niceness=NICENESS
        )

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - fixed command
            self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def is_listening(self, *, devices_let_in: bool) -> bool:
        if not devices_let_in:
            return _accepts(str(self.socket_path))
        opened_last = self.tls.certificate_port if self.tls else self.devices.port
        host = self.tls.host if self.tls else self.devices.host
        return _accepts(("127.0.0.1" if host == "0.0.0.0" else host, opened_last))  # noqa: S104 - compared only

    def wait_until_listening(
        self,
        server: subprocess.Popen[bytes],
        *,
        devices_let_in: bool,
        seconds: float = 10.0,
    ) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_listening(devices_let_in=devices_let_in):
            if server.poll() is not None:
                raise BrokerNotStartedError(
                    f"Mosquitto ended with {server.returncode} while starting."
                )
            if time.monotonic() > deadline:
                raise BrokerNotStartedError(
                    f"Mosquitto did not listen within {seconds:.0f} s."
                )
            time.sleep(0.01)

    def refuse_beside_former(self) -> None:
        """Two brokers on one file: what the former saves last would be lost to the one that has read it before.

        Raises:
            OSError: a broker of this folder, whose supervisor is gone, has not ended yet: try again.
        """
        try:
            pid = int((self.folder / "mosquitto.pid").read_text(encoding="utf-8"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return
        if os.fsencode(self.configuration) in command:
            raise OSError(f"the broker before (process {pid}) is still saving")

    def put_broken_file_aside(self) -> None:
        """Mosquitto would refuse to start for ever; what was in it comes again from those without a receipt."""
        saved = self.folder / DATABASE_FILE
        if saved.exists() and not _begins_with(saved, _MAGIC):
            saved.replace(saved.with_suffix(".broken"))

    def has_saved_session(self, user: str = users.INGEST) -> bool:
        """Whether the saved file holds this user's session with all that ingest subscribes to."""
        try:
            with (self.folder / DATABASE_FILE).open("rb") as saved:
                content = mmap.mmap(saved.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError):  # an empty file cannot be mapped
            return False
        with content:
            wanted = (user, *ingest_filters())
            return all(content.find(text.encode()) >= 0 for text in wanted)

    @staticmethod
    def save_sessions(pid: int) -> None:
        """Asks only: the file is there a moment later."""
        os.kill(pid, signal.SIGUSR1)

    def _write(self, path: Path, text: str) -> None:
        draft = path.with_name(f".{path.name}.draft")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        give_to(draft, self.run_as)
        draft.replace(path)


def is_ready_for_signals(pid: int) -> bool:
    """A Mosquitto that is still opening its listeners ends by the first SIGHUP."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    lines = (line.split() for line in status.splitlines())
    caught = next((words[1] for words in lines if words[0] == "SigCgt:"), "0")
    return bool(int(caught, 16) >> (signal.SIGHUP - 1) & 1)


def acl_text() -> str:
    """The rights of services and publishers: what every wire format brings along, and the base.

    Mosquitto goes through them in order, for every message: what is said most stands first.
    """
    formats = sorted(
        FORMATS.glob("*.acl"), key=lambda path: (path.stem != MOST_SAID, path.name)
    )
    parts = (path.read_text(encoding="utf-8") for path in formats)
    return "\n".join((*parts, _template("acl")))


def ingest_filters() -> tuple[str, ...]:
    """What ingest subscribes to: all that it may read of devices."""
    lines = (line.split() for line in acl_text().splitlines())
    topics = (words[2] for words in lines if words[:2] == ["topic", "read"])
    return tuple(topic for topic in topics if not topic.startswith("$"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as content:
        return content.read(len(magic)) == magic


def _accepts(address: str | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(address) == 0
