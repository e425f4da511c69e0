"""What a disk holds after the power is cut, at any system call of a program: from strace's record of that program.

Kept is what fsync was told, and by chance some of what it was not: writes in any combination, names in their order.
"""

import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

STRACE = shutil.which("strace")
_CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat,renameat2"
_LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?(?: .*)?$")
_TEXT = re.compile(r'"((?:\\x..)*)"')
_HANDLE = re.compile(r"^(-?\d+|AT_FDCWD)(?:<(.*?)>)?")

Change = Callable[[bytearray], None]


def record(command: Sequence[str], to: Path, given: bytes) -> None:
    """Run a program of one thread; it answers each line it is given, and is killed then."""
    calls = ["-y", "-xx", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", str(to)]
    with subprocess.Popen(
        ["strace", *calls, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tracer:
        assert tracer.stdin is not None
        assert tracer.stdout is not None
        for line in given.splitlines(keepends=True):
            tracer.stdin.write(line)
            tracer.stdin.flush()
            assert tracer.stdout.readline()
        children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children")
        os.kill(int(children.read_text(encoding="ascii")), signal.SIGKILL)


@dataclass(eq=False)
class _File:
    kept: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            change(self.kept)
        self.pending = []


@dataclass
class Disk:
    """One folder, call by call. said: the numbers that the program has written to its output so far."""

    folder: Path
    said: list[int] = field(default_factory=list)
    _names: dict[str, _File] = field(default_factory=dict)
    _kept_names: dict[str, _File] = field(default_factory=dict)
    _renamings: list[Callable[[dict[str, _File]], None]] = field(default_factory=list)

    def play(self, trace: Path) -> Iterator[None]:
        """After each call that concerns the folder, or says something."""
        for line in trace.read_text(encoding="utf-8").splitlines():
            found = _LINE.match(line)
            if (
                found
                and int(found[3]) >= 0
                and self._call(found[1], found[2], found[4])
            ):
                yield

    def cut_power(self, to: Path, chance: random.Random) -> None:
        """Write down what is left, as chance has it."""
        names = dict(self._kept_names)
        for rename in self._renamings[: chance.randint(0, len(self._renamings))]:
            rename(names)
        for name, file in names.items():
            left = bytearray(file.kept)
            for change in file.pending:
                if chance.random() < 0.5:
                    change(left)
            (to / name).write_bytes(left)

    def _call(self, call: str, arguments: str, opened: str | None) -> bool:
        texts = [_decode(text) for text in _TEXT.findall(arguments)]
        handle = _HANDLE.match(arguments)
        place = Path(_plain(handle[2])) if handle and handle[2] else Path()
        if call == "openat":
            return self._open(Path(_plain(opened or "")), arguments)
        if call in {"unlink", "unlinkat"}:
            return self._rename(self._name(texts[0], place), None)
        if call.startswith("rename"):
            return self._rename(
                self._name(texts[0], place), self._name(texts[1], place)
            )
        if call == "write" and arguments.startswith("1<"):
            self.said += [int(number) for number in texts[0].split()]
            return True
        if place == self.folder:
            return self._sync_names()
        file = self._names.get(place.name) if place.parent == self.folder else None
        return file is not None and self._write(file, call, arguments, texts)

    def _open(self, path: Path, arguments: str) -> bool:
        if path.parent != self.folder or path.name.endswith("-shm"):
            return False
        if path.name not in self._names:
            file = self._names[path.name] = _File()
            self._renamings.append(partial(_put, name=path.name, file=file))
        if "O_TRUNC" in arguments:
            self._names[path.name].pending.append(partial(_truncate, size=0))
        return True

    def _write(
        self, file: _File, call: str, arguments: str, texts: list[bytes]
    ) -> bool:
        if call in {"fsync", "fdatasync"}:
            file.sync()
        elif call == "ftruncate":
            size = int(arguments.rpartition(", ")[2])
            file.pending.append(partial(_truncate, size=size))
        elif call == "pwrite64":
            at = int(arguments.rpartition(", ")[2])
            file.pending.append(partial(_overwrite, at=at, data=texts[0]))
        else:
            file.pending.append(partial(_append, data=texts[0]))
        return True

    def _rename(self, old: str | None, new: str | None) -> bool:
        if old is None or old not in self._names:
            return False
        file = self._names.pop(old)
        self._renamings.append(partial(_drop, name=old))
        if new is not None:
            self._names[new] = file
            self._renamings[-1] = partial(_move, old=old, new=new)
        return True

    def _sync_names(self) -> bool:
        self._kept_names = dict(self._names)
        self._renamings = []
        return True

    def _name(self, text: bytes, place: Path) -> str | None:
        path = place / text.decode()
        return path.name if path.parent == self.folder else None


def _plain(path: str) -> str:
    return _decode(path).decode() if path.startswith("\\x") else path


def _decode(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _put(names: dict[str, _File], name: str, file: _File) -> None:
    names[name] = file


def _drop(names: dict[str, _File], name: str) -> None:
    names.pop(name, None)


def _move(names: dict[str, _File], old: str, new: str) -> None:
    names[new] = names.pop(old)


def _truncate(left: bytearray, size: int) -> None:
    del left[size:]
    left += bytes(size - len(left))


def _append(left: bytearray, data: bytes) -> None:
    left += data


def _overwrite(left: bytearray, at: int, data: bytes) -> None:
    left += bytes(max(0, at - len(left)))
    left[at : at + len(data)] = data
