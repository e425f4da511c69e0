"""`alatau broker-door`: keeps who may enter the broker as the registry has it."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

if TYPE_CHECKING:
    from deploy.native.broker_door import BrokerDoor
    from deploy.native.broker_listeners import BrokerListeners
    from deploy.native.certificates import OwnPair
    from deploy.native.mosquitto import Mosquitto
    from services.core.settings import Settings

log = structlog.get_logger()

LOOK_SECONDS = 1.0  # also the most often that the broker is told to read its files
INGEST_SECRET = "broker-ingest"  # noqa: S105 - a file's name


def register(app: typer.Typer) -> None:
    app.command("broker-door")(run_broker_door)


def run_broker_door(  # noqa: PLR0913, PLR0917 # one for each option
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
    door_socket: Annotated[
        Path | None,
        typer.Option(
            envvar="ALATAU_BROKER_DOOR_SOCKET",
            help="The door's own listener.",
            show_default="door.sock in the broker's folder",
        ),
    ] = None,
    bind: Annotated[
        str,
        typer.Option(
            envvar="ALATAU_MQTT_BIND", help="Of the devices' listeners with TLS."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="ALATAU_MQTT_PORT",
            help="Of the devices' listener without TLS, on loopback only.",
        ),
    ] = 1883,
    tls_port: Annotated[
        int,
        typer.Option(envvar="ALATAU_MQTTS_PORT", help="TLS, with a password."),
    ] = 8883,
    certificate_port: Annotated[
        int,
        typer.Option(
            envvar="ALATAU_MQTTS_CERTIFICATE_PORT",
            help="TLS, with a client's certificate.",
        ),
    ] = 8884,
) -> None:
    """Let publishers in and out as the registry says, within a second of each change."""
    from deploy.native.broker_listeners import BrokerListeners
    from deploy.native.mosquitto import DeviceListener, Mosquitto, TlsListeners
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    broker = Mosquitto(
        folder,
        socket or folder,
        DeviceListener("127.0.0.1", port),
        tls=TlsListeners(bind, tls_port, certificate_port),
    )
    listeners = BrokerListeners(broker) if socket else None
    door = _make_door(settings, broker, listeners, door_socket)

    async def main(stop: asyncio.Event) -> None:
        await _keep(door, settings.dsn, stop)

    run_service("broker-door", main)


def service_users(secrets: Path) -> dict[str, str]:
    """The services' own users. The salt comes from the secret, so an unchanged file stays unchanged."""
    from services.core.broker import users
    from services.core.broker.passwords import hash_secret

    secret = (secrets / INGEST_SECRET).read_text(encoding="utf-8").strip()
    salt = hashlib.sha256(secret.encode()).digest()[:12]
    return dict.fromkeys(users.OF_INGEST, hash_secret(secret, salt))


def _make_door(
    settings: "Settings",
    broker: "Mosquitto",
    listeners: "BrokerListeners | None",
    door_socket: Path | None,
) -> "BrokerDoor":
    from deploy.native.broker_door import BrokerDoor
    from deploy.native.broker_files import BrokerFiles
    from deploy.native.broker_sessions import BrokerSessions
    from deploy.native.certificates import ServerCertificate, read_authority
    from services.core.clock import SystemClock

    secrets = settings.secrets_dir or broker.folder
    files = BrokerFiles(broker.folder, listeners)
    authority = read_authority(settings.authority_dir or secrets)
    server = ServerCertificate(
        files, authority, SystemClock(), _names(settings, broker), _own_pair(settings)
    )
    sessions = BrokerSessions(door_socket or broker.door_socket)
    return BrokerDoor(files, server, sessions, service_users(secrets), SystemClock())


def _names(settings: "Settings", broker: "Mosquitto") -> tuple[str, ...]:
    """Also the address that it listens on, unless that stands for all."""
    bind = broker.tls.host if broker.tls else ""
    return (*settings.mqtt_names, *(() if bind in {"0.0.0.0", "::"} else (bind,)))  # noqa: S104 - compared only


def _own_pair(settings: "Settings") -> "OwnPair | None":
    from deploy.native.certificates import OwnPair
    from services.core.errors import ConfigurationError

    given = (settings.mqtt_certificate, settings.mqtt_key)
    if given[0] is not None and given[1] is not None:
        return OwnPair(given[0], given[1])
    if any(given):
        raise ConfigurationError(
            "ALATAU_MQTT_CERTIFICATE and ALATAU_MQTT_KEY belong together."
        )
    return None


async def _keep(door: "BrokerDoor", dsn: str, stop: asyncio.Event) -> None:
    """Until stop is set; a database that is away leaves the files as they are."""
    from services.core.storage.pool import connect
    from services.core.storage.transient import is_transient

    while not stop.is_set():
        try:
            connection = await connect(dsn, "broker-door")
            try:
                while not stop.is_set():
                    await door.look(connection)
                    _tell_supervisor()
                    await _wait(stop)
            finally:
                await connection.close()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("the database is away", action="retry", error=str(error))
            await _wait(stop)


def _tell_supervisor() -> None:
    from services.core.process import notify_supervisor

    notify_supervisor("READY=1\nWATCHDOG=1")


async def _wait(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await stop.wait()
