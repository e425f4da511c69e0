"""deploy/systemd: what systemd says of the units, and their commands run here."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest

from deploy.native.postgres import PostgresCluster
from tests.deploy.dockerfile import Image
from tests.deploy.unit_files import UNITS, read_units
from tests.deploy.unit_run import UnitRun, unit_run
from tests.installation import until
from tests.stack_fixtures import free_port, running_postgres

MOST_EXPOSED = 2.0  # of 10, as `systemd-analyze security` counts
SERVICES = ("ingest", "rules", "history", "api", "broker-door")
STEADY = ("alatau-broker", *(f"alatau-{name}" for name in SERVICES))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder, their programs replaced by one that is on this machine."""
    folder = tmp_path / "system"
    shutil.copytree(UNITS, folder)
    for unit in folder.glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    return folder


def analyze(folder: Path, *arguments: str) -> str:
    units = sorted(
        str(path) for path in folder.iterdir() if path.suffix in {".service", ".target"}
    )
    if arguments[0] == "security":
        units = [unit for unit in units if unit.endswith(".service")]
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments, *units],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    said = analyze(installed, "verify", "--man=no", "--recursive-errors=yes")
    assert str(installed) not in said, said


def test_the_units_are_confined(installed: Path) -> None:
    threshold = str(int(MOST_EXPOSED * 10))
    said = analyze(installed, "security", "--offline=yes", f"--threshold={threshold}")
    assert len(re.findall("Overall exposure level", said)) == len(read_units())


def test_every_unit_starts_again_for_ever() -> None:
    units = read_units()
    for name in STEADY:
        assert units[name].only("Restart") == "always"
        assert units[name].only("StartLimitIntervalSec") == "0"


def test_the_target_wants_every_unit() -> None:
    text = (UNITS / "alatau.target").read_text(encoding="utf-8")
    wanted = set(re.findall(r"(alatau-[a-z-]+)\.service", text))
    assert wanted == read_units().keys()


@pytest.fixture
def running(image: Image) -> Iterator[UnitRun]:
    """Every unit started, in the order of their After=."""
    used = ("8620", "8621", "8628", "8629")
    ports = {port: str(free_port()) for port in used}
    ports |= {port: str(free_port()) for port in ("8623", "8624", "8625")}
    ports["127.0.0.1:8627"] = f"127.0.0.1:{free_port()}"
    with running_postgres() as database, unit_run(image, ports) as run:
        prepare(run, database)
        run.run_to_its_end("alatau-migrate")
        for name in STEADY:
            run.start(name)
        for name in SERVICES:
            run.until_ready(f"alatau-{name}")
        yield run


def prepare(run: UnitRun, database: PostgresCluster) -> None:
    """What docs/containers.md has an administrator do once."""
    secrets = run.folder / "etc" / "secrets"
    settings = {
        **run.image.settings(),
        "ALATAU_SECRETS_DIR": str(secrets),
        "ALATAU_DATABASE_ADDRESS": f"127.0.0.1:{database.port}",
        "ALATAU_BROKER_SOCKET": str(run.folder / "run" / "mqtt.sock"),
    }
    for words in (("secrets",), ("db", "roles")):
        subprocess.run(
            run.image.command(*words), env=settings, check=True, capture_output=True
        )


@pytest.mark.acceptance
@pytest.mark.timeout(300)
def test_the_units_commands_make_a_platform(running: UnitRun) -> None:
    api = f"http://127.0.0.1:{running.ports['8620']}"
    until("ready", lambda: httpx2.get(f"{api}/health/ready").status_code == 200)
    conf = running.folder / "state" / "broker" / "mosquitto.conf"
    port = running.ports["8621"]
    until(
        "devices are let in",
        lambda: f"listener {port} " in conf.read_text(encoding="utf-8"),
    )
    for name in SERVICES:
        started = running.started[f"alatau-{name}"]
        until(f"{name}'s watchdog is fed", partial(started.has_said, "WATCHDOG=1"))
    codes = running.stop_all()
    assert codes.keys() == set(STEADY)
    assert not any(codes.values()), codes
