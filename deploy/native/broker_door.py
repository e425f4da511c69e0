"""The broker's door: compares the registry with the broker's files, and ends sessions that may not be."""

import structlog

from deploy.native.broker_files import BrokerFiles
from deploy.native.broker_sessions import BrokerSessions
from deploy.native.certificates import ServerCertificate
from services.core.authority import (
    is_signed_by,
    read_revocations,
    sign_revocations,
)
from services.core.broker.passwords import password_line
from services.core.broker.rotation import Step
from services.core.clock import Clock
from services.core.storage.certificates import (
    mark_ended,
    refused_serials,
    sessions_to_end,
)
from services.core.storage.credentials import active_hashes, registry_revision
from services.core.storage.pool import Connection
from services.core.storage.rotations import Underway, advance, rotations_under_way

log = structlog.get_logger()

# A signal that comes while the broker reads its files is lost: by the third look it has had the second one too.
_TAKE_OVERS = 3
_MANY_TRIALS = 3


class BrokerDoor:
    def __init__(
        self,
        files: BrokerFiles,
        server: ServerCertificate,
        sessions: BrokerSessions,
        service_hashes: dict[str, str],
        clock: Clock,
    ) -> None:
        self._files = files
        self._server = server
        self._sessions = sessions
        self._service_hashes = {**service_hashes, **sessions.users()}
        self._clock = clock
        self._revision: int | None = None
        # At the start too: whoever wrote the files last may have been killed before it told the broker.
        self._tell_again = True
        self._taken_over: dict[str, int] = {}

    async def look(self, connection: Connection) -> None:
        """Once a second: write what has changed, tell the broker, and a look later once more."""
        tell = self._tell_again
        self._tell_again = self._server.look()
        await self._move_rotations(connection)
        revision = await registry_revision(connection)
        if revision != self._revision:
            self._tell_again |= await self._write(connection)
            self._revision = revision
        if (tell or self._tell_again) and not self._files.tell_broker():
            self._tell_again = True
        await self._end_sessions(connection)
        if self._files.listeners is not None:
            self._files.listeners.look()

    async def _write(self, connection: Connection) -> bool:
        """Whether the broker must read anything anew."""
        hashes = await active_hashes(connection)
        passwords = self._write_passwords(hashes)
        refused = await refused_serials(connection, self._clock.now())
        revocations = self._write_revocations(refused)
        if passwords or revocations:
            log.info(
                "publishers changed",
                action="passwords",
                publishers=len(hashes),
                refused_certificates=len(refused),
            )
        return passwords or revocations

    def _write_passwords(self, hashes: dict[str, str]) -> bool:
        users = {**hashes, **self._service_hashes}
        text = "".join(password_line(user, users[user]) for user in sorted(users))
        return self._files.write("passwords", text.encode())

    def _write_revocations(self, serials: frozenset[str]) -> bool:
        authority, previous = self._server.authority, None
        if kept := self._files.read("crl.pem"):
            listed, previous = read_revocations(kept)
            if listed == serials and is_signed_by(authority, kept):
                return False
        signed = sign_revocations(authority, serials, self._clock.now(), previous)
        return self._files.write("crl.pem", signed)

    async def _end_sessions(self, connection: Connection) -> None:
        """Of certificates that are valid no more: the broker looks at them only when a device connects."""
        now = self._clock.now()
        ending = dict(await sessions_to_end(connection, now))
        if not ending or not await self._sessions.end(sorted(set(ending.values()))):
            return
        counted = {serial: self._taken_over.get(serial, 0) + 1 for serial in ending}
        over = [serial for serial, times in counted.items() if times >= _TAKE_OVERS]
        if over:
            await mark_ended(connection, over, now)
            devices = sorted({ending[serial] for serial in over})
            log.info("sessions ended", action="sessions_ended", devices=devices[:20])
        self._taken_over = {s: n for s, n in counted.items() if s not in over}

    async def _move_rotations(self, connection: Connection) -> None:
        for rotation in await rotations_under_way(connection):
            now = self._clock.now()
            step = rotation.state.next_step(now)
            if step is Step.WAIT:
                continue
            await advance(connection, rotation, step, now)
            self._revision = None
            _tell_of(rotation, step)


def _tell_of(rotation: Underway, step: Step) -> None:
    tried_often = rotation.state.trials >= _MANY_TRIALS
    troubled = step is Step.GIVE_UP or (step is Step.WITHDRAW and tried_often)
    (log.warning if troubled else log.info)(
        "a secret is on its way",
        action="rotation",
        device=rotation.device,
        step=step.name.lower(),
        trials=rotation.state.trials,
    )
