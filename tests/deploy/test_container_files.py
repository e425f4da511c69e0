"""docker-compose.yml, deploy/Dockerfile and .dockerignore: well-formed, and as careful as the documentation says."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.native import console, environment, postgres
from deploy.native.secret_files import FILES_OF
from tests.deploy.compose_file import COMPOSE, OURS, Service, interpolate, read_services
from tests.deploy.compose_run import NOT_HERE
from tests.deploy.dockerfile import DOCKERFILE, ROOT, USER, Ignored, read_stages

TOOLS = Path(sys.executable).parent
SERVICES = read_services({})
STAYING = [service for service in SERVICES.values() if not service.runs_once]
PINNED = re.compile(r"^[a-z0-9./-]+:\d+(\.\d+)*(-[a-z0-9.]+)*$")


def lint(*command: str) -> None:
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def each(services: list[Service]) -> pytest.MarkDecorator:
    names = [service.name for service in services]
    return pytest.mark.parametrize("service", services, ids=names)


def test_compose_fits_the_specification() -> None:
    lint(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE.name)
    )


def test_yaml_is_clean() -> None:
    lint("yamllint", "--strict", COMPOSE.name, ".yamllint.yaml")


@pytest.mark.skipif(
    not (TOOLS / "hadolint").exists(), reason="hadolint has wheels for x86-64 only"
)
def test_dockerfile_is_clean() -> None:
    lint("hadolint", "--no-color", str(DOCKERFILE))


@pytest.mark.parametrize(
    "script", ["deploy/mosquitto/run-broker", "deploy/try-compose.sh"]
)
def test_scripts_can_be_started(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111
    subprocess.run(["/bin/sh", "-n", script], cwd=ROOT, check=True)


@each(list(SERVICES.values()))
def test_a_service_may_do_no_more_than_it_must(service: Service) -> None:
    document = service.document
    assert document["cap_drop"] == ["ALL"]
    assert document["security_opt"] == ["no-new-privileges:true"]
    assert document["read_only"] is True
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & document.keys()
    assert document["logging"]["options"].keys() == {"max-size", "max-file"}
    assert document["deploy"]["resources"]["limits"]["memory"]
    assert PINNED.match(document["image"])


@each(STAYING)
def test_what_stays_is_watched_and_started_again(service: Service) -> None:
    assert service.document["restart"] == "unless-stopped"
    assert service.health_command
    assert service.stop_seconds >= 20


def test_nothing_is_reached_from_outside_but_these_doors_on_loopback() -> None:
    published = {
        name: service.document["ports"]
        for name, service in SERVICES.items()
        if "ports" in service.document
    }
    assert published == {
        "api": ["127.0.0.1:8620:8080"],
        "broker": ["127.0.0.1:8628:8883", "127.0.0.1:8629:8884"],
        "ingest": ["127.0.0.1:8627:8090"],
        "grafana": ["127.0.0.1:8626:3000"],
    }
    networks = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["networks"]
    assert networks["back"] == {"internal": True}
    with_way_out = {
        name
        for name, s in SERVICES.items()
        if "front" in s.document.get("networks", ())
    }
    assert with_way_out == published.keys()


def test_the_doors_can_be_moved() -> None:
    moved = read_services({"ALATAU_BIND": "10.0.0.7", "ALATAU_API_PORT": "443"})
    assert moved["api"].document["ports"] == ["10.0.0.7:443:8080"]


def test_no_secret_is_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.document.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL|BROKER_URL", name):
                assert re.match(
                    r"^(file:)?/(run/secrets|var/lib/alatau)|^mqtts://broker:8883$",
                    value,
                ), name


def test_each_program_is_handed_its_secrets_in_a_volume_of_its_own() -> None:
    shared = {
        mount.target.rpartition("/")[2]: mount.source
        for mount in SERVICES["secrets"].mounts
        if "/share/" in mount.target
    }
    seen = {
        name: mount.source
        for name, service in SERVICES.items()
        for mount in service.mounts
        if mount.target == "/run/secrets"
    }
    assert shared == seen
    assert shared.keys() == FILES_OF.keys()


def test_grafana_finds_what_its_provisioning_names() -> None:
    grafana = SERVICES["grafana"]
    told = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "deploy/grafana/provisioning").rglob("*.yaml")
    )
    files = re.findall(r"\$__file\{/run/secrets/([^}]+)\}", told)
    assert files
    assert set(files) < set(FILES_OF["grafana"])
    variables = re.findall(r"\$([A-Z]\w+)", told)
    assert set(variables) <= grafana.document["environment"].keys()
    folders = re.findall(r"path: (\S+)", told)
    assert folders
    assert set(folders) <= {mount.target for mount in grafana.mounts}


def test_what_is_mounted_from_the_checkout_is_in_it() -> None:
    """An engine would make an empty folder of what is not there."""
    sources = {
        mount.source
        for service in SERVICES.values()
        for mount in service.mounts
        if not mount.is_volume
    }
    assert len(sources) == 3
    for source in sources:
        found = subprocess.run(
            ["git", "ls-files", source], cwd=ROOT, capture_output=True, check=True
        )
        assert found.stdout, source


def test_the_image_makes_every_folder_that_our_services_write() -> None:
    commands = " ".join(
        text for kind, text in read_stages()[-1].instructions if kind == "RUN"
    )
    made = commands.split(" in ", 1)[1].split(";")[0].split()
    written = {
        mount.target.removeprefix("/var/lib/alatau/")
        for service in SERVICES.values()
        if service.is_ours
        for mount in service.mounts
        if not mount.read_only
    }
    assert written | {"share"} == set(made)


def test_every_volume_is_declared_and_used() -> None:
    declared = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["volumes"]
    used = {
        mount.source
        for service in SERVICES.values()
        for mount in service.mounts
        if mount.is_volume
    }
    assert declared.keys() == used


def test_the_database_is_set_as_the_native_one_with_its_memory() -> None:
    document = SERVICES["database"].document
    flags = dict(flag[2:].split("=", 1) for flag in document["command"][1:])
    assert document["deploy"]["resources"]["limits"]["memory"] == "4g"
    assert flags == {**postgres._ALWAYS, **postgres.tuned_settings(4 * 1024**3)}


def test_image_and_compose_say_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"alatau:{project['project']['version']}" == OURS
    last = read_stages()[-1]
    assert last.last("USER") == f"{USER}:{USER}"
    assert SERVICES["broker"].document["user"] == f"{USER}:{USER}"
    checked = json.loads(last.last("HEALTHCHECK").partition("CMD ")[2])
    assert SERVICES["api"].health_command == checked


def test_the_console_is_built_by_the_commands_of_make_demo() -> None:
    """They are run by the installation that every test follows, not here."""
    commands = [text for kind, text in read_stages()[0].instructions if kind == "RUN"]
    assert commands == [f"npm {' '.join(console.CLEAN_INSTALL)}", "npm run build"]


def test_uv_is_one_that_the_installation_takes() -> None:
    (version,) = re.findall(r"uv==([\d.]+)", DOCKERFILE.read_text(encoding="utf-8"))
    oldest, newest = re.findall(r"[<>]=?([\d.]+)", environment.UV_REQUIREMENT)
    assert numbers(oldest) <= numbers(version) < numbers(newest)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_bases_are_pinned() -> None:
    assert all(PINNED.match(stage.base) for stage in read_stages())


@pytest.mark.parametrize(
    "path",
    [
        ".alatau/secrets/operator",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
        "services/api/console/built/index.html",
        "services/api/console/web/node_modules/vite/package.json",
        "services/core/__pycache__/clock.cpython-311.pyc",
    ],
)
def test_what_is_not_ours_to_ship_stays_out(path: str) -> None:
    assert not Ignored.read().lets_in(path)


def test_only_grafana_is_not_run_by_these_tests() -> None:
    assert set(NOT_HERE) == {"grafana"}
    assert [n for n, s in SERVICES.items() if "command" not in s.document] == [
        "grafana"
    ]


@given(st.text(alphabet=st.characters(exclude_characters="$")))
def test_interpolation_leaves_what_has_no_dollar(text: str) -> None:
    settings: dict[str, Any] = {}
    assert interpolate(text, settings) == text
    assert interpolate(f"$${text}", settings) == f"${text}"
