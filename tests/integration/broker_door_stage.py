"""The broker's door beside a real broker and a real registry, moved on by hand or for as long as a test lasts."""

import asyncio
import csv
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import typer
from typer.testing import CliRunner, Result
from typing_extensions import override

from deploy.native.broker_door import BrokerDoor
from deploy.native.broker_files import BrokerFiles
from deploy.native.broker_sessions import BrokerSessions
from deploy.native.certificates import ServerCertificate
from deploy.native.postgres import PostgresCluster
from services.cli import devices
from services.core.authority import Authority, new_authority
from services.core.broker import users
from services.core.broker.passwords import hash_secret
from services.core.clock import Clock, SystemClock
from services.core.storage.pool import connect
from tests.stack_fixtures import Broker

LOOK_SECONDS = 1.0
Run = Callable[..., Result]

# Three publishers, a hosted meter and a retired station.
REGISTRY = """
INSERT INTO devices (key, publishes, retired_at, revision) VALUES
    ('gateway-1', true, NULL, 1), ('gateway-2', true, NULL, 1), ('station-1', true, NULL, 1),
    ('meter-1', false, NULL, 1), ('station-0', true, now(), 1);
INSERT INTO device_hosts (gateway_id, device_id, revision)
SELECT g.device_id, m.device_id, 1 FROM devices g, devices m WHERE g.key = 'gateway-1' AND m.key = 'meter-1';
"""


class ShiftedClock(SystemClock):
    """The machine's clock, ahead by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta(0)

    @override
    def now(self) -> dt.datetime:
        return super().now() + self.ahead


@dataclass
class DoorStage:
    broker: Broker
    dsn: str
    authority: Authority = field(
        default_factory=lambda: new_authority(SystemClock().now())
    )
    clock: Clock = field(default_factory=SystemClock)
    door: BrokerDoor = field(init=False)

    def __post_init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """As after a crash of the door."""
        files = BrokerFiles(self.broker.mosquitto.folder)
        secret = hash_secret(self.broker.secrets[users.INGEST], b"twelve bytes")
        services = dict.fromkeys(users.OF_INGEST, secret)
        self.door = BrokerDoor(
            files,
            ServerCertificate(files, self.authority, self.clock),
            BrokerSessions(self.broker.mosquitto.door_socket),
            services,
            self.clock,
        )

    async def look_once(self) -> None:
        connection = await connect(self.dsn, "test")
        try:
            await self.door.look(connection)
        finally:
            await connection.close()

    def look(self) -> None:
        asyncio.run(self.look_once())

    @asynccontextmanager
    async def kept(self, every: float = LOOK_SECONDS) -> AsyncIterator[None]:
        """It looks every so often; unless said otherwise as often as the service does."""

        async def keep() -> None:
            while True:
                await self.look_once()
                await asyncio.sleep(every)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            if not keeping.cancelled() and (error := keeping.exception()):
                raise error


def devices_command(
    postgres: PostgresCluster, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """`alatau devices …` on a registry of its own."""
    postgres.sql(REGISTRY, database=database_url.rpartition("/")[2])
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    app = typer.Typer()
    devices.register(app)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["devices", *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def secrets_in(text: str) -> dict[str, str]:
    return {row["device"]: row["secret"] for row in csv.DictReader(text.splitlines())}
