"""The console's own checks and tests, run by its own tools: types, words in three languages, format, pure modules."""

import subprocess
from pathlib import Path

import pytest

from deploy.native import console, environment, node
from deploy.native.progress import Progress

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_sources_of_the_console_are_sound(script: str) -> None:
    assert console.has_packages(ROOT), (
        "The console's packages are missing: `make test` and `make check` install them "
        "(python3 -m deploy.native.install --for-tests)."
    )
    found = node.find(Progress(environment.tools_folder(ROOT) / "install.log"), ROOT)
    finished = subprocess.run(
        [*found.npm, "run", script],
        cwd=ROOT / console.WEB,
        env={**found.environment(), "NO_COLOR": "1", "CI": "true"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
