"""Where one installation keeps its things: folders, ports, sockets and secrets."""

import hashlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.native.child import fits_socket
from services.core.broker.passwords import new_secret
from services.core.errors import PlatformError

DEFAULT_PORT_BASE = 8620
LONGEST_SOCKET_NAME = ".s.PGSQL.65535"
METRICS_OF = ("ingest", "rules", "history")


class HomeError(PlatformError):
    """The installation's folder cannot be used."""


class PortTakenError(PlatformError):
    """A port that this installation needs is taken."""

    remedy = "Stop the other program, or choose ten other ports with --port-base."


@dataclass(frozen=True)
class Ports:
    """Ten ports in a row belong to an installation."""

    base: int

    @property
    def api(self) -> int:
        return self.base

    @property
    def mqtt(self) -> int:
        return self.base + 1

    @property
    def database(self) -> int:
        return self.base + 2

    @property
    def mqtts(self) -> int:
        """TLS; devices show a password."""
        return self.base + 8

    @property
    def mutual_mqtts(self) -> int:
        """TLS; devices show a certificate."""
        return self.base + 9

    def metrics(self, service: str) -> int | None:
        if service not in METRICS_OF:
            return None
        return self.base + 3 + METRICS_OF.index(service)

    @property
    def door(self) -> int:
        """Beside Grafana's, which containers have at base + 6."""
        return self.base + 7

    def named(self) -> dict[str, int]:
        metrics = {f"metrics of {name}": self.metrics(name) or 0 for name in METRICS_OF}
        return {
            "api": self.api,
            "mqtt": self.mqtt,
            "mqtts": self.mqtts,
            "mqtts with certificates": self.mutual_mqtts,
            "database": self.database,
            "door": self.door,
            **metrics,
        }


def refuse_taken_ports(ports: Ports) -> None:
    for name, port in ports.named().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise PortTakenError(
                    f"Port {port} ({name}) is taken: {error.strerror}."
                ) from error


@dataclass(frozen=True)
class Home:
    folder: Path

    @property
    def secrets(self) -> "Secrets":
        return Secrets(self.folder / "secrets")

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def state_file(self) -> Path:
        return self.run / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.run / "lock"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def simulator(self) -> Path:
        return self.folder / "simulator"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make_folders(self) -> None:
        """All of it for its owner alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.folder.stat().st_uid != os.geteuid():
            raise HomeError(f"{self.folder} belongs to another user.")
        self.folder.chmod(0o700)
        for folder in (
            self.secrets.folder,
            self.logs,
            self.run,
            self.postgres,
            self.broker,
            self.simulator,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)

    def sockets(self) -> Path:
        """The folder of the UNIX sockets; a long home would pass the kernel's limit on their paths."""
        if fits_socket(self.run / LONGEST_SOCKET_NAME):
            return self.run
        digest = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:12]
        folder = Path(f"/tmp/alatau-{os.geteuid()}-{digest}")  # noqa: S108 - checked below
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise HomeError(f"{folder} is not ours; choose a shorter --home.")
        folder.chmod(0o700)
        return folder


@dataclass(frozen=True)
class Secrets:
    """One file for each, readable by the owner alone; made when first asked for."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def get(self, name: str) -> str:
        try:
            return self.path(name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            secret = new_secret()
            self.put(name, secret)
            return secret

    def put(self, name: str, text: str) -> Path:
        path = self.path(name)
        draft = path.with_name(f".{name}.draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(f"{text}\n", encoding="utf-8")
        return draft.replace(path)
