"""The secrets that a publisher may have to try: the newest first, and none forgotten before another one has worked."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_MOST_KEPT: Final = 3
Keep = Callable[[Sequence[str]], None]


class KeyRing:
    """At each attempt to connect the broker is shown attempt(); who got in says so by worked().

    A new secret is in force only some time after it was taken, or never: so the others stay, and are tried in turn.
    keep: writes the secrets down for good, newest first, before take() returns; what it raises leaves the ring as it is.
    """

    def __init__(self, secrets: Sequence[str], keep: Keep | None = None) -> None:
        self._secrets = list(dict.fromkeys(secrets))
        self._keep = keep
        self._tried = -1

    @property
    def secrets(self) -> tuple[str, ...]:
        """In the order in which they are tried."""
        return tuple(self._secrets)

    def attempt(self) -> str:
        """The next to try: after a success, or at the beginning, the first."""
        self._tried = (self._tried + 1) % len(self._secrets)
        return self._secrets[self._tried]

    def worked(self) -> None:
        """What was tried last is tried first from now on."""
        if self._tried >= 0:
            self._secrets.insert(0, self._secrets.pop(self._tried))
            self._tried = -1

    def take(self, secret: str) -> None:
        """A new one. Who is asked twice holds it once."""
        others = [known for known in self._secrets if known != secret]
        secrets = [secret, *others][:_MOST_KEPT]
        if self._keep is not None:
            self._keep(secrets)
        self._secrets, self._tried = secrets, -1


class KeptSecrets:
    """What publishers were given since they were set up, in one file for its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, list[str]] = {}
        if path.exists():
            self._kept = json.loads(path.read_text(encoding="utf-8"))

    def ring(self, publisher: str, given: str) -> KeyRing:
        """given: the secret it was set up with, or by hand since."""
        secrets = [*self._kept.get(publisher, ()), given]

        def keep(secrets: Sequence[str]) -> None:
            kept = {**self._kept, publisher: list(secrets)}
            self._write(kept)
            self._kept = kept

        return KeyRing(secrets, keep)

    def _write(self, kept: dict[str, list[str]]) -> None:
        """On the disk when it returns: the old secret may be worthless a second later."""
        draft = self._path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        with draft.open("w", encoding="utf-8") as stream:
            json.dump(kept, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
