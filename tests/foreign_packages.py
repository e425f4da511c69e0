"""Packages of others that only a test runs: locked, and installed when their lock says others than are there."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.native import environment, node
from deploy.native.console import CLEAN_INSTALL
from deploy.native.node import Node
from deploy.native.progress import Progress

CHECKOUT = Path(__file__).parents[1]
_NPM_LOCK = ("package.json", "package-lock.json", ".npmrc")


def npm_packages(folder: Path, log: Path) -> Node:
    """A Node, and beside folder's package-lock.json what it locks."""
    progress = Progress(log)
    found = node.find(progress, CHECKOUT)
    digest = _digest(folder / name for name in _NPM_LOCK)
    stamp = folder / "node_modules/.locked"
    if not stamp.exists() or stamp.read_text() != digest:
        progress.run([*found.npm, *CLEAN_INSTALL], cwd=folder, env=found.environment())
        stamp.write_text(digest)
    return found


def python_packages(requirements: Path, log: Path) -> Path:
    """A folder for PYTHONPATH: what cannot be in one environment with the platform's own packages."""
    folder = environment.tools_folder(CHECKOUT) / requirements.stem
    digest = _digest([requirements])
    stamp = folder / ".locked"
    if stamp.exists() and stamp.read_text() == digest:
        return folder
    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    mirror = environment.package_mirror(CHECKOUT)
    index = ["--default-index", mirror] if mirror else []
    uv = [str(environment.uv_path(CHECKOUT)), "pip", "install", "--require-hashes"]
    place = ["--python", environment.SYSTEM_PYTHON, "--target", str(draft), *index]
    Progress(log).run(
        [*uv, *place, "-r", str(requirements)],
        cwd=CHECKOUT,
        env=environment.uv_environment(CHECKOUT),
    )
    (draft / stamp.name).write_text(digest)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return folder


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
