"""Credentials: from the command to the broker's door."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from typer.testing import Result

from deploy.native.postgres import PostgresCluster
from services.core.authority import (
    Authority,
    CertificateError,
    new_authority,
    new_key,
)
from services.core.broker.topics import up_topic
from services.core.clock import SystemClock
from services.core.storage.certificates import UnknownCertificateError
from services.core.storage.credentials import (
    CredentialsExistError,
    NoCredentialsError,
    UnknownPublisherError,
)
from services.core.storage.rotations import RotationUnderWayError
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


def test_all_leaves_out_who_was_revoked(run: Run) -> None:
    run("add", "gateway-1", "gateway-2")
    run("revoke", "gateway-1")
    assert secrets_in(run("add", "--all").stdout).keys() == {"station-1"}
    assert listed(run) == {"gateway-1": False, "gateway-2": True, "station-1": True}


def test_a_secret_that_is_sent_is_told_nobody_else(
    run: Run, postgres: PostgresCluster, database_url: str, tmp_path: Path
) -> None:
    run("add", "gateway-1")
    assert run("rotate", "gateway-1", "--out", str(tmp_path / "x")).exit_code != 0
    said = run("rotate", "gateway-1").output
    database = database_url.rpartition("/")[2]
    sealed = "SELECT convert_from(sealed, 'utf8')::jsonb ->> 'secret' FROM commands"
    (secret,) = re.findall(r"[\w-]{43}", postgres.sql(sealed, database=database))
    shown = run("show", "gateway-1", "--json").stdout
    assert secret not in said + shown
    standing = json.loads(shown)["rotation"]
    assert (standing["on_trial"], standing["trials"]) == (False, 0)
    with pytest.raises(RotationUnderWayError):
        run("rotate", "gateway-1")


@pytest.mark.parametrize("words", [("rotate", "--now"), ("revoke",)])
def test_what_a_person_does_ends_what_is_on_its_way(
    run: Run, words: tuple[str, ...]
) -> None:
    run("add", "gateway-1")
    run("rotate", "gateway-1")
    run(*words, "gateway-1")
    assert json.loads(run("show", "gateway-1", "--json").stdout)["rotation"] is None


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = new_authority(SystemClock().now())
    (tmp_path / "ca.pem").write_bytes(made.pem)
    (tmp_path / "ca.key").write_bytes(made.key_pem)
    monkeypatch.setenv("ALATAU_AUTHORITY_DIR", str(tmp_path))
    return made


def test_a_certificate_is_shown_once_and_makes_a_publisher(
    run: Run, authority: Authority, tmp_path: Path
) -> None:
    printed = run("certificate", "gateway-1").stdout
    assert "PRIVATE KEY" in printed
    assert listed(run)["gateway-1"]
    out = tmp_path / "station-1.pem"
    run("certificate", "station-1", "--out", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    assert secrets_in(run("add", "--all").stdout).keys() == {"gateway-2"}
    document = json.loads(run("show", "station-1", "--json").stdout)
    (kept,) = document["certificates"]
    certificate = x509.load_pem_x509_certificate(out.read_bytes())
    assert kept["serial"] == f"{certificate.serial_number:x}"
    assert kept["fingerprint"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert document["may_connect"]


def test_only_publishers_get_certificates_and_only_for_themselves(
    run: Run, authority: Authority, tmp_path: Path
) -> None:
    request = tmp_path / "request.pem"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway-2")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = builder.sign(new_key(), hashes.SHA256())
    request.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(CertificateError, match="for gateway-2, not gateway-1"):
        run("certificate", "gateway-1", "--csr", str(request))
    printed = run("certificate", "gateway-2", "--csr", str(request)).stdout
    assert "PRIVATE KEY" not in printed
    with pytest.raises(UnknownPublisherError, match="meter-1"):
        run("certificate", "meter-1")
    with pytest.raises(UnknownCertificateError):
        run("revoke", "gateway-2", "--certificate", "2a")


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
