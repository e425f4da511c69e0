"""A command of a container or a unit, run as a process of this machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.dockerfile import USER

LOG_TAIL = 3_000


def as_user(command: Sequence[str]) -> list[str]:
    """As the image's user where we are root, and gone when we are gone."""
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    who = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    return [
        *(setpriv, "--pdeathsig=KILL"),
        *(who if os.geteuid() == 0 else []),
        *("--", *command),
    ]


@dataclass
class LocalProcess:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    @property
    def code(self) -> int | None:
        return None if self.process is None else self.process.poll()

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code."""
        assert self.process is not None, f"{self.name} was not started"
        return self.process.wait(seconds)

    def stop(self, how: signal.Signals, seconds: float) -> int:
        """Its exit code; a process that does not stop in time fails the test."""
        assert self.process is not None, f"{self.name} was not started"
        self.process.send_signal(how)
        return self.wait(seconds)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def said(self) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return f"{self.name} ({self.code}):\n{text[-LOG_TAIL:]}"
