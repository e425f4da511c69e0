"""Installs Debian packages without starting or keeping their servers (standard library only)."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.native.progress import InstallError, Progress

POSTGRES_OF_DEBIAN = {12: 15, 13: 17}
# Browser tests drive Debian's own Chromium; its Kazakh letters come from DejaVu. systemd-analyze judges the units;
# curl types what pages of docs/formats tell to type; gcc compiles the C example; make faults moves clocks by
# libfaketime and lets fsync fail by strace.
TEST_PACKAGES = (
    "chromium",
    "curl",
    "fonts-dejavu-core",
    "gcc",
    "libc6-dev",
    "libfaketime",
    "libssl-dev",
    "strace",
    "systemd",
)
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_KEPT = Path("/usr/sbin/policy-rc.d.before-alatau")
CLUSTER_CONF = Path("/etc/postgresql-common/createcluster.d/alatau-install.conf")
MARK = "# written by Alatau's installer for the time of an installation"
FOLDERS_MARK = "# folders to remove:"
APT_GET = (
    "apt-get",
    "-y",
    "-q",
    "--no-install-recommends",
    "-o=DPkg::Lock::Timeout=300",
    "-o=Acquire::Retries=3",
    "-o=Dpkg::Use-Pty=0",
    "-o=Dpkg::Options::=--force-confdef",
    "-o=Dpkg::Options::=--force-confold",
)


@dataclass(frozen=True)
class Release:
    number: int
    codename: str

    @property
    def postgres(self) -> int:
        return POSTGRES_OF_DEBIAN[self.number]


def read_release(os_release: Path = Path("/etc/os-release")) -> Release:
    lines = (
        os_release.read_text(encoding="utf-8").splitlines()
        if os_release.exists()
        else []
    )
    facts = dict(line.replace('"', "").split("=", 1) for line in lines if "=" in line)
    number = int(facts.get("VERSION_ID", "0").split(".")[0] or 0)
    if facts.get("ID") != "debian" or number not in POSTGRES_OF_DEBIAN:
        name = facts.get("PRETTY_NAME", "an unknown system")
        raise InstallError(
            f"this installer knows Debian 12 and 13; this is {name}. Elsewhere: install uv, run `uv sync`,"
            " and point ALATAU_DATABASE_URL (PostgreSQL with TimescaleDB) and ALATAU_BROKER_URL at your own servers."
        )
    return Release(number, facts["VERSION_CODENAME"])


def packages_wanted(release: Release) -> list[str]:
    wanted = [
        "ca-certificates",
        "mosquitto",
        "mosquitto-clients",
        "python3-venv",
        f"postgresql-{release.postgres}",
    ]
    if has_timescaledb_package(release):
        wanted.append(f"postgresql-{release.postgres}-timescaledb")
    return wanted


def has_timescaledb_package(release: Release) -> bool:
    return release.number >= 13  # noqa: PLR2004 - the first Debian with the package


def missing(packages: Sequence[str]) -> list[str]:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n", *packages]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    installed = {
        line[3:] for line in listed.stdout.splitlines() if line.startswith("ii ")
    }
    return [package for package in packages if package not in installed]


def apt_environment() -> dict[str, str]:
    settings = {
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C.UTF-8",
        "NEEDRESTART_SUSPEND": "1",
    }
    return {**os.environ, **settings}


def update_lists(progress: Progress) -> None:
    """A dead third-party source must not stop us: what is really missing shows at the install."""
    try:
        progress.run([*APT_GET, "update"], env=apt_environment())
    except InstallError as error:
        progress.note(f"going on with the lists there are: {error}")


def install(progress: Progress, packages: Sequence[str], *options: str) -> None:
    with servers_kept_down():
        progress.run([*APT_GET, *options, "install", *packages], env=apt_environment())


def disable_at_boot(progress: Progress, service: str) -> None:
    """Our broker is a private one; Debian's would take port 1883 at the next boot."""
    progress.run(["update-rc.d", service, "disable"], env=apt_environment())


@contextmanager
def servers_kept_down() -> Iterator[None]:
    """Keep packages from starting servers or making clusters; leave both settings as they were."""
    restore_leftovers()
    try:
        _forbid_starts()
        _forbid_clusters()
        yield
    finally:
        restore_leftovers()


def has_leftovers() -> bool:
    return os.path.lexists(POLICY_KEPT) or _is_ours(POLICY) or _is_ours(CLUSTER_CONF)


def restore_leftovers() -> None:
    """Also mends what a killed installation left behind."""
    if os.path.lexists(POLICY_KEPT):
        POLICY_KEPT.replace(POLICY)
    elif _is_ours(POLICY):
        POLICY.unlink()
    if not _is_ours(CLUSTER_CONF):
        return
    folders = _folders_made(CLUSTER_CONF)
    CLUSTER_CONF.unlink()
    for folder in folders:
        if not any(folder.iterdir()):
            folder.rmdir()


def _forbid_starts() -> None:
    # Renamed, not copied: owner, mode, links and attributes come back with it.
    if os.path.lexists(POLICY):
        POLICY.rename(POLICY_KEPT)
    draft = POLICY.with_suffix(".alatau-draft")
    draft.write_text(f"#!/bin/sh\n{MARK}\nexit 101\n", encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(POLICY)


def _forbid_clusters() -> None:
    made = [folder for folder in CLUSTER_CONF.parents if not folder.exists()]
    CLUSTER_CONF.parent.mkdir(parents=True, exist_ok=True)
    names = " ".join(str(folder) for folder in made if not _packaged(folder))
    lines = [MARK, f"{FOLDERS_MARK} {names}", "create_main_cluster = false", ""]
    CLUSTER_CONF.write_text("\n".join(lines), encoding="utf-8")


def _packaged(folder: Path) -> bool:
    return folder == Path("/etc/postgresql-common")  # postgresql-common brings it


def _is_ours(path: Path) -> bool:
    return path.is_file() and MARK in path.read_text(encoding="utf-8", errors="replace")


def _folders_made(conf: Path) -> list[Path]:
    for line in conf.read_text(encoding="utf-8").splitlines():
        if line.startswith(FOLDERS_MARK):
            return [Path(name) for name in line.removeprefix(FOLDERS_MARK).split()]
    return []
