"""Lets devices in only once ingest's session is saved: before that a message could be acknowledged and lost."""

from dataclasses import dataclass, field

from deploy.native.mosquitto import Mosquitto
from deploy.native.programs import broker_program
from deploy.native.supervised import Program, Supervised
from services.core.clock import Clock

_LOOK_SECONDS = 0.1


@dataclass
class BrokerDoors:
    mosquitto: Mosquitto
    clock: Clock
    devices_let_in: bool = field(default=False, init=False)

    def program(self) -> Program:
        return broker_program(self.mosquitto, self.choose, self._is_listening)

    def choose(self) -> None:
        """At each start of the broker, after a crash too: a session that was lost closes the door again."""
        self.mosquitto.refuse_beside_former()
        self.mosquitto.put_broken_file_aside()
        self.devices_let_in = self.mosquitto.has_saved_session()
        self.mosquitto.write_configuration(devices_let_in=self.devices_let_in)

    async def keep(self, broker: Supervised, ingest: Supervised) -> None:
        """Runs for ever: opens the device listener whenever it is closed and ingest's session can be saved."""
        while True:
            await ingest.ready.wait()
            await broker.ready.wait()
            if not self.devices_let_in:
                await self._save_and_open(broker)
            await self.clock.sleep(_LOOK_SECONDS)

    def is_open(self, broker: Supervised) -> bool:
        return self.devices_let_in and broker.ready.is_set()

    async def _save_and_open(self, broker: Supervised) -> None:
        if broker.pid is not None:
            self.mosquitto.save_sessions(broker.pid)
        await self.clock.sleep(_LOOK_SECONDS)
        if self.mosquitto.has_saved_session():
            broker.ready.clear()
            broker.restart()

    def _is_listening(self) -> bool:
        return self.mosquitto.is_listening(devices_let_in=self.devices_let_in)
