"""A private PostgreSQL and Mosquitto in a temporary folder, set as the native stack sets them, for one measurement."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.native.child import give_to
from deploy.native.mosquitto import DeviceListener, Mosquitto
from deploy.native.postgres import PostgresCluster, machine_memory, tuned_settings
from services.core.broker import users
from services.core.broker.passwords import hash_secret, new_secret

DATABASE = "bench"
_POSTGRES_USER = "postgres"  # Debian's own; PostgreSQL refuses root


@dataclass(frozen=True)
class Servers:
    database_url: str
    postgres_pid: int
    mosquitto: Mosquitto
    broker_pid: int
    secrets: dict[str, str]  # of publishers and of ingest, by user name

    @property
    def service_url(self) -> str:
        secret = self.secrets[users.INGEST]
        return f"unix://{users.INGEST}:{secret}@localhost{self.mosquitto.socket_path}"

    @property
    def port(self) -> int:
        return self.mosquitto.devices.port


@contextmanager
def private_servers(publishers: list[str]) -> Iterator[Servers]:
    user = _POSTGRES_USER if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="alatau-bench-"))
    give_to(folder, user)
    try:
        with (
            (folder / "log").open("wb") as log,
            _postgres(folder / "pg", user, log) as (database_url, postgres),
            _mosquitto(folder / "mq", user, log, publishers) as (
                mosquitto,
                broker,
                secrets,
            ),
        ):
            yield Servers(database_url, postgres, mosquitto, broker, secrets)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _postgres(
    folder: Path, user: str | None, log: IO[bytes]
) -> Iterator[tuple[str, int]]:
    folder.mkdir()
    give_to(folder, user)
    settings = tuned_settings(machine_memory())
    cluster = PostgresCluster(folder, folder, free_port(), user, settings)
    cluster.init(password=None)
    cluster.write_settings()
    server = cluster.start(log)
    try:
        cluster.wait_until_ready(server)
        cluster.sql(f"CREATE DATABASE {DATABASE};")
        yield cluster.dsn(DATABASE), server.pid
    finally:
        _stop(server, signal.SIGINT)


@contextmanager
def _mosquitto(
    folder: Path, user: str | None, log: IO[bytes], publishers: list[str]
) -> Iterator[tuple[Mosquitto, int, dict[str, str]]]:
    folder.mkdir()
    give_to(folder, user)
    listener = DeviceListener("127.0.0.1", free_port())
    mosquitto = Mosquitto(folder, folder / "mq.sock", listener, user)
    secrets = {name: new_secret() for name in (users.INGEST, *publishers)}
    secrets[users.DOWNLINK] = secrets[users.INGEST]
    mosquitto.write_passwords(
        {name: hash_secret(secret) for name, secret in secrets.items()}
    )
    mosquitto.write_configuration(devices_let_in=True)
    server = mosquitto.start(log)
    try:
        mosquitto.wait_until_listening(server, devices_let_in=True)
        yield mosquitto, server.pid, secrets
    finally:
        _stop(server, signal.SIGTERM)


def _stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    server.send_signal(how)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
