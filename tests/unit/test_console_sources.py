"""The console's own tests of its pure modules, run by its own tools; `make check` runs its checks."""

import subprocess
from pathlib import Path

from deploy.native import console, environment, node
from deploy.native.progress import Progress

ROOT = Path(__file__).parent.parent.parent


def test_the_pure_modules_of_the_console_are_right() -> None:
    assert console.has_packages(ROOT), (
        "The console's packages are missing: `make test` and `make check` install them "
        "(python3 -m deploy.native.install --for-tests)."
    )
    found = node.find(Progress(environment.tools_folder(ROOT) / "install.log"), ROOT)
    finished = subprocess.run(
        [*found.npm, "run", "test"],
        cwd=ROOT / console.WEB,
        env={**found.environment(), "NO_COLOR": "1", "CI": "true"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
