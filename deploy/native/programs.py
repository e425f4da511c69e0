"""The programs of an installation, each with its environment, its readiness and how it stops."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.native.home import Home, Ports
from deploy.native.mosquitto import Mosquitto
from deploy.native.postgres import PostgresCluster
from deploy.native.roles import ROLE_OF_SERVICE
from deploy.native.servers import Servers
from deploy.native.supervised import Program, service_command

_KEPT = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class ServiceMaker:
    """Makes programs of our own services."""

    home: Home
    ports: Ports
    servers: Servers

    def make(self, name: str, arguments: Sequence[str] = ()) -> Program:
        return Program(
            name,
            service_command([*alatau_command(), name, *arguments]),
            self.environment(name),
            url=self._url(name),
        )

    def environment(self, name: str) -> dict[str, str]:
        secrets = self.home.secrets
        settings = {
            "HOME": str(self.home.folder),
            "ALATAU_HOME": str(self.home.folder),
            "ALATAU_BROKER_URL": f"file:{secrets.path('broker.url')}",
            "ALATAU_DEVICE_BROKER_URL": self.servers.device_broker_url(),
            "ALATAU_SECRETS_DIR": str(secrets.folder),
            "ALATAU_API_HOST": os.environ.get("ALATAU_API_HOST", "127.0.0.1"),
            "ALATAU_API_PORT": str(self.ports.api),
            "ALATAU_METRICS_PORT": str(self.ports.metrics(name) or ""),
        }
        if name == "ingest":
            settings["ALATAU_DOOR_BIND"] = os.environ.get(
                "ALATAU_DOOR_BIND", f"127.0.0.1:{self.ports.door}"
            )
        if name in ROLE_OF_SERVICE:
            settings["ALATAU_DATABASE_URL"] = f"file:{secrets.path(f'{name}.dsn')}"
        if (mosquitto := self.servers.mosquitto) is not None:
            settings["ALATAU_BROKER_FOLDER"] = str(mosquitto.folder)
            settings["ALATAU_BROKER_DOOR_SOCKET"] = str(mosquitto.door_socket)
        return {**inherited_environment(), **settings}

    def _url(self, name: str) -> str | None:
        if name == "api":
            return f"http://127.0.0.1:{self.ports.api}"
        port = self.ports.metrics(name)
        return f"http://127.0.0.1:{port}/metrics" if port else None


def alatau_command() -> list[str]:
    return [sys.executable, str(Path(sys.executable).with_name("alatau"))]


def inherited_environment() -> dict[str, str]:
    """What a service may see of its starter's environment: nothing that could hold a secret or change Python."""
    servers = ("ALATAU_DATABASE_URL", "ALATAU_BROKER_URL", "ALATAU_DEVICE_BROKER_URL")
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or (name.startswith("ALATAU_") and name not in servers)
    }


def database_program(cluster: PostgresCluster, port: int) -> Program:
    return Program(
        "database",
        cluster.command(),
        inherited_environment(),
        url=f"postgresql://127.0.0.1:{port}",
        probe=cluster.is_ready,
        before_start=cluster.drop_stale_pid_file,
        stop_signal=signal.SIGINT,  # fast shutdown: connections end, everything is written
        stop_seconds=60.0,
    )


def broker_program(
    mosquitto: Mosquitto, choose_doors: Callable[[], None], probe: Callable[[], bool]
) -> Program:
    listener = mosquitto.devices
    return Program(
        "broker",
        mosquitto.command(),
        inherited_environment(),
        url=f"mqtt://{listener.host}:{listener.port}",
        probe=lambda _pid: probe(),
        before_start=choose_doors,
    )
