"""`alatau broker-door`: keeps the broker's password file as the registry has it."""

import asyncio
import hashlib
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

if TYPE_CHECKING:
    from deploy.native.broker_listeners import BrokerListeners
    from services.core.clock import Clock
    from services.core.storage.pool import Connection

log = structlog.get_logger()

LOOK_SECONDS = 1.0  # also the most often that the broker is told to read the file
INGEST_USER = "alatau.ingest"
INGEST_SECRET = "broker-ingest"  # noqa: S105 - a file's name


def register(app: typer.Typer) -> None:
    app.command("broker-door")(run_broker_door)


def run_broker_door(
    folder: Annotated[
        Path,
        typer.Option(
            envvar="ALATAU_BROKER_FOLDER", help="Where the broker's files are."
        ),
    ],
    socket: Annotated[
        Path | None,
        typer.Option(
            envvar="ALATAU_BROKER_SOCKET",
            help="The services' listener of a broker under deploy/mosquitto/run-broker;"
            " without it a broker on this machine is told by signals.",
        ),
    ] = None,
    bind: Annotated[
        str, typer.Option(envvar="ALATAU_MQTT_BIND", help="Of the devices' listener.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="ALATAU_MQTT_PORT", help="Of the devices' listener.")
    ] = 1883,
) -> None:
    """Let publishers in and out as the registry says, within a second of each change."""
    from deploy.native.broker_listeners import BrokerListeners
    from deploy.native.mosquitto import DeviceListener, Mosquitto
    from services.core.clock import SystemClock
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    secrets = settings.secrets_dir or folder
    services = service_users(secrets)
    broker = Mosquitto(folder, socket or folder, DeviceListener(bind, port))
    listeners = BrokerListeners(broker) if socket else None

    async def main(stop: asyncio.Event) -> None:
        door = BrokerDoor(folder, services, SystemClock(), listeners)
        await door.keep(settings.dsn, stop)

    run_service("broker-door", main)


def service_users(secrets: Path) -> dict[str, str]:
    """The services' own users. The salt comes from the secret, so an unchanged file stays unchanged."""
    from services.core.broker.passwords import hash_secret

    secret = (secrets / INGEST_SECRET).read_text(encoding="utf-8").strip()
    salt = hashlib.sha256(secret.encode()).digest()[:12]
    return {INGEST_USER: hash_secret(secret, salt)}


class BrokerDoor:
    def __init__(
        self,
        folder: Path,
        service_hashes: dict[str, str],
        clock: "Clock",
        listeners: "BrokerListeners | None" = None,
    ) -> None:
        """listeners: of a broker that takes no signals from here."""
        self._listeners = listeners
        self._passwords = folder / "passwords"
        self._pid_file = folder / "mosquitto.pid"
        self._service_hashes = service_hashes
        self._clock = clock
        self._revision: int | None = None
        # At the start too: whoever wrote the file last may have been killed before it told the broker.
        self._tell_again = True

    async def keep(self, dsn: str, stop: asyncio.Event) -> None:
        """Until stop is set; a database that is away leaves the file as it is."""
        from services.core.storage.pool import connect
        from services.core.storage.transient import is_transient

        while not stop.is_set():
            try:
                connection = await connect(dsn, "broker-door")
                try:
                    await self._follow(connection, stop)
                finally:
                    await connection.close()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("the database is away", action="retry", error=str(error))
                await _wait(stop)

    async def _follow(self, connection: "Connection", stop: asyncio.Event) -> None:
        from services.core.process import notify_supervisor

        while not stop.is_set():
            await self.look(connection)
            if self._listeners is not None:
                self._listeners.look()
            notify_supervisor("READY=1\nWATCHDOG=1")
            await _wait(stop)

    async def look(self, connection: "Connection") -> None:
        """Write the file and tell the broker, if anything has changed; a look later once more.

        A signal that comes while the broker is still reading the file is lost.
        """
        from services.core.storage.credentials import active_hashes, registry_revision

        if self._tell_again:
            self._tell_again = False
            self._tell_broker()
        revision = await registry_revision(connection)
        if revision == self._revision:
            return
        hashes = await active_hashes(connection)
        if self._write(hashes):
            self._tell_broker()
            self._tell_again = True
            log.info("publishers changed", action="passwords", publishers=len(hashes))
        self._revision = revision

    def _write(self, hashes: dict[str, str]) -> bool:
        from services.core.broker.passwords import password_line

        users = {**hashes, **self._service_hashes}
        text = "".join(password_line(user, users[user]) for user in sorted(users))
        with suppress(FileNotFoundError):
            if self._passwords.read_text(encoding="utf-8") == text:
                return False
        draft = self._passwords.with_name(".passwords.draft")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        if os.geteuid() == 0:  # the broker reads it as its folder's owner
            owner = self._passwords.parent.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(self._passwords)
        return True

    def _tell_broker(self) -> None:
        """A broker that does not run reads the file when it starts."""
        if self._listeners is not None:
            self._listeners.ask("reload")
            return
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int(self._pid_file.read_text(encoding="utf-8"))
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
            if name == "mosquitto":
                os.kill(pid, signal.SIGHUP)


async def _wait(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await stop.wait()
