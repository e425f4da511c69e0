"""What is installed from the wheel runs outside of the checkout, with all it reads."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ROOT, Image

# The first test's time has in it what all of them need.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def run(image: Image, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        image.command(*arguments),
        cwd="/",
        env=image.settings(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def packages(image: Image) -> Path:
    (found,) = image.environment_folder.glob("lib/python3*/site-packages")
    return found


def test_it_knows_its_version(image: Image, tmp_path: Path) -> None:
    done = run(image, "status", "--json", "--home", str(tmp_path))
    assert json.loads(done.stdout)["version"] == version("alatau"), done.stderr


def test_it_knows_the_shipped_city_and_its_rules(image: Image) -> None:
    done = run(image, "rules", "check", str(packages(image) / "deploy/city/rules"))
    assert done.returncode == 0, done.stderr
    assert "no problem" in done.stdout


@pytest.mark.parametrize(
    "folder",
    [
        "deploy/city",
        "deploy/grafana",
        "deploy/mosquitto",
        "services/core/storage/schema",
        "services/core/storage/migrations",
        "services/api/pages/assets",
    ],
)
def test_every_file_of_ours_is_in_it(image: Image, folder: str) -> None:
    def names(root: Path) -> set[str]:
        return {
            path.relative_to(root).as_posix()
            for path in (root / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert names(packages(image)) == names(ROOT) != set()


def test_the_console_is_in_it_built(image: Image) -> None:
    console = packages(image) / "services/api/console"
    assert (console / "built/index.html").is_file()
    assert not (console / "web").exists()


def test_nothing_that_only_tests_need_is_in_it(image: Image) -> None:
    found = {path.name for path in packages(image).iterdir()}
    assert not found & {"pytest", "mypy", "hypothesis", "playwright", "tests"}
