"""Where one simulator keeps its things, and the lock that keeps a second one out."""

import contextlib
import csv
import fcntl
from collections.abc import Iterator
from pathlib import Path

OUTBOX = "outbox.db"
SECRETS = "rotated.json"
_LOCK = "lock"


class FolderTakenError(Exception):
    """Another simulator uses this folder."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """The folder, made if need be; two simulators with one outbox would use numbers twice.

    Raises:
        FolderTakenError: another one has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / _LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderTakenError(f"another simulator uses {folder}") from error
        yield folder


def read_secrets(file: Path) -> dict[str, str]:
    """Of the CSV that `alatau devices add --out` writes: columns device and secret."""
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["device"]: row["secret"] for row in csv.DictReader(lines)}
