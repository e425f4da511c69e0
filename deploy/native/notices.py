"""Hears what a service tells its supervisor by sd_notify(3): ready, what it does, that it lives."""

import asyncio
import socket
from dataclasses import dataclass, field
from pathlib import Path

from services.core.clock import Clock

_LONGEST_NOTICE = 4096


@dataclass
class Notices:
    """The notices of one life of one service; `ready` is set once it said so."""

    path: Path
    clock: Clock
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    status: str = ""
    last_sign_of_life: float | None = None

    def open(self) -> socket.socket:
        """Listen; the caller closes the socket with stop()."""
        self.path.unlink(missing_ok=True)
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        ear.bind(str(self.path))
        asyncio.get_running_loop().add_reader(ear, self._hear, ear)
        return ear

    def close(self, ear: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(ear)
        ear.close()
        self.path.unlink(missing_ok=True)

    def take(self, notice: str) -> None:
        for line in notice.splitlines():
            match line.partition("="):
                case ("READY", _, "1"):
                    self.ready.set()
                case ("STATUS", _, text):
                    self.status = text
                case ("WATCHDOG", _, "1"):
                    self.last_sign_of_life = self.clock.monotonic()
                case _:
                    pass  # the protocol has words that mean nothing here

    def is_silent_for(self, seconds: float) -> bool:
        """Only for a service that once gave a sign of life: not every one does."""
        if self.last_sign_of_life is None:
            return False
        return self.clock.monotonic() - self.last_sign_of_life > seconds

    def _hear(self, ear: socket.socket) -> None:
        try:
            notice = ear.recv(_LONGEST_NOTICE)
        except BlockingIOError:
            return
        self.take(notice.decode(errors="replace"))
