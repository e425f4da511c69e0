"""Builds Debian 13's TimescaleDB source package against Debian 12's PostgreSQL (standard library only)."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.native import debian
from deploy.native.progress import InstallError, Progress

SOURCE_CODENAME = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BUILD_PACKAGES = (
    "build-essential",
    "cmake",
    "dpkg-dev",
    "libkrb5-dev",
    "libssl-dev",
)
CMAKE_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DAPACHE_ONLY=1",
    "-DREGRESS_CHECKS=OFF",
    "-DTAP_CHECKS=OFF",
    "-DWARNINGS_AS_ERRORS=OFF",
    "-DUSE_TELEMETRY=OFF",
)


def control_file(postgres: int) -> Path:
    return Path(f"/usr/share/postgresql/{postgres}/extension/timescaledb.control")


def is_installed(postgres: int) -> bool:
    library = Path(f"/usr/lib/postgresql/{postgres}/lib/timescaledb.so")
    return control_file(postgres).exists() and library.exists()


def build_packages(postgres: int) -> list[str]:
    return [*BUILD_PACKAGES, f"postgresql-server-dev-{postgres}"]


def debian_mirror(codename: str) -> str:
    """The address this machine takes its own Debian packages from."""
    query = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE) $(CODENAME)",
    ]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    for line in listed.stdout.splitlines():
        address, *names = line.split()
        if codename in names:
            return address
    raise InstallError(
        f"apt knows no source for Debian {codename}: add one to /etc/apt/sources.list and start again."
    )


def fetch_source(progress: Progress, codename: str, folder: Path) -> Path:
    """Download and unpack the source package through an apt of its own; the machine's sources stay as they are."""
    apt = folder / "apt"
    for name in ("lists/partial", "archives/partial", "parts"):
        (apt / name).mkdir(parents=True)
    source = f"deb-src [signed-by={KEYRING}] {debian_mirror(codename)} {SOURCE_CODENAME} main\n"
    (apt / "sources.list").write_text(source, encoding="utf-8")
    options = (
        f"-o=Dir::Etc::sourcelist={apt}/sources.list",
        f"-o=Dir::Etc::sourceparts={apt}/parts",
        f"-o=Dir::State::lists={apt}/lists",
        f"-o=Dir::Cache={apt}",
        "-o=APT::Sandbox::User=root",
    )
    environment = debian.apt_environment()
    progress.run([*debian.APT_GET, *options, "update"], env=environment)
    fetch = [*debian.APT_GET, *options, "--only-source", "source", "timescaledb"]
    progress.run(fetch, cwd=folder, env=environment)
    unpacked = [path for path in folder.glob("timescaledb-*") if path.is_dir()]
    if len(unpacked) != 1:
        raise InstallError(
            f"expected one timescaledb source folder in {folder}, found {unpacked}"
        )
    return unpacked[0]


def compile_and_install(progress: Progress, source: Path, postgres: int) -> None:
    build, staged = source / "alatau-build", source / "alatau-staged"
    pg_config = f"-DPG_CONFIG=/usr/lib/postgresql/{postgres}/bin/pg_config"
    progress.run(
        ["cmake", "-S", str(source), "-B", str(build), *CMAKE_OPTIONS, pg_config]
    )
    jobs = str(os.cpu_count() or 1)
    progress.run(["make", "-C", str(build), "-j", jobs])
    progress.run(["make", "-C", str(build), "install", f"DESTDIR={staged}"])
    copy_into_place(staged, control_file(postgres))


def copy_into_place(staged: Path, control: Path) -> None:
    """The control file comes last: an interrupted copy counts as not installed."""
    relative = [
        path.relative_to(staged) for path in staged.rglob("*") if path.is_file()
    ]
    for path in sorted(relative, key=lambda path: Path("/", path) == control):
        target = Path("/", path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.alatau-draft")
        shutil.copy2(staged / path, draft)
        draft.replace(target)


def install_from_source(progress: Progress, release: debian.Release) -> None:
    tools = debian.missing(build_packages(release.postgres))
    if tools:
        with progress.step("build tools for TimescaleDB"):
            # Marked automatic: `apt autoremove` takes away exactly what was not here before.
            debian.install(progress, tools, "--mark-auto")
    with tempfile.TemporaryDirectory(
        prefix="alatau-timescaledb-", dir="/var/tmp"
    ) as name:
        folder = Path(name)
        with progress.step("source of TimescaleDB (Debian 13)"):
            source = fetch_source(progress, release.codename, folder)
        with progress.step(f"building TimescaleDB for PostgreSQL {release.postgres}"):
            compile_and_install(progress, source, release.postgres)
