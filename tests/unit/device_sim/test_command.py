"""`alatau sim`: what it understands, and what it says where it cannot."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from device_sim.folder import OUTBOX
from device_sim.outbox_file import OutboxFile
from services.cli import sim

MQTT = ["--broker", "mqtt://127.0.0.1:1"]


def alatau(*arguments: str) -> Result:
    app = typer.Typer()
    sim.register(app)
    return CliRunner().invoke(app, ["sim", *arguments])


def why(result: Result) -> str:
    assert isinstance(result.exception, sim.SimulatorError)
    return str(result.exception)


def test_it_lists_what_can_go_wrong_and_where() -> None:
    lines = alatau("list").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "burst_main",
        "overloaded_feeder",
        "jammed_overpass",
    ]
    assert "main-gate" in lines[0]
    assert "growing-overpass-1" in lines[2]


@pytest.mark.parametrize("text", ["flood", "burst_main@soon", "burst_main@", "@60"])
def test_it_does_not_start_with_an_incident_that_it_does_not_know(text: str) -> None:
    assert "NAME@SECONDS" in why(alatau(*MQTT, "--incident", text))


def test_it_needs_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALATAU_SECRETS_DIR", raising=False)
    assert "--credentials" in why(alatau(*MQTT))
    missing = tmp_path / "devices.csv"
    assert "No such file" in why(alatau(*MQTT, "--credentials", str(missing)))
    missing.write_text("name,password\na,b\n", encoding="utf-8")
    assert "'device'" in why(alatau(*MQTT, "--credentials", str(missing)))


@pytest.mark.parametrize(
    "arguments",
    [("incident", "burst_main"), ("status",), ("fault", "silence", "--on", "a")],
)
def test_without_a_running_simulator_nothing_can_be_asked(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert "no simulator runs" in why(alatau(*arguments, "--home", str(tmp_path)))


def test_the_report_of_a_dead_simulator_can_be_read(tmp_path: Path) -> None:
    assert "no simulator has run" in why(alatau("report", "--home", str(tmp_path)))
    folder = tmp_path / "simulator"
    folder.mkdir()
    file = OutboxFile(folder / OUTBOX)
    file.open_outboxes(["pump-1"], 7)
    file.close()
    report = json.loads(alatau("report", "--json", "--home", str(tmp_path)).stdout)
    assert report["publishers"][0] == {
        "publisher": "pump-1", "epoch": 7, "first_seq": 1, "last_seq": 0, "receipted_through": 0,
        "dropped": 0, "items": 0, "pending_items": 0, "pending": [],
    }  # fmt: skip
