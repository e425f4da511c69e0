"""The files that a broker reads: each changes in one step, and the broker is told."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.native.broker_listeners import BrokerListeners
from deploy.native.mosquitto import is_ready_for_signals

PID_FILE = "mosquitto.pid"


@dataclass(frozen=True)
class BrokerFiles:
    """listeners: of a broker that takes no signals from here."""

    folder: Path
    listeners: BrokerListeners | None = None

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> bool:
        """For the broker's eyes only; False: that is what it says already."""
        if self.read(name) == content:
            return False
        path = self.folder / name
        draft = path.with_name(f".{name}.draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        if os.geteuid() == 0:  # the broker reads it as its folder's owner
            owner = self.folder.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(path)
        return True

    def tell_broker(self) -> bool:
        """It reads passwords, certificates and the revocation list anew; one that does not run reads them at its start.

        False: it is just starting, and may or may not have read them: tell it once more.
        """
        if self.listeners is not None:
            self.listeners.ask("reload")
            return True
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int((self.folder / PID_FILE).read_text(encoding="utf-8"))
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
            if name == "mosquitto":
                if not is_ready_for_signals(pid):
                    return False
                os.kill(pid, signal.SIGHUP)
        return True
