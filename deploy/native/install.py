"""Installs what is missing on a bare Debian: servers, TimescaleDB, uv, the locked environment and the built console.

Run as `python3 -m deploy.native.install` in the checkout, with nothing but the distribution's python3.
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.native import console, debian, environment, timescaledb
from deploy.native.progress import InstallError, Progress

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LOCK = Path("/run/lock/alatau-install.lock")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--system-only",
        action="store_true",
        help="only packages and TimescaleDB (needs root)",
    )
    parser.add_argument(
        "--for-tests",
        action="store_true",
        help="also what only checks and tests need: Chromium, fonts, the development packages",
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    progress = Progress(environment.tools_folder(CHECKOUT) / "install.log")
    try:
        install(progress, system_only=options.system_only, for_tests=options.for_tests)
    except InstallError as error:
        progress.say(
            f"\nThe installation stopped: {error}\n\nThe whole output: {progress.log_file}"
        )
        return 1
    except KeyboardInterrupt:
        progress.say("\nStopped. Starting again goes on where this ended.")
        return 130
    return 0


def install(progress: Progress, *, system_only: bool, for_tests: bool) -> None:
    started = time.monotonic()
    release = debian.read_release()
    if os.geteuid() == 0 and debian.has_leftovers():
        with _one_at_a_time(progress):
            progress.say("Mended what an interrupted installation left behind.")
    wanted = system_missing(release, for_tests=for_tests)
    stale = [] if system_only else stale_parts(for_tests=for_tests)
    if not wanted and not stale:
        progress.say(f"Everything is installed ({time.monotonic() - started:.1f} s).")
        return
    if wanted:
        progress.say(f"Missing on this machine: {', '.join(wanted)}")
        _install_system(progress, release, for_tests=for_tests)
    for bring in stale:
        bring(progress, CHECKOUT)
    progress.say(
        f"Installed in {time.monotonic() - started:.0f} s; log: {progress.log_file}"
    )


def system_missing(release: debian.Release, *, for_tests: bool) -> list[str]:
    wanted = debian.missing(packages(release, for_tests=for_tests))
    if _is_to_be_built(release):
        wanted.append(f"TimescaleDB for PostgreSQL {release.postgres}")
    return wanted


def packages(release: debian.Release, *, for_tests: bool) -> list[str]:
    extra = debian.TEST_PACKAGES if for_tests else ()
    return [*debian.packages_wanted(release), *extra]


def _is_to_be_built(release: debian.Release) -> bool:
    packaged = debian.has_timescaledb_package(release)
    return not packaged and not timescaledb.is_installed(release.postgres)


def stale_parts(*, for_tests: bool) -> list[Callable[[Progress, Path], None]]:
    """What of the checkout's own parts is to be brought up to date, in this order."""
    parts: list[Callable[[Progress, Path], None]] = []
    if not environment.is_current(CHECKOUT, for_tests=for_tests):
        parts.append(partial(environment.install, for_tests=for_tests))
    if not console.is_current(CHECKOUT):
        parts.append(console.install)
    if for_tests and not console.has_packages(CHECKOUT):
        parts.append(console.install_packages)
    return parts


def _install_system(
    progress: Progress, release: debian.Release, *, for_tests: bool
) -> None:
    if os.geteuid() != 0:
        _install_system_with_sudo(for_tests=for_tests)
        return
    with _one_at_a_time(progress):
        wanted = debian.missing(packages(release, for_tests=for_tests))
        to_be_built = _is_to_be_built(release)
        if wanted or to_be_built:
            with progress.step("package lists"):
                debian.update_lists(progress)
        if wanted:
            with progress.step("Debian packages"):
                debian.install(progress, wanted)
                if "mosquitto" in wanted:
                    debian.disable_at_boot(progress, "mosquitto")
        if to_be_built:
            timescaledb.install_from_source(progress, release)


def _install_system_with_sudo(*, for_tests: bool) -> None:
    sudo = shutil.which("sudo")
    if sudo is None:
        raise InstallError(
            "installing packages needs root: start this as root, or install sudo."
        )
    again = [
        sudo,
        environment.SYSTEM_PYTHON,
        "-B",
        "-m",
        "deploy.native.install",
        "--system-only",
        *(["--for-tests"] if for_tests else []),
    ]
    finished = subprocess.run(again, cwd=CHECKOUT, check=False)  # noqa: S603 - ourselves, as root
    if finished.returncode != 0:
        raise InstallError("the part that needs root did not succeed (see above).")


@contextmanager
def _one_at_a_time(progress: Progress) -> Iterator[None]:
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another installation is under way; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        debian.restore_leftovers()
        yield


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
