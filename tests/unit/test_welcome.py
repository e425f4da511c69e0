"""What `alatau up` says and opens once all is ready."""

import os
from pathlib import Path

import pytest

from deploy.native.home import Home
from device_sim.world.incidents import IncidentKind
from services.cli import console, welcome
from services.cli.welcome import Plan, story
from tests.stack_fixtures import wait_until

LINK = "http://127.0.0.1:8620/#session=a-secret&more"


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's desktop, whose browser keeps what it was started with."""
    program = tmp_path / "bin/xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n')
    program.chmod(0o755)
    monkeypatch.setattr(console, "_is_a_person", lambda: True)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("DISPLAY", ":0")
    return tmp_path


def test_the_browser_is_given_a_file_and_never_the_session(desktop: Path) -> None:
    home = Home(desktop / "home")
    home.make_folders()
    assert console.open_browser(home, LINK)
    asked = desktop / "asked"
    wait_until(lambda: asked.exists() and asked.read_text().endswith("\n"), 10)
    step = home.run / "console.html"
    assert asked.read_text().strip() == step.as_uri()
    assert step.stat().st_mode & 0o777 == 0o600
    assert LINK.replace("&", "&amp;") in step.read_text()


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": ":0", "PATH": "/nowhere"}, False),
    ],
)
@pytest.mark.usefixtures("desktop")
def test_a_browser_is_looked_for_on_a_desktop_alone(
    environment: dict[str, str], *, found: bool
) -> None:
    there = console.find_browser({"PATH": os.environ["PATH"], **environment})
    assert (there is not None) is found


def test_root_is_no_person_to_open_a_browser_for(
    desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    place = {"DISPLAY": ":0", "PATH": str(desktop / "bin")}
    assert console.find_browser(place) is None


@pytest.mark.parametrize("kind", IncidentKind)
def test_every_incident_has_a_story(kind: IncidentKind) -> None:
    told = "\n".join(story(Plan(incident=f"{kind}@75")))
    assert "in 75 s" in told
    assert f"alatau sim incident {kind}" in told
    assert all(len(line) <= welcome.WIDTH for line in told.splitlines())


def test_without_an_incident_nothing_is_promised() -> None:
    assert "an alert appears" not in "\n".join(story(Plan()))
    assert "alatau sim incident" in "\n".join(story(Plan()))
    assert "alatau sim" not in "\n".join(story(Plan(simulate=False)))
