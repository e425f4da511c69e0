"""`alatau grafana` against a stand-in for Grafana (stand_in.py says what that is worth)."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli import grafana
from services.core.errors import PlatformError
from tests.grafana import stand_in
from tests.grafana.stand_in import TOKEN, State
from tests.installation import ALATAU

DSN = "postgresql://alatau_grafana:s3cret-%2F@db.example:5433/alatau?sslmode=require"
FILES = Path(__file__).parents[2] / "deploy/grafana/dashboards"


@pytest.fixture(name="grafana")
def running_grafana() -> Iterator[tuple[str, State]]:
    with stand_in.running() as running:
        yield running


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def alatau(*arguments: str, token: str = TOKEN) -> Done:
    """`alatau grafana ARGUMENTS` in this process; errors are told as `alatau` tells them."""
    app = typer.Typer()
    grafana.register(app)
    result = CliRunner().invoke(
        app, ["grafana", *arguments], env={"ALATAU_GRAFANA_TOKEN": token}
    )
    told = ""
    if isinstance(result.exception, PlatformError):
        told = f"{result.exception}\n{result.exception.remedy}"
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr + told)


def applied(url: str, *more: str) -> dict[str, Any]:
    done = alatau("apply", "--url", url, "--database-url", DSN, "--json", *more)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def changes(document: dict[str, Any]) -> set[str]:
    return {item["change"] for item in document["items"]}


def test_the_second_time_nothing_is_written(grafana: tuple[str, State]) -> None:
    url, state = grafana
    first = applied(url)
    assert changes(first) == {"created"}
    assert len(state.writes) == first["written"] == 10
    assert state.passwords == {"alatau-database": "s3cret-/"}
    source = state.datasources["alatau-database"]
    assert source["url"] == "db.example:5433"
    assert source["jsonData"]["sslmode"] == "require"
    written = list(state.writes)
    second = applied(url)
    assert changes(second) == {"unchanged"}
    assert state.writes == written


def test_what_was_changed_by_hand_is_mended_and_nothing_else(
    grafana: tuple[str, State],
) -> None:
    url, state = grafana
    applied(url)
    state.writes.clear()
    state.dashboards["alatau-gas"]["dashboard"]["panels"].pop()
    state.dashboards["alatau-water"]["meta"]["folderUid"] = "elsewhere"
    state.folders["alatau"]["title"] = "Mine"
    state.datasources["alatau-database"]["isDefault"] = True
    state.datasources["alatau-database"]["url"] = "old:5432"
    mended = applied(url)
    updated = {item["uid"] for item in mended["items"] if item["change"] == "updated"}
    assert updated == {"alatau", "alatau-database", "alatau-gas", "alatau-water"}
    assert len(state.writes) == 4
    assert state.datasources["alatau-database"]["isDefault"]
    assert state.dashboards["alatau-gas"]["dashboard"]["version"] == 2


def test_a_new_password_is_brought_when_the_old_one_fails(
    grafana: tuple[str, State],
) -> None:
    url, state = grafana
    applied(url)
    state.writes.clear()
    state.right_password = "s3cret-/"
    state.passwords["alatau-database"] = "of yesterday"
    applied(url)
    assert state.writes == ["PUT /api/datasources/uid/alatau-database"]


def test_another_language_changes_the_dashboards_only(
    grafana: tuple[str, State],
) -> None:
    url, _ = grafana
    applied(url)
    spoken = applied(url, "--lang", "kk")
    kinds = {item["kind"] for item in spoken["items"] if item["change"] == "updated"}
    assert kinds == {"dashboard"}


def test_a_dry_run_writes_nothing(grafana: tuple[str, State]) -> None:
    url, state = grafana
    told = applied(url, "--dry-run")
    assert changes(told) == {"created"}
    assert told["written"] == 0
    assert not state.writes


def test_a_grafana_under_a_path_is_found(grafana: tuple[str, State]) -> None:
    url, state = grafana
    applied(f"{url}/sub")
    assert len(state.writes) == 10


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"token": "wrong"}, "does not know this token"),
        ({"token": ""}, "--token-file"),
        ({"denied": ("/api/dashboards",)}, "may not read dashboards"),
        ({"denied": ("/api/datasources",)}, "may not read data sources"),
        ({"right_password": "other"}, "--database-address"),
        ({"url": "http://127.0.0.1:9"}, "does not answer"),
        ({"url": "grafana.example"}, "no address of a Grafana"),
        ({"dsn": "postgresql://u:secret@/alatau?host=/run"}, "over TCP only"),
        ({"dsn": "mysql://u:secret@h/x"}, "no PostgreSQL URL"),
    ],
)
def test_what_goes_wrong_is_said_with_what_helps(
    grafana: tuple[str, State], how: dict[str, Any], said: str
) -> None:
    url, state = grafana
    state.denied = how.get("denied", ())
    state.right_password = how.get("right_password")
    source = how.get("dsn", DSN)
    address = how.get("url", url)
    done = alatau(
        "apply",
        "--url",
        address,
        "--database-url",
        source,
        token=how.get("token", TOKEN),
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (TOKEN, "s3cret", "secret@"):
        assert secret not in done.stderr + done.stdout


def test_what_is_not_ours_is_left_alone(grafana: tuple[str, State]) -> None:
    url, state = grafana
    state.datasources["theirs"] = {"uid": "theirs", "name": "Alatau", "type": "mysql"}
    done = alatau("apply", "--url", url, "--database-url", DSN)
    assert done.returncode == 1
    assert "Another data source is named" in done.stderr
    assert state.datasources["theirs"]["type"] == "mysql"


def test_the_acceptance_asks_every_panel_through_grafana(
    grafana: tuple[str, State],
) -> None:
    url, state = grafana
    done = alatau("check", "--url", url, "--database-url", DSN, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert len(state.asked) == len(findings) - 11 > 100
    assert len(state.writes) == 10


def test_rendered_files_are_the_committed_ones(tmp_path: Path) -> None:
    done = alatau("render", str(tmp_path / "made"))
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    assert made == {path.name: path.read_bytes() for path in FILES.iterdir()}


def test_the_token_comes_from_a_file_or_a_pipe_and_is_in_no_process_list(
    grafana: tuple[str, State], tmp_path: Path
) -> None:
    url, state = grafana
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    command = [*ALATAU, "grafana", "apply", "--url", url, "--no-datasource"]
    said = []
    for more, typed in ((["--token-file", str(file)], ""), (["--token", "-"], TOKEN)):
        done = subprocess.run(
            [*command, *more],
            env={"PATH": "/usr/bin:/bin"},
            input=typed,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert TOKEN not in done.stdout + done.stderr
        said.append(done.stdout.split()[::3])
    assert said == [["created"] * 9, ["unchanged"] * 9]
    assert not state.datasources
