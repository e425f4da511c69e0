"""How the console is built where it is missing: by which Node, when, and what a failure leaves."""

import threading
from pathlib import Path

import pytest

from deploy.native import console, environment, node
from deploy.native.node import Node
from deploy.native.progress import InstallError, Progress

NPM = """#!/bin/sh
echo "$*" >>"{calls}"
case $1 in
    ci) mkdir -p node_modules ;;
    run) mkdir -p "$ALATAU_CONSOLE_BUILT/console"
         cp src/main.ts "$ALATAU_CONSOLE_BUILT/index.html"
         [ ! -e broken ] ;;
esac
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources of a console, and an npm that notes how it was called."""
    web = tmp_path / console.WEB
    (web / "src").mkdir(parents=True)
    for name in console.LOCK_FILES:
        (web / name).write_text(name)
    (web / "src/main.ts").write_text("one")
    calls = tmp_path / "calls"
    calls.touch()
    npm = executable(tmp_path / "bin/npm", NPM.format(calls=calls))
    found = Node(npm.parent, (str(npm),))
    monkeypatch.setattr(node, "find", lambda _progress, _checkout: found)
    return tmp_path


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / ".tools/install.log")


def calls(checkout: Path) -> list[str]:
    lines = (checkout / "calls").read_text().splitlines()
    return [line.split()[0] for line in lines]


def shown(checkout: Path) -> str:
    return (checkout / console.BUILT / "index.html").read_text()


def test_it_is_built_once(checkout: Path, progress: Progress) -> None:
    assert not console.is_current(checkout)
    for _ in range(3):
        console.install(progress, checkout)
    assert calls(checkout) == ["ci", "run"]
    assert console.is_current(checkout)
    assert shown(checkout) == "one"


def test_changed_sources_are_built_anew_and_packages_kept(
    checkout: Path, progress: Progress
) -> None:
    console.install(progress, checkout)
    (checkout / console.WEB / "src/main.ts").write_text("two")
    assert not console.is_current(checkout)
    console.install(progress, checkout)
    assert calls(checkout) == ["ci", "run", "run"]
    assert shown(checkout) == "two"


@pytest.mark.parametrize("name", console.LOCK_FILES)
def test_other_packages_are_installed_anew(
    checkout: Path, progress: Progress, name: str
) -> None:
    console.install(progress, checkout)
    (checkout / console.WEB / name).write_text("another")
    console.install(progress, checkout)
    assert calls(checkout) == ["ci", "run", "ci", "run"]


def test_a_renamed_source_counts_as_a_change(checkout: Path) -> None:
    before = console.fingerprint(checkout)
    source = checkout / console.WEB / "src/main.ts"
    source.rename(source.with_name("begin.ts"))
    assert console.fingerprint(checkout) != before


def test_what_npm_installs_is_no_source(checkout: Path) -> None:
    before = console.fingerprint(checkout)
    package = checkout / console.WEB / "node_modules/vite/index.js"
    package.parent.mkdir(parents=True)
    package.write_text("")
    assert console.fingerprint(checkout) == before


def test_a_failed_build_leaves_the_old_one_and_says_which_command_failed(
    checkout: Path, progress: Progress
) -> None:
    console.install(progress, checkout)
    (checkout / console.WEB / "src/main.ts").write_text("two")
    (checkout / console.WEB / "broken").touch()
    with pytest.raises(InstallError, match="npm run build"):
        console.install(progress, checkout)
    assert shown(checkout) == "one"
    assert not console.is_current(checkout)
    (checkout / console.WEB / "broken").unlink()
    console.install(progress, checkout)
    assert shown(checkout) == "two"


def test_packages_that_cannot_be_had_tell_of_the_registry(
    checkout: Path, progress: Progress
) -> None:
    executable(checkout / "bin/npm", "#!/bin/sh\necho ENOTFOUND >&2; exit 1\n")
    with pytest.raises(InstallError, match="NPM_CONFIG_REGISTRY") as caught:
        console.install(progress, checkout)
    assert "ENOTFOUND" in str(caught.value)


def test_two_installations_side_by_side_build_once(
    checkout: Path, progress: Progress
) -> None:
    both = [
        threading.Thread(target=console.install, args=(progress, checkout))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert calls(checkout) == ["ci", "run"]


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ((), False),
        ((18, 20, 4), False),
        ((20, 18, 9), False),
        ((20, 19, 0), True),
        ((21, 7, 3), False),
        ((22, 11, 0), False),
        ((22, 12, 0), True),
        ((24, 1, 0), True),
    ],
)
def test_node_must_be_one_that_vite_runs_on(
    version: tuple[int, ...], *, fits: bool
) -> None:
    assert node.fits(version) is fits


@pytest.mark.parametrize(
    ("of_node", "of_npm", "taken"),
    [
        ("echo v22.12.0", "echo 11.0.0", True),
        ("echo v22.12.0", "echo npm warn; echo 11.6.1", True),
        ("echo v20.19.2", "echo 9.2.0", False),
        ("echo v18.20.4", "echo 11.0.0", False),
        ("exit 127", "echo 11.0.0", False),
    ],
)
def test_the_machines_node_is_taken_when_it_and_its_npm_are_new_enough(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_node: str,
    of_npm: str,
    *,
    taken: bool,
) -> None:
    executable(tmp_path / "node", f"#!/bin/sh\n{of_node}\n")
    executable(tmp_path / "npm", f"#!/bin/sh\n{of_npm}\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = node.of_the_machine()
    assert (found is not None) is taken


def test_npm_sees_the_machines_settings_but_no_foreign_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "https://npm.example")
    monkeypatch.setenv("NODE_ENV", "production")
    seen = Node(Path("/opt/node"), ("npm",)).environment()
    assert seen["NPM_CONFIG_REGISTRY"] == "https://npm.example"
    assert seen["PATH"].startswith("/opt/node:")
    assert "NODE_ENV" not in seen


def test_development_packages_are_wanted_by_tests_alone(tmp_path: Path) -> None:
    for name in ("uv.lock", "pyproject.toml", ".venv/bin/alatau"):
        executable(tmp_path / name, "")
    executable(environment.uv_path(tmp_path), "")
    stamp = tmp_path / ".venv" / environment.STAMP
    said = environment.fingerprint(tmp_path)
    stamp.write_text(f"{said}\n{environment.RUNNING_ONLY}")
    assert environment.is_current(tmp_path, for_tests=False)
    assert not environment.is_current(tmp_path, for_tests=True)
    stamp.write_text(said)
    assert environment.is_current(tmp_path, for_tests=True)
    (tmp_path / "uv.lock").write_text("another")
    assert not environment.is_current(tmp_path, for_tests=False)
