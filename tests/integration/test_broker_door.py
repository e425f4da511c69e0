"""Credentials: from the command to the broker's door."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from deploy.native.postgres import PostgresCluster
from services.core.broker.topics import up_topic
from services.core.storage.credentials import (
    CredentialsExistError,
    NoCredentialsError,
    UnknownPublisherError,
)
from tests.integration.broker_door_stage import (
    DoorStage,
    devices_command,
    secrets_in,
)
from tests.stack_fixtures import Broker, wait_until

pytestmark = pytest.mark.integration

MOSQUITTO_PUB = "/usr/bin/mosquitto_pub"
Run = Callable[..., Result]


@pytest.fixture
def run(
    postgres: PostgresCluster, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """`alatau devices …` on a registry of its own."""
    return devices_command(postgres, database_url, monkeypatch)


def listed(run: Run) -> dict[str, bool]:
    document = json.loads(run("list", "--json").stdout)
    return {entry["device"]: entry["may_connect"] for entry in document}


def test_a_secret_is_shown_once_and_only_its_hash_is_kept(
    run: Run, postgres: PostgresCluster, database_url: str
) -> None:
    secret = secrets_in(run("add", "gateway-1").stdout)["gateway-1"]
    database = database_url.rpartition("/")[2]
    kept = postgres.sql("SELECT * FROM credentials, audit", database=database)
    assert "gateway-1" in kept
    assert secret not in kept
    assert secret not in run("list").stdout
    assert listed(run) == {"gateway-1": True, "gateway-2": False, "station-1": False}


def test_many_at_once_as_a_file_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "secrets.csv"
    run("add", "station-1")
    run("add", "--all", "--out", str(out))
    assert secrets_in(out.read_text()).keys() == {"gateway-1", "gateway-2"}
    assert out.stat().st_mode & 0o777 == 0o600
    assert all(listed(run).values())


@pytest.mark.parametrize(
    "text",
    [
        "gateway-1\ngateway-2\n",
        "\ufeffserial,device\r\n17,gateway-1\r\n18,gateway-2\r\n",
    ],
)
def test_a_list_may_come_from_a_file(run: Run, tmp_path: Path, text: str) -> None:
    wanted = tmp_path / "devices.csv"
    wanted.write_text(text, encoding="utf-8")
    assert secrets_in(run("add", "--from", str(wanted)).stdout).keys() == {
        "gateway-1",
        "gateway-2",
    }


@pytest.mark.parametrize("key", ["nobody", "meter-1", "station-0"])
def test_only_publishers_of_the_registry_get_credentials(run: Run, key: str) -> None:
    with pytest.raises(UnknownPublisherError, match=key):
        run("add", "gateway-1", key)
    assert not any(listed(run).values()), "all or none"


def test_credentials_are_not_replaced_by_accident(run: Run) -> None:
    with pytest.raises(NoCredentialsError):
        run("rotate", "--now", "gateway-1")
    first = secrets_in(run("add", "gateway-1").stdout)
    with pytest.raises(CredentialsExistError):
        run("add", "gateway-1")
    assert secrets_in(run("rotate", "--now", "gateway-1").stdout) != first


def test_the_broker_follows_the_registry(
    run: Run, broker: Broker, database_url: str
) -> None:
    stage = DoorStage(broker, database_url)
    look = stage.look

    def may_publish(secret: str) -> bool:
        place = ["-h", "127.0.0.1", "-p", str(broker.port), "-u", "gateway-1"]
        message = ["-t", up_topic("gateway-1", "data"), "-m", "{}"]
        command = [MOSQUITTO_PUB, *place, "-P", secret, *message]
        tried = subprocess.run(command, capture_output=True, check=False)
        return tried.returncode == 0

    first = secrets_in(run("add", "gateway-1").stdout)["gateway-1"]
    look()
    wait_until(lambda: may_publish(first))
    second = secrets_in(run("rotate", "--now", "gateway-1").stdout)["gateway-1"]
    look()
    wait_until(lambda: may_publish(second))
    assert not may_publish(first)
    run("revoke", "gateway-1")
    look()
    wait_until(lambda: not may_publish(second))
    before = broker.reloads()
    look()
    wait_until(lambda: broker.reloads() > before)  # told once more
    before = broker.reloads()
    run("add", "gateway-1")
    run("revoke", "gateway-1")
    look()
    assert broker.reloads() == before, "nothing has changed for the broker"
    # Killed between the file and the signal: the file is right already, and the broker has not read it.
    stage.start_anew()
    look()
    wait_until(lambda: broker.reloads() > before)
