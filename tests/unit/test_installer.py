"""The installer's promises that need no installation."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.native import console, debian, environment, install
from deploy.native.progress import InstallError, Progress

POLICY_TEXT = "#!/bin/sh\n# the machine's own\nexit 104\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for /."""
    for name in ("POLICY", "POLICY_KEPT", "CLUSTER_CONF"):
        real: Path = getattr(debian, name)
        moved = tmp_path / real.relative_to("/")
        moved.parent.parent.mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(debian, name, moved)
    debian.POLICY.parent.mkdir(parents=True, exist_ok=True)
    return tmp_path


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            str(path.readlink())
            if path.is_symlink()
            else path.read_text()
            if path.is_file()
            else "",
        )
        for path in folder.rglob("*")
    }


def make_nothing() -> None:
    pass


def make_policy() -> None:
    debian.POLICY.write_text(POLICY_TEXT)
    debian.POLICY.chmod(0o751)


def make_policy_link() -> None:
    debian.POLICY.symlink_to("/etc/alternatives/policy-rc.d")


def make_cluster_folder() -> None:
    debian.CLUSTER_CONF.parent.mkdir(parents=True)
    (debian.CLUSTER_CONF.parent / "local.conf").write_text("start_conf = 'manual'\n")


SITUATIONS = [make_nothing, make_policy, make_policy_link, make_cluster_folder]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_settings_come_back_exactly_as_they_were(
    machine: Path, situation: Callable[[], None]
) -> None:
    situation()
    before = contents(machine)
    with debian.servers_kept_down():
        assert "exit 101" in debian.POLICY.read_text()
        assert "create_main_cluster = false" in debian.CLUSTER_CONF.read_text()
        assert debian.has_leftovers()
    assert contents(machine) == before
    assert not debian.has_leftovers()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_next_run_mends_what_a_killed_one_left(
    machine: Path, situation: Callable[[], None]
) -> None:
    situation()
    before = contents(machine)
    debian._forbid_starts()
    debian._forbid_clusters()
    debian.restore_leftovers()
    assert contents(machine) == before


def test_settings_come_back_when_the_installation_fails(machine: Path) -> None:
    make_policy()
    before = contents(machine)
    with pytest.raises(InstallError), debian.servers_kept_down():
        raise InstallError("no network")
    assert contents(machine) == before


@pytest.mark.parametrize(
    ("version", "codename", "postgres", "packaged"),
    [("12", "bookworm", 15, False), ("13", "trixie", 17, True)],
)
def test_each_debian_has_its_postgresql(
    tmp_path: Path, version: str, codename: str, postgres: int, packaged: bool
) -> None:
    os_release = tmp_path / "os-release"
    os_release.write_text(
        f'ID=debian\nVERSION_ID="{version}"\nVERSION_CODENAME={codename}\n'
    )
    release = debian.read_release(os_release)
    assert (release.codename, release.postgres) == (codename, postgres)
    name = f"postgresql-{postgres}-timescaledb"
    assert (name in debian.packages_wanted(release)) == packaged


@pytest.mark.parametrize("text", ["", 'ID=ubuntu\nVERSION_ID="24.04"\n', "ID=debian\n"])
def test_another_system_is_told_what_it_can_do(tmp_path: Path, text: str) -> None:
    os_release = tmp_path / "os-release"
    os_release.write_text(text)
    with pytest.raises(InstallError, match="ALATAU_DATABASE_URL"):
        debian.read_release(os_release)


def test_a_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "log")
    with pytest.raises(InstallError, match="no such package") as caught:
        progress.run(["sh", "-c", "seq 100; echo no such package >&2; exit 7"])
    assert "ended with 7" in str(caught.value)
    assert "\n    1\n" not in str(caught.value)
    assert "\n1\n" in progress.log_file.read_text()


def test_a_browser_is_installed_for_tests_alone() -> None:
    release = debian.Release(13, "trixie")
    running = install.packages(release, for_tests=False)
    assert "chromium" not in running
    testing = install.packages(release, for_tests=True)
    assert {*running, "chromium", "fonts-dejavu-core"} <= set(testing)


@pytest.mark.parametrize("for_tests", [False, True])
def test_what_is_up_to_date_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, *, for_tests: bool
) -> None:
    """A start with everything in place asks, and runs no command."""
    monkeypatch.setattr(environment, "is_current", lambda *_, **__: True)
    monkeypatch.setattr(console, "is_current", lambda _: True)
    monkeypatch.setattr(console, "has_packages", lambda _: False)
    wanted = install.stale_parts(for_tests=for_tests)
    assert wanted == ([console.install_packages] if for_tests else [])


def test_the_environment_comes_before_the_console(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pinned Node comes by its uv."""
    done: list[str] = []
    for module in (environment, console):
        monkeypatch.setattr(module, "is_current", lambda *_, **__: False)
        monkeypatch.setattr(
            module, "install", lambda *_, name=module.__name__, **__: done.append(name)
        )
    for bring in install.stale_parts(for_tests=False):
        bring(Progress(Path("/dev/null")), Path("/checkout"))
    assert done == ["deploy.native.environment", "deploy.native.console"]
