"""Builds the operators' console when its sources have changed (standard library only)."""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.native import environment, node
from deploy.native.node import Node
from deploy.native.progress import InstallError, Progress

WEB = Path("services/api/console/web")
BUILT = Path("services/api/console/built")
STAMP = ".sources"
LOCK_FILES = ("package.json", "package-lock.json", ".npmrc")
MADE_BY_OTHERS = ("node_modules", ".svelte-kit", "test-results")
# Scripts of packages are not run: nothing here needs them, and they could do anything.
CLEAN_INSTALL = ("ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund")
HINT = (
    "The console's packages come from the npm registry this machine is set up for (`npm config get registry`);"
    " behind a proxy set https_proxy, with a registry of your own NPM_CONFIG_REGISTRY."
)


def is_current(checkout: Path) -> bool:
    """Whether what is built was built from these sources."""
    return _stamp_of(checkout / BUILT / STAMP) == fingerprint(checkout)


def fingerprint(checkout: Path) -> str:
    """Of the names and contents of all sources."""
    digest = hashlib.sha256()
    for path in _sources(checkout / WEB):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(checkout)} {content}\n".encode())
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in MADE_BY_OTHERS:
            found += _sources(path)
        elif path.is_file():
            found.append(path)
    return found


def install(progress: Progress, checkout: Path) -> None:
    """Build it unless it is built already; a second installation waits for the first.

    Raises:
        InstallError: no Node could be had, or a command of it failed.
    """
    with _one_at_a_time(progress, checkout):
        if is_current(checkout):
            return
        made_from = fingerprint(checkout)
        found = node.find(progress, checkout)
        _install_packages(progress, checkout, found)
        with progress.step("operators' console"):
            _build(progress, checkout, found, made_from)


def install_packages(progress: Progress, checkout: Path) -> None:
    """What the console's own tests need, also where it is built already."""
    with _one_at_a_time(progress, checkout):
        if not has_packages(checkout):
            _install_packages(progress, checkout, node.find(progress, checkout))


def _install_packages(progress: Progress, checkout: Path, found: Node) -> None:
    if has_packages(checkout):
        return
    with progress.step("packages of the console"):
        command = [*found.npm, *CLEAN_INSTALL]
        try:
            progress.run(command, cwd=checkout / WEB, env=found.environment())
        except InstallError as error:
            raise InstallError(f"{error}\n\n{HINT}") from error
    stamp = checkout / WEB / "node_modules" / STAMP
    stamp.write_text(_packages_fingerprint(checkout), encoding="utf-8")


def has_packages(checkout: Path) -> bool:
    """Whether the packages that the lock file names are there."""
    stamp = checkout / WEB / "node_modules" / STAMP
    return _stamp_of(stamp) == _packages_fingerprint(checkout)


def _packages_fingerprint(checkout: Path) -> str:
    digest = hashlib.sha256()
    for name in LOCK_FILES:
        digest.update((checkout / WEB / name).read_bytes())
    return digest.hexdigest()


def _build(progress: Progress, checkout: Path, found: Node, made_from: str) -> None:
    """Into a folder beside, which then takes the place of the old one: never half of each."""
    built = checkout / BUILT
    draft, old = built.with_name(".built-draft"), built.with_name(".built-old")
    for leftover in (draft, old):
        shutil.rmtree(leftover, ignore_errors=True)
    where = {"ALATAU_CONSOLE_BUILT": str(draft)}
    progress.run(
        [*found.npm, "run", "build"],
        cwd=checkout / WEB,
        env={**found.environment(), **where},
    )
    if not (draft / "index.html").exists():
        raise InstallError(f"the build of the console left no index.html in {draft}.")
    (draft / STAMP).write_text(made_from, encoding="utf-8")
    if built.exists():
        built.rename(old)
    draft.rename(built)
    shutil.rmtree(old, ignore_errors=True)


def _stamp_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@contextmanager
def _one_at_a_time(progress: Progress, checkout: Path) -> Iterator[None]:
    tools = environment.tools_folder(checkout)
    tools.mkdir(exist_ok=True)
    with (tools / "console.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another build of the console is under way; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
