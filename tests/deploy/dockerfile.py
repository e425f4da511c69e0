"""Reads deploy/Dockerfile, and does its Python part on this machine."""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native import environment

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
BUILT = "services/api/console/built"
USER = 10001
UV = environment.uv_path(ROOT).parent


@dataclass(frozen=True)
class Stage:
    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        words = [
            word
            for kind, text in self.instructions
            if kind == "ENV"
            for word in shlex.split(text)
        ]
        return dict(word.split("=", 1) for word in words)

    def last(self, kind: str) -> str:
        return [text for word, text in self.instructions if word == kind][-1]


def read_stages(path: Path = DOCKERFILE) -> list[Stage]:
    lines = path.read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    for line in code.replace("\\\n", " ").splitlines():
        kind, _, text = line.partition(" ")
        if kind == "FROM":
            base, _, name = text.partition(" AS ")
            stages.append(Stage(base, name))
        elif kind:
            stages[-1].instructions.append((kind, text.strip()))
    return stages


@dataclass(frozen=True)
class Ignored:
    """.dockerignore, as far as ours goes: nothing but what is named, without some of it."""

    allowed: list[str]
    refused: list[str]

    @classmethod
    def read(cls) -> "Ignored":
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        rules = [line for line in lines if line and not line.startswith("#")]
        assert rules[0] == "*"
        allowed = [rule[1:] for rule in rules if rule.startswith("!")]
        return cls(allowed, [rule for rule in rules[1:] if not rule.startswith("!")])

    def lets_in(self, path: str) -> bool:
        if path.split("/", maxsplit=1)[0] not in self.allowed:
            return False
        return not any(self._matches(rule, path) for rule in self.refused)

    @staticmethod
    def _matches(rule: str, path: str) -> bool:
        if rule.startswith("**/"):
            return rule[3:] in path.split("/")
        return fnmatch.fnmatch(path, rule) or fnmatch.fnmatch(path, f"{rule}/*")


@dataclass(frozen=True)
class Image:
    """What the image holds, in a folder of this machine that any user may enter."""

    folder: Path

    @property
    def environment_folder(self) -> Path:
        return self.folder / "opt" / "alatau"

    @property
    def source(self) -> Path:
        return self.folder / "src"

    @property
    def state(self) -> Path:
        return self.folder / "var" / "lib" / "alatau"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.environment_folder / "bin" / "alatau"), *arguments]

    def settings(self) -> dict[str, str]:
        """The environment of its processes; PATH is the machine's, with the image's before."""
        own = read_stages()[-1].environment()
        path = own["PATH"].replace("/opt/alatau", str(self.environment_folder))
        machine = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**own, "PATH": path.replace("$PATH", machine)}


def build(folder: Path) -> Image:
    """Do what the stages `build` and the last one say, with this machine's Python and uv."""
    image = Image(folder)
    stages = {stage.name: stage for stage in read_stages()}
    image.source.mkdir(parents=True)
    for kind, text in stages["build"].instructions:
        if kind == "COPY":
            _copy(text, image.source)
        elif kind == "RUN" and not text.startswith("pip install"):
            _sync(text, image, stages["build"].environment())
    for kind, text in stages[""].instructions:
        if kind == "RUN":
            _make_folders(text, image)
    return image


def _copy(text: str, to: Path) -> None:
    if text.startswith("--from=console"):
        _, _, place = text.split()
        _copy_console(to / place)
        return
    *sources, place = text.split()
    ignored = Ignored.read()
    for source in sources:
        assert ignored.lets_in(source), source
        if (ROOT / source).is_file():
            shutil.copy2(ROOT / source, to / place)
        else:
            _copy_folder(source, to / place, ignored)


def _copy_folder(source: str, to: Path, ignored: Ignored) -> None:
    def leave_out(folder: str, names: list[str]) -> list[str]:
        place = Path(folder).relative_to(ROOT).as_posix()
        return [name for name in names if not ignored.lets_in(f"{place}/{name}")]

    shutil.copytree(ROOT / source, to, ignore=leave_out)


def _copy_console(to: Path) -> None:
    """The one that is built here; where there is none, a page in its place."""
    if (ROOT / BUILT).is_dir():
        shutil.copytree(ROOT / BUILT, to)
    else:
        to.mkdir(parents=True)
        (to / "index.html").write_text("<!doctype html>", encoding="utf-8")


def _sync(command: str, image: Image, settings: Mapping[str, str]) -> None:
    mirror = environment.package_mirror(ROOT)
    if mirror is not None:
        command = _for_mirror(command, mirror)
    kept = {
        name: value
        for name, value in environment.uv_environment(ROOT).items()
        if not name.startswith("ALATAU_")
    }
    # What the installation has fetched is neither fetched nor copied again.
    own = {
        name: value.replace("/opt/alatau", str(image.environment_folder))
        for name, value in settings.items()
        if name not in {"UV_NO_CACHE", "UV_LINK_MODE"}
    }
    _run(command, image.source, {**kept, **own, "PATH": f"{UV}:{os.environ['PATH']}"})


def _for_mirror(command: str, mirror: str) -> str:
    """The lock names PyPI's files; see deploy/native/environment.py."""
    place = f"--python $UV_PROJECT_ENVIRONMENT/bin/python --default-index {mirror}"
    if "--no-install-project" in command:
        export = "uv export --frozen --no-emit-project --no-dev -o ../requirements.txt"
        sync = f"uv pip sync --require-hashes {place} ../requirements.txt"
        return f"{export} && uv venv $UV_PROJECT_ENVIRONMENT && {sync}"
    return f"uv pip install --no-deps {place} ."


def _make_folders(command: str, image: Image) -> None:
    """The user is made in a root of its own; who is not root makes the folders for themselves."""
    command = command.replace("/var/lib/alatau", str(image.state))
    image.state.parent.mkdir(parents=True)
    if os.geteuid() == 0:
        accounts = image.folder / "etc"
        accounts.mkdir()
        for name in ("passwd", "group", "shadow", "gshadow"):
            (accounts / name).touch()
        command = re.sub(
            r"\b(groupadd|useradd) ", rf"\1 --prefix {image.folder} ", command
        )
    else:
        command = re.sub(r"\b(groupadd|useradd) [^&]*&&", "", command)
        command = command.replace(f"-g {USER}", f"-g {os.getegid()}")
        command = command.replace(f"-o {USER}", f"-o {os.geteuid()}")
    _run(command, image.folder, dict(os.environ))


def _run(command: str, folder: Path, settings: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=dict(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
