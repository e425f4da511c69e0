"""Shows the installer's steps with elapsed time and keeps every command's output in a log file (standard library only)."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LOG_TAIL_LINES = 15


class InstallError(Exception):
    """Something that the reader can mend; the message says how."""


class Progress:
    def __init__(self, log_file: Path) -> None:
        self.log_file = log_file
        log_file.parent.mkdir(parents=True, exist_ok=True)
        self._is_terminal = sys.stdout.isatty()

    def say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        self.note(text)

    def note(self, text: str) -> None:
        with self.log_file.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(
            target=self._tick, args=(title, started, done), name="progress", daemon=True
        )
        self.note(f"== {title}")
        ticker.start()
        verdict = "failed"
        try:
            yield
            verdict = "done"
        finally:
            done.set()
            ticker.join()
            elapsed = time.monotonic() - started
            end = "\r" if self._is_terminal else ""
            self.say(f"{end}  {title:<52} {verdict}  {elapsed:6.1f} s")

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command, its output in the log; raise InstallError with the end of the output."""
        self.note(f"$ {' '.join(command)}")
        with self.log_file.open("a+b") as log:
            log.seek(0, 2)
            start = log.tell()
            finished = subprocess.run(  # noqa: S603 - fixed commands of this installer, no shell
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
            if finished.returncode == 0:
                return
            log.seek(start)
            output = log.read().decode(errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in output[-LOG_TAIL_LINES:])
        raise InstallError(
            f"`{' '.join(command)}` ended with {finished.returncode}:\n{tail}"
        )

    def _tick(self, title: str, started: float, done: threading.Event) -> None:
        if not self._is_terminal:
            sys.stdout.write(f"  {title} …\n")
            sys.stdout.flush()
            return
        while not done.wait(0.2):
            with suppress(OSError):
                elapsed = time.monotonic() - started
                sys.stdout.write(f"\r  {title:<52} …     {elapsed:6.1f} s")
                sys.stdout.flush()
