"""The listeners of a broker that runs apart (deploy/mosquitto/run-broker): devices come in once ingest's session is saved."""

from dataclasses import dataclass, field
from typing import Literal

from deploy.native.mosquitto import Mosquitto

Request = Literal["save", "reload", "restart"]


@dataclass
class BrokerListeners:
    mosquitto: Mosquitto
    _devices_let_in: bool = field(default=False, init=False)

    def look(self) -> None:
        """To be called again and again. A broker that starts has no configuration, and waits for one."""
        starts = not self.mosquitto.configuration.exists()
        if starts:
            self.mosquitto.put_broken_file_aside()
            self._devices_let_in = False
        if self._devices_let_in:
            return
        self._devices_let_in = self.mosquitto.has_saved_session()
        if starts or self._is_outdated():
            self.mosquitto.write_configuration(devices_let_in=self._devices_let_in)
            if not starts:
                self.ask("restart")
        elif not self._devices_let_in:
            self.ask("save")

    def ask(self, request: Request) -> None:
        (self.mosquitto.folder / request).touch()

    def _is_outdated(self) -> bool:
        wanted = self.mosquitto.configuration_text(devices_let_in=self._devices_let_in)
        return self.mosquitto.configuration.read_text(encoding="utf-8") != wanted
