"""Every command of docker-compose.yml, run here in the order and with the settings of the file."""

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator

import httpx2
import pytest

from tests.deploy.compose_run import METRICS_PORT, ComposeRun, compose_run
from tests.deploy.dockerfile import Image
from tests.installation import until

# The first test's time has in it what all of them need.
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def running(image: Image) -> Iterator[ComposeRun]:
    with compose_run(image) as run:
        run.up()
        yield run


def latest(run: ComposeRun) -> dict[str, str]:
    """The newest phenomenon time by datastream."""
    items = httpx2.get(f"{run.api}/open/v1/latest?limit=100").json()["items"]
    return {item["datastream"]: item["phenomenon_time"] for item in items}


def test_telemetry_flows_from_the_simulated_city_to_open_data(
    running: ComposeRun,
) -> None:
    ready = until(
        "ready", lambda: httpx2.get(f"{running.api}/health/ready").status_code == 200
    )
    assert ready
    first = until("values", lambda: latest(running))
    until("newer values", lambda: latest(running) != first)


@pytest.mark.parametrize("service", ["ingest", "rules", "history"])
def test_prometheus_finds_metrics(running: ComposeRun, service: str) -> None:
    port = running.ports[f"{METRICS_PORT} of {service}"]
    told = httpx2.get(f"http://127.0.0.1:{port}/metrics")
    assert "process_cpu_seconds_total" in told.text


def test_a_killed_broker_comes_back_and_lets_devices_in(running: ComposeRun) -> None:
    pid_file = running.tree / "broker" / "mosquitto.pid"
    os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGKILL)
    broker = running.processes["broker"]
    until("the container has ended", lambda: broker.code is not None)
    assert broker.code != 0, "an engine would not start it anew"
    running.start("broker")
    until("healthy", lambda: running.is_healthy("broker"))
    before = latest(running)
    until("newer values", lambda: latest(running) != before)


def test_a_revoked_device_is_put_out(running: ComposeRun, image: Image) -> None:
    revoked = next(iter(sorted(latest(running)))).split(".")[0]
    dsn = running.tree / "share" / "migrate" / "owner.dsn"
    done = subprocess.run(
        image.command("devices", "revoke", revoked),
        env={**image.settings(), "ALATAU_DATABASE_URL": f"file:{dsn}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passwords = running.tree / "broker" / "passwords"
    until(
        "written out", lambda: f"\n{revoked}:" not in passwords.read_text("utf-8"), 5.0
    )
    log = running.processes["broker"].log
    until("told", lambda: "Reloading config" in log.read_text("utf-8"), 5.0)


def test_what_runs_once_changes_nothing_the_second_time(running: ComposeRun) -> None:
    def fingerprints() -> dict[str, str]:
        kept = [
            path
            for name in ("secrets", "handover", "share")
            for path in (running.tree / name).resolve().rglob("*")
            if path.is_file()
        ]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept
        }

    before = fingerprints()
    assert before
    for name, service in running.services.items():
        if service.runs_once:
            again = running.start(name)
            assert again.wait() == 0, again.said()
    assert fingerprints() == before


def test_no_secret_is_said(running: ComposeRun) -> None:
    secrets = [
        path.read_text(encoding="utf-8").strip()
        for path in (running.tree / "secrets").iterdir()
    ]
    said = "".join(process.said() for process in running.processes.values())
    assert len(secrets) > 10
    assert not [secret for secret in secrets if secret in said]


def test_each_program_sees_its_own_secrets_alone(running: ComposeRun) -> None:
    """What is mounted at /run/secrets, by service."""
    seen = {
        name: sorted(path.name for path in running.host_path(mount).iterdir())
        for name, service in running.services.items()
        for mount in service.mounts
        if mount.target == "/run/secrets"
    }
    assert seen == {
        "database": ["database-superuser"],
        "migrate": ["ca.key", "ca.pem", "owner.dsn"],
        "ingest": ["broker.url", "ingest.dsn"],
        "rules": ["rules.dsn"],
        "history": ["history.dsn"],
        "api": ["api.dsn"],
        "broker-door": ["broker-door.dsn", "broker-ingest", "ca.key", "ca.pem"],
    }


def test_all_stop_in_order_within_their_grace_time(running: ComposeRun) -> None:
    """The last test here: afterwards nothing runs."""
    codes = running.down()
    assert {"database", "broker", "broker-door", "ingest", "sim"} <= codes.keys()
    assert not any(codes.values()), codes
