"""Runs docker-compose.yml without containers: every command as a process, volumes as folders, addresses on loopback.

What cannot be had here is stood in for: the native PostgreSQL for the database's image, nothing for Grafana's.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native.postgres import PostgresCluster, find_binaries
from tests.deploy.compose_file import Mount, Service, read_services
from tests.deploy.dockerfile import ROOT, Image, read_stages
from tests.deploy.local_process import LocalProcess, as_user
from tests.installation import until
from tests.stack_fixtures import free_port, server_folder, server_user, stop

NOT_HERE = ("grafana",)
START_SECONDS = 120.0
STATE = "/var/lib/alatau"
METRICS_PORT = "9100"
FAST = {"fsync": "off"}  # a crash of the machine may cost a test run, never data
MACHINE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class ComposeRun:
    image: Image
    folder: Path
    cluster: PostgresCluster
    services: dict[str, Service]
    ports: dict[str, int]
    processes: dict[str, LocalProcess] = field(default_factory=dict)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['8080']}"

    def up(self) -> None:
        """Start what may start, again and again, until all is healthy or done."""
        until("all healthy", self._go_on, START_SECONDS)

    def _go_on(self) -> bool:
        for name, service in self.services.items():
            if name not in self.processes and self._may_start(service):
                self.start(name)
        return all(self.is_well(name) for name in self.services)

    def _may_start(self, service: Service) -> bool:
        return all(self.is_well(name) for name in service.needs)

    def is_well(self, name: str) -> bool:
        """Done (runs once), else healthy; who failed fails the test."""
        process = self.processes.get(name)
        if process is None:
            return False
        service = self.services[name]
        if not service.runs_once:
            assert process.code is None, process.said()
            return self.is_healthy(name)
        assert process.code in {None, 0}, process.said()
        return process.code == 0

    def is_healthy(self, name: str) -> bool:
        command = [self.translate(name, w) for w in self.services[name].health_command]
        looked = subprocess.run(
            as_user(command),
            env=self.environment(name),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return looked.returncode == 0

    def start(self, name: str) -> LocalProcess:
        log = self.folder / "logs" / f"{name}.log"
        workdir = self.folder / "workdir"
        command = (
            self._database_command()
            if name == "database"
            else as_user(self._command(name))
        )
        process = LocalProcess(name, command, self.environment(name), workdir, log)
        self.processes[name] = process
        process.start()
        return process

    def _command(self, name: str) -> list[str]:
        service = self.services[name]
        words = [self.translate(name, word) for word in service.document["command"]]
        if service.is_ours:
            assert read_stages()[-1].last("ENTRYPOINT") == '["alatau"]'
            return self.image.command(*words)
        entrypoint = service.document["entrypoint"]
        return [*(self.translate(name, word) for word in entrypoint), *words]

    def _database_command(self) -> list[str]:
        """What the image's entrypoint does: a cluster, TimescaleDB in its templates, then the server with these flags."""
        settings = self.services["database"].document["environment"]
        file = self.translate("database", settings["POSTGRES_PASSWORD_FILE"])
        password = Path(file).read_text(encoding="utf-8").strip()
        self.cluster.init(password)
        self.cluster.write_settings()
        with (self.folder / "logs" / "initdb.log").open("wb") as log:
            server = self.cluster.start(log)
            self.cluster.wait_until_ready(server)
            for database in ("postgres", "template1"):
                extension = "CREATE EXTENSION timescaledb"
                self.cluster.sql(extension, database=database, password=password)
            stop(server, signal.SIGINT)
        program, *flags = self.services["database"].document["command"]
        assert program == "postgres"
        return [*self.cluster.command(), *flags]

    def environment(self, name: str) -> dict[str, str]:
        """Nothing of ours: what the image and the file say."""
        service = self.services[name]
        given = {
            key: self._port_or(name, self.translate(name, value))
            for key, value in service.document.get("environment", {}).items()
        }
        if service.is_ours:
            image = self.image.settings()
            alive = self.translate(name, image["ALATAU_ALIVE_FILE"])
            return {**image, "ALATAU_ALIVE_FILE": alive, **given}
        path = f"{find_binaries()}:{MACHINE_PATH}"
        return {**given, "PATH": path, "PGPORT": str(self.cluster.port)}

    def _port_or(self, name: str, value: str) -> str:
        if value == METRICS_PORT:
            return str(self.ports.setdefault(f"{METRICS_PORT} of {name}", free_port()))
        return str(self.ports.get(value, value))

    def translate(self, name: str, text: str) -> str:
        """From the world of a container to this machine's."""
        text = text.replace("database:5432", f"127.0.0.1:{self.cluster.port}")
        text = text.replace("broker:8883", f"localhost:{self.ports['8883']}")
        text = text.replace("0.0.0.0:8090", f"127.0.0.1:{self.ports['8090']}")
        text = text.replace("-p 1883", f"-p {self.ports['1883']}")
        text = text.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced
        places = self._places(name)
        targets = "|".join(re.escape(target) for target in places)
        whole = rf"(?<![\w.-])({targets})(?=/|$|[^\w.-])"
        return re.sub(whole, lambda found: str(places[found[1]]), text)

    def _places(self, name: str) -> dict[str, Path]:
        """Of a container's paths: its own, and those of the one tree that all see parts of."""
        places = {STATE: self.tree, "/tmp": self.folder / "tmp" / name}
        for mount in self.services[name].mounts:
            if not mount.target.startswith(STATE):
                places[mount.target] = self.host_path(mount)
        return dict(sorted(places.items(), key=lambda item: -len(item[0])))

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def host_path(self, mount: Mount) -> Path:
        if mount.is_volume:
            return self.folder / "volumes" / mount.source
        return ROOT / mount.source

    def down(self) -> dict[str, int]:
        """Exit codes; each stops before what it needs, within its grace time."""
        codes = {}
        for name in reversed(self.processes):
            process = self.processes[name]
            if process.code is None:
                said = self.services[name].document.get("stop_signal", "SIGTERM")
                seconds = self.services[name].stop_seconds
                codes[name] = process.stop(signal.Signals[said], seconds)
        return codes

    def kill(self) -> None:
        for process in reversed(self.processes.values()):
            process.kill()


@contextmanager
def compose_run(image: Image) -> Iterator[ComposeRun]:
    """Not started; with the profile demo. Whatever still runs at the end is killed."""
    folder = Path(tempfile.mkdtemp(prefix="alatau-compose-", dir="/tmp"))
    folder.chmod(0o755)
    with server_folder("cpg") as place:
        cluster = PostgresCluster(place, place, free_port(), server_user(), FAST)
        services = {n: s for n, s in read_services({}).items() if n not in NOT_HERE}
        ports = {port: free_port() for port in ("1883", "8883", "8884", "8080", "8090")}
        run = ComposeRun(image, folder, cluster, services, ports)
        _make_places(run)
        try:
            yield run
        finally:
            run.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _make_places(run: ComposeRun) -> None:
    """Temporary folders are each container's own; a volume is at one place of the tree for all who mount it there."""
    for name in ("logs", "workdir", "volumes", "tmp", "tree/share"):
        (run.folder / name).mkdir(parents=True)
    for service in run.services.values():
        own = run.folder / "tmp" / service.name
        own.mkdir()
        own.chmod(0o1777)
        for mount in service.mounts:
            if mount.is_volume:
                _make_volume(run, mount)


def _make_volume(run: ComposeRun, mount: Mount) -> None:
    """As an engine does with an empty volume: owner and mode of the image's folder that it is mounted over."""
    volume = run.host_path(mount)
    volume.mkdir(exist_ok=True)
    if not mount.target.startswith(STATE):
        return
    made = (run.image.folder / mount.target.lstrip("/")).stat()
    os.chown(volume, made.st_uid, made.st_gid)
    volume.chmod(stat.S_IMODE(made.st_mode))
    link = run.tree / Path(mount.target).relative_to(STATE)
    if not link.exists():
        link.symlink_to(volume)
    assert link.resolve() == volume, f"two volumes at {mount.target}"
