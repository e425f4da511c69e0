"""Makes the locked Python environment with a uv of its own (standard library only)."""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.native.progress import InstallError, Progress

SYSTEM_PYTHON = "/usr/bin/python3"
UV_REQUIREMENT = "uv>=0.13,<1"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
STAMP = ".alatau-locked"
RUNNING_ONLY = "without the development packages"


@dataclass(frozen=True)
class Wanted:
    """An environment: where, for what, and whether with this checkout's code or a copy of it."""

    folder: Path
    for_tests: bool = False
    editable: bool = True

    @property
    def groups(self) -> tuple[str, ...]:
        return () if self.for_tests else ("--no-dev",)


def tools_folder(checkout: Path) -> Path:
    return checkout / ".tools"


def uv_path(checkout: Path) -> Path:
    return tools_folder(checkout) / "uv" / "bin" / "uv"


def uv_environment(checkout: Path) -> dict[str, str]:
    foreign = ("VIRTUAL_ENV", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    settings = {
        "UV_PROJECT_ENVIRONMENT": str(checkout / ".venv"),
        "UV_PYTHON": SYSTEM_PYTHON,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        # The services' user cannot write there: without it every start would compile everything again.
        "UV_COMPILE_BYTECODE": "1",
    }
    return {**_trust(), **kept, **settings}


def _trust() -> dict[str, str]:
    """The machine's certificates, not those bundled with pip and uv: the network may have its own authority."""
    names = ("SSL_CERT_FILE", "PIP_CERT") if CERTIFICATES.exists() else ()
    return dict.fromkeys(names, str(CERTIFICATES))


def package_mirror(checkout: Path) -> str | None:
    """The package index this machine is set up to use instead of PyPI, if any."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name]
    pip = uv_path(checkout).with_name("pip")
    asked = [str(pip), "config", "get", "global.index-url"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - our own pip
    return os.environ.get("PIP_INDEX_URL") or answer.stdout.strip() or None


def is_current(checkout: Path, *, for_tests: bool) -> bool:
    stamp = _stamp(checkout)
    return (
        uv_path(checkout).exists()
        and (checkout / ".venv/bin/alatau").exists()
        and stamp[:1] == [fingerprint(checkout)]
        and not (for_tests and RUNNING_ONLY in stamp)
    )


def _stamp(checkout: Path) -> list[str]:
    """The fingerprint of the last sync, and RUNNING_ONLY where it was for that; empty: there was none."""
    path = checkout / ".venv" / STAMP
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def fingerprint(checkout: Path) -> str:
    """Names the lock, the project file, the interpreter and the place: any change means a fresh sync."""
    digest = hashlib.sha256()
    for part in (checkout / "uv.lock", checkout / "pyproject.toml"):
        digest.update(part.read_bytes())
    digest.update(str(Path(SYSTEM_PYTHON).resolve()).encode())
    digest.update(str(checkout).encode())
    return digest.hexdigest()


def install(progress: Progress, checkout: Path, *, for_tests: bool) -> None:
    """Development packages that are there are kept up to date: whoever has them works with them."""
    require_venv_module()
    if not uv_path(checkout).exists():
        with progress.step("uv"):
            _install_uv(progress, checkout)
    known = _stamp(checkout)
    with_them = for_tests or bool(known and RUNNING_ONLY not in known)
    with progress.step("locked Python environment"):
        sync(progress, checkout, Wanted(checkout / ".venv", for_tests=with_them))
    said = [fingerprint(checkout), *([] if with_them else [RUNNING_ONLY])]
    (checkout / ".venv" / STAMP).write_text("\n".join(said), encoding="utf-8")


def _install_uv(progress: Progress, checkout: Path) -> None:
    venv = uv_path(checkout).parent.parent
    progress.run([SYSTEM_PYTHON, "-m", "venv", "--clear", str(venv)])
    pip = [str(venv / "bin/pip"), "install", UV_REQUIREMENT]
    progress.run(pip, env={**_trust(), **os.environ})


def sync(progress: Progress, checkout: Path, wanted: Wanted) -> None:
    """Bring an environment to the lock."""
    uv = str(uv_path(checkout))
    env = {**uv_environment(checkout), "UV_PROJECT_ENVIRONMENT": str(wanted.folder)}
    mirror = package_mirror(checkout)
    if mirror is not None:
        _sync_from_mirror(progress, checkout, wanted, mirror)
        return
    copy = () if wanted.editable else ("--no-editable", "--reinstall-package=alatau")
    command = [uv, "sync", "--locked", *wanted.groups, *copy]
    progress.run(command, cwd=checkout, env=env)


def _sync_from_mirror(
    progress: Progress, checkout: Path, wanted: Wanted, mirror: str
) -> None:
    """The lock names PyPI's files; a mirror has the same ones elsewhere, so go by their hashes."""
    uv, env = str(uv_path(checkout)), uv_environment(checkout)
    listed = tools_folder(checkout) / "requirements.txt"
    export = [uv, "export", "--frozen", "--no-emit-project", *wanted.groups]
    progress.run([*export, "-o", str(listed)], cwd=checkout, env=env)
    python = wanted.folder / "bin/python"
    if not python.exists():
        progress.run([uv, "venv", str(wanted.folder)], cwd=checkout, env=env)
    place = ["--python", str(python), "--default-index", mirror]
    hashed = [uv, "pip", "sync", "--require-hashes", *place, str(listed)]
    progress.run(hashed, cwd=checkout, env=env)
    ourselves = ["-e", "."] if wanted.editable else ["--reinstall-package=alatau", "."]
    own = [uv, "pip", "install", "--no-deps", *place, *ourselves]
    progress.run(own, cwd=checkout, env=env)


def require_venv_module() -> None:
    probe = subprocess.run(  # noqa: S603 - fixed command
        [SYSTEM_PYTHON, "-c", "import ensurepip, venv"],
        capture_output=True,
        check=False,
    )
    if probe.returncode != 0:
        raise InstallError(
            f"{SYSTEM_PYTHON} has no venv module: apt-get install python3-venv"
        )
