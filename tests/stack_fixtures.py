"""Real servers for tests: a private PostgreSQL for the session, a private Mosquitto for a test."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from deploy.native.broker_files import BrokerFiles
from deploy.native.certificates import ServerCertificate
from deploy.native.child import give_to
from deploy.native.mosquitto import (
    DeviceListener,
    Mosquitto,
    TlsListeners,
    is_ready_for_signals,
)
from deploy.native.postgres import PostgresCluster
from services.core.authority import Authority, sign_revocations
from services.core.broker import users
from services.core.broker.passwords import hash_secret, new_secret
from services.core.clock import SystemClock
from services.core.storage.migrate import migrate

TEMPLATE = "template_alatau"
ROOM_IN_MEMORY = 3 * 1024**3
SERVICE_ROLES = (
    "alatau_ingest",
    "alatau_rules",
    "alatau_history",
    "alatau_api",
    "alatau_door",
    "alatau_reader",
    "alatau_grafana",
)
# Speed over durability: a crash of the machine may cost a test run, never data.
TEST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "jit": "off",
    # No scheduler per test database: it would hold a connection to each.
    "timescaledb.max_background_workers": "0",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_user() -> str | None:
    """PostgreSQL refuses root, so root's tests lend it Debian's own user."""
    return "postgres" if os.geteuid() == 0 else None


def fastest_place() -> str:
    """In memory where there is room: a database is then made in a tenth of the time."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_IN_MEMORY
    return str(memory) if roomy and os.access(memory, os.W_OK) else "/tmp"


@contextmanager
def server_folder(name: str, place: str | None = None) -> Iterator[Path]:
    """A short path (sockets!) that the server's user can reach, unlike pytest's own folders under root."""
    folder = Path(
        tempfile.mkdtemp(prefix=f"alatau-{name}-", dir=place or fastest_place())
    )
    give_to(folder, server_user())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if server.poll() is None:
        server.send_signal(how)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextmanager
def running_postgres(
    settings: Mapping[str, str] = TEST_SETTINGS, place: str | None = None
) -> Iterator[PostgresCluster]:
    """place: where its folder is made; default: the fastest."""
    with server_folder("pg", place) as folder:
        cluster = PostgresCluster(folder, folder, free_port(), server_user(), settings)
        cluster.init(password=None)
        cluster.write_settings()
        with (folder / "log").open("wb") as log:
            server = cluster.start(log)
            try:
                cluster.wait_until_ready(server)
                yield cluster
            finally:
                stop(server, signal.SIGQUIT)


def make_template(cluster: PostgresCluster) -> None:
    roles = "".join(f"CREATE ROLE {role} LOGIN;\n" for role in SERVICE_ROLES)
    cluster.sql(f"{roles}CREATE DATABASE {TEMPLATE};")
    asyncio.run(migrate(cluster.dsn(TEMPLATE)))
    cluster.sql(
        f"ALTER DATABASE {TEMPLATE} WITH ALLOW_CONNECTIONS false;\n"
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEMPLATE}';"
    )


@contextmanager
def fresh_database(cluster: PostgresCluster, name: str) -> Iterator[str]:
    """The DSN (superuser) of a migrated, empty database; it is dropped afterwards."""
    cluster.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE};")
    try:
        yield cluster.dsn(name)
    finally:
        cluster.sql(f"DROP DATABASE {name} WITH (FORCE);")


@dataclass
class Broker:
    """A running Mosquitto with both listeners; `server` changes when a test restarts it."""

    mosquitto: Mosquitto
    secrets: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.mosquitto.folder / "log"

    @property
    def port(self) -> int:
        return self.mosquitto.devices.port

    @property
    def service_url(self) -> str:
        """For ALATAU_BROKER_URL."""
        secret = quote(self.secrets[users.INGEST], safe="")
        return f"unix://{users.INGEST}:{secret}@localhost{self.mosquitto.socket_path}"

    @property
    def device_url(self) -> str:
        """For ALATAU_DEVICE_BROKER_URL."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self, *, devices_let_in: bool = True) -> None:
        self.mosquitto.write_configuration(devices_let_in=devices_let_in)
        with self.log.open("ab") as log:
            self.server = self.mosquitto.start(log)
        self.mosquitto.wait_until_listening(self.server, devices_let_in=devices_let_in)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.server is not None:
            stop(self.server, how)

    def kill(self) -> None:
        """As a crash would: nothing is saved."""
        self.stop(signal.SIGKILL)

    def add_device(self, device: str) -> str:
        """Give a publisher credentials, in force on return; returns its secret."""
        return self.add_devices([device])[device]

    def add_devices(self, devices: list[str]) -> dict[str, str]:
        added = {device: new_secret() for device in devices}
        self.secrets |= added
        self.reload()
        return added

    def revoke(self, device: str) -> None:
        del self.secrets[device]
        self.reload()

    def reload(self) -> None:
        hashes = {user: hash_secret(secret) for user, secret in self.secrets.items()}
        self.mosquitto.write_passwords(hashes)
        if self.server is not None:
            seen = self.reloads()
            wait_until(lambda: self._told_to_reload(seen))

    def _told_to_reload(self, seen: int) -> bool:
        """Tells it again each time: a signal that comes while the broker is still reading the file is lost."""
        deaf = self.server is None or not is_ready_for_signals(self.server.pid)
        if self.server is not None and not deaf and self.reloads() == seen:
            self.server.send_signal(signal.SIGHUP)
        return self.reloads() > seen

    def reloads(self) -> int:
        return self.log.read_text(encoding="utf-8").count("Reloading config")


def _tls_listeners(folder: Path, authority: Authority) -> TlsListeners:
    files, clock = BrokerFiles(folder), SystemClock()
    ServerCertificate(files, authority, clock).look()
    files.write("crl.pem", sign_revocations(authority, [], clock.now(), None))
    return TlsListeners("127.0.0.1", free_port(), free_port())


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """For what a foreign process does on its own; polls every 5 ms."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


@contextmanager
def running_broker(authority: Authority | None = None) -> Iterator[Broker]:
    """authority: signs for the listeners with TLS; without one there are none."""
    with server_folder("mq") as folder:
        listener = DeviceListener("127.0.0.1", free_port())
        tls = _tls_listeners(folder, authority) if authority else None
        mosquitto = Mosquitto(folder, folder / "mq.sock", listener, server_user(), tls)
        broker = Broker(mosquitto, dict.fromkeys(users.OF_INGEST, new_secret()))
        broker.reload()
        broker.start()
        try:
            yield broker
        finally:
            broker.kill()
