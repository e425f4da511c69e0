"""THE MAP of a running installation: what starts after what, and stops before what."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from deploy.native.broker_doors import BrokerDoors
from deploy.native.crew import Crew, NotStartedError
from deploy.native.home import Ports
from deploy.native.postgres import PostgresCluster
from deploy.native.programs import ServiceMaker, alatau_command, database_program
from deploy.native.roles import SUPERUSER_SECRET, ensure_roles
from deploy.native.servers import Servers
from deploy.native.state_file import StateFile
from deploy.native.supervised import Supervised, service_command
from services.core.clock import Clock

RECOVERY_SECONDS = 900.0  # PostgreSQL after a crash, on a slow disk
DOOR_SECONDS = 30.0
FOLLOWERS = ("rules", "history", "api")


@dataclass(frozen=True)
class Options:
    simulate: bool = True
    simulator_arguments: tuple[str, ...] = ()


class Stack:
    def __init__(
        self,
        servers: Servers,
        ports: Ports,
        options: Options,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._servers = servers
        self._options = options
        self._clock = clock
        self._say = say
        self.state = StateFile(servers.home, ports, public_urls(servers, ports))
        self._crew = Crew(servers.home, self.state, clock, say)
        self._maker = ServiceMaker(servers.home, ports, servers)
        self._standing: list[asyncio.Task[None]] = []
        self._enlist(ports)

    def _enlist(self, ports: Ports) -> None:
        """All members; each stops before those above it."""
        add, make = self._crew.add, self._maker.make
        self._database = self._broker = self._door_keeper = self._doors = None
        if (cluster := self._servers.cluster) is not None:
            self._database = add(database_program(cluster, ports.database))
        if (mosquitto := self._servers.mosquitto) is not None:
            self._doors = BrokerDoors(mosquitto, self._clock)
            self._door_keeper = add(make("broker-door"))
            self._broker = add(self._doors.program())
        self._ingest = add(make("ingest"))
        self._followers = [
            add(make(name), yields_to=self._ingest) for name in FOLLOWERS
        ]
        self._simulator = (
            add(make("sim", self._options.simulator_arguments))
            if self._options.simulate
            else None
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Start all, call ready, stay until stop is set, stop all.

        Raises:
            PlatformError: it did not start; what had started is stopped again.
        """
        starting = asyncio.create_task(self._start(), name="start")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        first = asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait({starting, stopping}, return_when=first)
            if starting.done():
                starting.result()
                self.state.ready = True
                self._crew.write_state()
                ready()
                await stopping
        finally:
            for task in (starting, stopping, *self._standing):
                task.cancel()
            self.state.ready = False
            self._say("Stopping:")
            await self._crew.stop_all()

    def kill(self) -> None:
        self._crew.kill_all()

    async def _start(self) -> None:
        self._servers.write_urls()
        self._stand(self._crew.keep_logs_small())
        if self._database is not None and self._servers.cluster is not None:
            await self._start_database(self._database, self._servers.cluster)
        await self._prepare()
        services = (self._ingest, *self._followers)
        for service in services:
            service.start()
        if self._broker is not None:
            await self._start_broker(self._broker)
        if self._simulator is not None:
            # Its devices knock like any other until they are let in; meanwhile it builds its city.
            self._simulator.start()
        await self._crew.until_ready(*services)
        if self._broker is not None:
            await self._until_devices_let_in(self._broker)
        if self._simulator is not None:
            await self._crew.until_ready(self._simulator)

    async def _start_database(
        self, database: Supervised, cluster: PostgresCluster
    ) -> None:
        secrets = self._servers.home.secrets
        if not cluster.is_initialised():
            self._say("  making the database cluster")
            await asyncio.to_thread(cluster.init, secrets.get(SUPERUSER_SECRET))
        cluster.write_settings()
        database.start()
        await self._crew.until_ready(database, seconds=RECOVERY_SECONDS)
        superuser = cluster.socket_dsn(
            "postgres", password=secrets.get(SUPERUSER_SECRET)
        )
        await ensure_roles(superuser, secrets)

    async def _start_broker(self, broker: Supervised) -> None:
        if self._door_keeper is not None:
            # It writes who may enter; a device that was revoked while all stood still must not get in.
            self._door_keeper.start()
            await self._crew.until_ready(self._door_keeper)
        broker.start()
        await self._crew.until_ready(broker)
        if self._doors is not None:
            self._stand(self._doors.keep(broker, self._ingest))

    async def _until_devices_let_in(self, broker: Supervised) -> None:
        deadline = self._clock.monotonic() + DOOR_SECONDS
        while self._doors is not None and not self._doors.is_open(broker):
            if self._clock.monotonic() > deadline:
                raise NotStartedError(
                    "Devices are not let in: the broker has not saved ingest's session."
                )
            await self._clock.sleep(0.02)

    async def _prepare(self) -> None:
        """Schema; at the first start also the city, its rules, credentials and the first login."""
        first_login = self._servers.home.secrets.path("operator")
        known = first_login.exists()
        process = await asyncio.create_subprocess_exec(
            *service_command([*alatau_command(), "prepare"]),
            env=self._maker.environment("prepare"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        lines = []
        if process.stdout is None:
            raise NotStartedError
        async for line in process.stdout:
            lines.append(line.decode(errors="replace").rstrip())
            self._say(f"  {lines[-1]}")
        if await process.wait() != 0:
            raise NotStartedError("The database could not be prepared (see above).")
        self.state.first_login = first_login.exists() and not known

    def _stand(self, work: Coroutine[object, object, None]) -> None:
        self._standing.append(asyncio.create_task(work))


def public_urls(servers: Servers, ports: Ports) -> dict[str, str]:
    """Without the database's: it holds a secret, and `alatau status` adds it for those who may read it."""
    site = f"http://127.0.0.1:{ports.api}"
    return {
        "site": site,
        "console": f"{site}/",
        "api": f"{site}/api/v1",
        "opendata": f"{site}/open/v1",
        "sensorthings": f"{site}/sta/v1.1",
        "docs": f"{site}/docs",
        "health": f"{site}/health/ready",
        "door": f"http://127.0.0.1:{ports.door}/ingest/v1",
        "mqtt": servers.device_broker_url(),
        **servers.tls_urls(),
    }
