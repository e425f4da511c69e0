"""Installs what is missing on a bare Debian: servers, TimescaleDB, uv and the locked environment.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.native import debian, environment, timescaledb
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
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    progress = Progress(environment.tools_folder(CHECKOUT) / "install.log")
    try:
        _install(progress, system_only=options.system_only)
    except InstallError as error:
        progress.say(
            f"\nThe installation stopped: {error}\n\nThe whole output: {progress.log_file}"
        )
        return 1
    except KeyboardInterrupt:
        progress.say("\nStopped. Starting again goes on where this ended.")
        return 130
    return 0


def _install(progress: Progress, *, system_only: bool) -> None:
    started = time.monotonic()
    release = debian.read_release()
    if os.geteuid() == 0 and debian.has_leftovers():
        with _one_at_a_time(progress):
            progress.say("Mended what an interrupted installation left behind.")
    wanted = system_missing(release)
    stale = not system_only and not environment.is_current(CHECKOUT)
    if not wanted and not stale:
        progress.say(f"Everything is installed ({time.monotonic() - started:.1f} s).")
        return
    if wanted:
        progress.say(f"Missing on this machine: {', '.join(wanted)}")
        _install_system(progress, release)
    if stale:
        environment.require_venv_module()
        environment.install(progress, CHECKOUT)
    progress.say(
        f"Installed in {time.monotonic() - started:.0f} s; log: {progress.log_file}"
    )


def system_missing(release: debian.Release) -> list[str]:
    wanted = debian.missing(debian.packages_wanted(release))
    built = not debian.has_timescaledb_package(release)
    if built and not timescaledb.is_installed(release.postgres):
        wanted.append(f"TimescaleDB for PostgreSQL {release.postgres}")
    return wanted


def _install_system(progress: Progress, release: debian.Release) -> None:
    if os.geteuid() != 0:
        _install_system_with_sudo()
        return
    with _one_at_a_time(progress):
        packages = debian.missing(debian.packages_wanted(release))
        from_source = not debian.has_timescaledb_package(
            release
        ) and not timescaledb.is_installed(release.postgres)
        if packages or from_source:
            with progress.step("package lists"):
                debian.update_lists(progress)
        if packages:
            with progress.step("servers: mosquitto, PostgreSQL"):
                debian.install(progress, packages)
                if "mosquitto" in packages:
                    debian.disable_at_boot(progress, "mosquitto")
        if from_source:
            timescaledb.install_from_source(progress, release)


def _install_system_with_sudo() -> None:
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
