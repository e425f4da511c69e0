"""As root: a system user of its own, a home it owns, and a Python environment it can reach."""

import compileall
import hashlib
import os
import pwd
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.native import environment, mosquitto
from deploy.native.child import give_to
from deploy.native.home import Home, HomeError
from deploy.native.progress import Progress

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SYSTEM_USER = "alatau"
SYSTEM_HOME = Path("/var/lib/alatau")
SYSTEM_ENVIRONMENT = Path("/opt/alatau")
OPEN_FILES = 65_536
HOUSES = ("services", "device_sim", "deploy")


def default_home() -> Home:
    """`.alatau` in the checkout, or the system folder where the system user cannot get into the checkout."""
    is_checkout = (CHECKOUT / "pyproject.toml").exists()
    if is_checkout and (os.geteuid() != 0 or is_open_to_all(CHECKOUT)):
        return Home(CHECKOUT / ".alatau")
    return Home(SYSTEM_HOME)


def is_open_to_all(path: Path) -> bool:
    """Whether any user may go through all folders down to this one."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def raise_limits() -> None:
    """For all that we start, as far as we may: root may, where it is not confined."""
    _raise_open_files()
    floor = 20 - mosquitto.NICENESS
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NICE, (floor, floor))


def _raise_open_files() -> None:
    """Each device's connection is an open file of the broker; `alatau doctor` tells when there are too few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    with suppress(ValueError, OSError):  # even root may be confined
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, max(most, OPEN_FILES)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def become_system_user(home: Home, arguments: Sequence[str]) -> None:
    """As root: start `alatau` with these arguments again, as the system user; for others nothing."""
    if os.geteuid() != 0:
        return
    ensure_user()
    give_home(home.folder)
    python = reachable_python()
    user = pwd.getpwnam(SYSTEM_USER)
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    command = [str(python), str(python.with_name("alatau")), *arguments]
    os.chdir(home.folder)
    os.environ["HOME"] = str(home.folder)
    os.execv(setpriv, [setpriv, *identity, "--", *command])  # noqa: S606 - no shell wanted


def ensure_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = ["useradd", "--system", "--user-group", "--no-create-home"]
        place = ["--home-dir", str(SYSTEM_HOME), "--shell", "/usr/sbin/nologin"]
        subprocess.run([*useradd, *place, SYSTEM_USER], check=True)  # noqa: S603 - fixed command


def give_home(folder: Path) -> None:
    """Make the home the system user's own; a folder that holds another's things stays theirs."""
    if not folder.exists():
        folder.mkdir(parents=True)
    owner = pwd.getpwnam(SYSTEM_USER).pw_uid
    if folder.stat().st_uid != owner:
        if any(folder.iterdir()):
            raise HomeError(
                f"{folder} holds things of another user; as root the installation belongs to"
                f" `{SYSTEM_USER}`. Choose another --home, or start without root."
            )
        give_to(folder, SYSTEM_USER)
    folder.chmod(0o700)
    if not is_open_to_all(folder.parent):
        raise HomeError(
            f"The user `{SYSTEM_USER}` cannot reach {folder}: a folder above it is closed."
            f" Choose another --home, such as {SYSTEM_HOME}."
        )


def reachable_python() -> Path:
    """The interpreter whose `alatau` the system user can run: this one, or one made for it."""
    python = Path(sys.executable)
    places = (python.parent, python.resolve().parent, CHECKOUT)
    if all(is_open_to_all(place) for place in places):
        # The system user cannot write there, and without it every start would compile everything again.
        for house in HOUSES:
            compileall.compile_dir(CHECKOUT / house, quiet=2)
        return python
    _install_environment()
    return SYSTEM_ENVIRONMENT / "bin/python"


def _install_environment() -> None:
    """A copy of this version outside the checkout; made anew whenever the checkout has changed."""
    stamp = SYSTEM_ENVIRONMENT / ".alatau-version"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    progress = Progress(Path("/var/log/alatau-install.log"))
    with progress.step(f"a copy of this version in {SYSTEM_ENVIRONMENT}"):
        copy = environment.Wanted(SYSTEM_ENVIRONMENT, editable=False)
        environment.sync(progress, CHECKOUT, copy)
    stamp.write_text(wanted, encoding="utf-8")


def _fingerprint() -> str:
    """Of all source files' places, sizes and times."""
    digest = hashlib.sha256(environment.fingerprint(CHECKOUT).encode())
    for house in HOUSES:
        for path in _shipped(CHECKOUT / house):
            found = path.stat()
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}".encode())
    return digest.hexdigest()


def _shipped(house: Path) -> Iterator[Path]:
    """All its files but what is made from them, and thousands that only build the console."""
    for folder, folders, names in os.walk(house):
        left_out = {"__pycache__", "node_modules"}
        folders[:] = sorted(name for name in folders if name not in left_out)
        yield from (Path(folder, name) for name in sorted(names))
