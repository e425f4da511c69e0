"""How a server becomes our child."""

import os
import resource
import subprocess

import pytest

from deploy.native.child import child_command

ROOT, OTHER = 0, 1000


@pytest.mark.parametrize("niceness", [0, 3])
def test_a_child_is_as_nice_as_asked(niceness: int) -> None:
    command = child_command(["nice"], death_signal="KILL", niceness=niceness)
    told = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(told.stdout) == os.nice(0) + niceness


@pytest.mark.parametrize(
    ("user", "ceiling", "is_asked_for"),
    [(OTHER, 0, False), (OTHER, 24, False), (OTHER, 25, True), (ROOT, 0, True)],
)
def test_a_priority_is_asked_for_where_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch, user: int, ceiling: int, is_asked_for: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (ceiling, ceiling))
    command = child_command(["server"], death_signal="KILL", niceness=-5)
    assert (command[:3] == ["nice", "-n", "-5"]) == is_asked_for
    assert command[-1] == "server"
