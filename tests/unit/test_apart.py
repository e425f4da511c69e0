"""What services do where no supervisor of ours runs them: a sign of life, handed secrets, a broker told by files."""

import os
import socket
import stat
from pathlib import Path

import pytest

from deploy.native.broker_listeners import BrokerListeners
from deploy.native.home import Secrets
from deploy.native.mosquitto import (
    DATABASE_FILE,
    DeviceListener,
    Mosquitto,
    ingest_filters,
)
from deploy.native.secret_files import FILES_OF, at_address, hand_out, write_urls
from services.core import process
from services.core.broker import users
from services.core.process import notify_supervisor

MAGIC = b"\x00\xb5\x00mosquitto db"
REQUESTS = ("save", "reload", "restart")


@pytest.fixture
def alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("ALATAU_ALIVE_FILE", str(tmp_path / "alive"))
    return tmp_path / "alive"


def test_a_service_that_is_not_ready_yet_shows_no_sign_of_life(alive: Path) -> None:
    notify_supervisor("WATCHDOG=1\nSTATUS=loading")
    assert not alive.exists()


def test_each_sign_of_life_is_the_files_time(alive: Path) -> None:
    notify_supervisor("READY=1")
    os.utime(alive, (0, 0))
    notify_supervisor("STATUS=busy")
    assert alive.stat().st_mtime == 0
    notify_supervisor("WATCHDOG=1\nSTATUS=busy")
    assert alive.stat().st_mtime > 0


def test_a_service_that_stops_is_not_alive(alive: Path) -> None:
    notify_supervisor("READY=1\nWATCHDOG=1")
    notify_supervisor("STOPPING=1")
    notify_supervisor("WATCHDOG=1")
    assert not alive.exists()


def test_a_supervisor_that_hangs_does_not_hang_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(process, "_NOTICE_SECONDS", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nobody_reads:
        nobody_reads.bind(str(tmp_path / "notify"))
        queue = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
        for _ in range(queue + 5):
            notify_supervisor("WATCHDOG=1")


def test_programs_get_their_files_and_no_others(tmp_path: Path) -> None:
    secrets, share = Secrets(tmp_path / "secrets"), tmp_path / "share"
    secrets.folder.mkdir()
    for name in ("api", "grafana", "a-stranger"):
        (share / name).mkdir(parents=True)
    listener = tmp_path / "mqtt.sock"
    write_urls(secrets, at_address(secrets, "database:5432", listener))
    assert hand_out(secrets, share) == ["api", "grafana"]
    handed = {
        name: {path.name for path in (share / name).iterdir()}
        for name in ("api", "grafana", "a-stranger")
    }
    assert handed == {
        "api": set(FILES_OF["api"]),
        "grafana": set(FILES_OF["grafana"]),
        "a-stranger": set(),
    }
    assert all(
        stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secrets.folder.iterdir()
    )


def test_urls_lead_to_the_given_servers(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    write_urls(
        secrets, at_address(secrets, "db.example:5433", Path("/run/x/mqtt.sock"))
    )
    password = secrets.get("database-api")
    assert (
        secrets.get("api.dsn")
        == f"postgresql://alatau_api:{password}@db.example:5433/alatau"
    )
    broker = secrets.get("broker-ingest")
    assert (
        secrets.get("broker.url")
        == f"unix://{users.INGEST}:{broker}@localhost/run/x/mqtt.sock"
    )


@pytest.fixture
def mosquitto(tmp_path: Path) -> Mosquitto:
    return Mosquitto(
        tmp_path, tmp_path / "mqtt.sock", DeviceListener("127.0.0.1", 1883)
    )


def save_session(mosquitto: Mosquitto) -> None:
    words = (users.INGEST, *ingest_filters())
    saved = MAGIC + b" ".join(word.encode() for word in words)
    (mosquitto.folder / DATABASE_FILE).write_bytes(saved)


def asked(mosquitto: Mosquitto) -> set[str]:
    """What the broker was asked; asking is over with it."""
    files = [mosquitto.folder / name for name in REQUESTS]
    there = {file.name for file in files if file.exists()}
    for file in files:
        file.unlink(missing_ok=True)
    return there


def lets_devices_in(mosquitto: Mosquitto) -> bool:
    return "listener 1883 " in mosquitto.configuration.read_text(encoding="utf-8")


def test_devices_come_in_once_the_session_is_saved(mosquitto: Mosquitto) -> None:
    listeners = BrokerListeners(mosquitto)
    listeners.look()
    assert (asked(mosquitto), lets_devices_in(mosquitto)) == (set(), False)
    listeners.look()
    assert (asked(mosquitto), lets_devices_in(mosquitto)) == ({"save"}, False)
    save_session(mosquitto)
    listeners.look()
    assert (asked(mosquitto), lets_devices_in(mosquitto)) == ({"restart"}, True)
    listeners.look()
    assert asked(mosquitto) == set()


def test_a_broker_that_starts_again_with_its_session_is_open_at_once(
    mosquitto: Mosquitto,
) -> None:
    save_session(mosquitto)
    listeners = BrokerListeners(mosquitto)
    listeners.look()
    mosquitto.configuration.unlink()  # as run-broker does at its start
    listeners.look()
    assert (asked(mosquitto), lets_devices_in(mosquitto)) == (set(), True)


def test_a_broker_that_lost_its_session_is_closed_again(mosquitto: Mosquitto) -> None:
    save_session(mosquitto)
    listeners = BrokerListeners(mosquitto)
    listeners.look()
    (mosquitto.folder / DATABASE_FILE).write_bytes(b"half a file")
    mosquitto.configuration.unlink()
    listeners.look()
    assert not lets_devices_in(mosquitto)
    assert not (mosquitto.folder / DATABASE_FILE).exists(), "Mosquitto would not start"


def test_a_door_that_starts_again_leaves_an_open_broker_alone(
    mosquitto: Mosquitto,
) -> None:
    save_session(mosquitto)
    BrokerListeners(mosquitto).look()
    BrokerListeners(mosquitto).look()
    assert (asked(mosquitto), lets_devices_in(mosquitto)) == (set(), True)
