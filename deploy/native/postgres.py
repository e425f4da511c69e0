"""A private PostgreSQL cluster with TimescaleDB under one folder."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

from deploy.native.child import child_command, give_to
from services.core.errors import PlatformError

SUPERUSER = "postgres"
BINARIES = Path("/usr/lib/postgresql")
EXTENSIONS = Path("/usr/share/postgresql")
GIGABYTE = 1024**3
SETTINGS_FILE = "alatau.conf"
PID_FILE_STATUS_LINE = 7


class ServerMissingError(PlatformError):
    """A server program is not on this machine."""

    remedy = "`make install` installs what is missing."


class DatabaseNotStartedError(PlatformError):
    """The private PostgreSQL cannot be made or started."""


def find_binaries() -> Path:
    """The newest PostgreSQL on this machine that has TimescaleDB."""
    versions = [
        control.parts[-3]
        for control in EXTENSIONS.glob("*/extension/timescaledb.control")
        if (BINARIES / control.parts[-3] / "bin/postgres").exists()
    ]
    if not versions:
        raise ServerMissingError("No PostgreSQL with TimescaleDB on this machine.")
    return BINARIES / max(versions, key=int) / "bin"


def tuned_settings(memory_bytes: int) -> dict[str, str]:
    """Settings for one machine that also runs everything else."""
    shared = max(128, min(memory_bytes // 4, 4 * GIGABYTE) // 1024**2)
    cached = max(256, memory_bytes // 2 // 1024**2)
    return {
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{cached}MB",
        "maintenance_work_mem": "256MB",
        "work_mem": "16MB",
        "max_connections": "100",
        "max_wal_size": "4GB",
        # A commit that needs a new file of the log waits until its 16 MB are written: up to 0.1 s. Old ones are kept instead.
        "min_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "lz4",
        # What is vacuumed lies in memory: by PostgreSQL's own pause of 2 ms, autovacuum takes half a processor for as long as it runs.
        "autovacuum_vacuum_cost_delay": "20ms",
        "random_page_cost": "1.1",
        "jit": "off",
        "password_encryption": "scram-sha-256",
        "log_checkpoints": "off",
        "log_min_duration_statement": "2s",
        # A forgotten transaction must not hold back vacuum and the log for ever.
        "idle_in_transaction_session_timeout": "5min",
    }


def machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


_ALWAYS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "default_toast_compression": "lz4",
    "max_locks_per_transaction": "256",  # every chunk and its index take one
    # Before it recovers from a crash it syncs all it has: one call, not one for each of thousands of files.
    "recovery_init_sync_method": "syncfs",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "cluster_name": "alatau",
}


@dataclass(frozen=True)
class PostgresCluster:
    folder: Path
    sockets: Path
    port: int
    run_as: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def is_initialised(self) -> bool:
        return self.data.exists()

    def init(self, password: str | None) -> None:
        """Make the cluster; without a password everyone on this machine is trusted (tests).

        The folder gets its name last, so an interrupted attempt counts as none.
        """
        draft, secret = self.folder / "data.draft", self.folder / "superuser-password"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--auth=trust", "--no-sync"]
        if password is not None:
            secret.touch(mode=0o600)
            secret.write_text(f"{password}\n", encoding="utf-8")
            give_to(secret, self.run_as)
            options = ["--auth=scram-sha-256", f"--pwfile={secret}"]
        places = [f"--pgdata={draft}", f"--username={SUPERUSER}"]
        language = ["--locale=C.UTF-8", "--encoding=UTF8", "--no-instructions"]
        try:
            self._run("initdb", *places, *language, *options)
        finally:
            secret.unlink(missing_ok=True)
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"include_if_exists '{SETTINGS_FILE}'\n")
        draft.rename(self.data)

    def write_settings(self) -> None:
        """Written anew at each start (the machine or this version may differ); ALTER SYSTEM still wins."""
        places = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }
        merged = {**_ALWAYS, **places, **self.settings}
        lines = [f"{name} = '{_quoted(value)}'" for name, value in merged.items()]
        conf = self.data / SETTINGS_FILE
        conf.write_text("\n".join([*lines, ""]), encoding="utf-8")
        give_to(conf, self.run_as)

    def command(self) -> list[str]:
        """The server in the foreground; SIGINT from its parent's death is a fast, clean shutdown."""
        server = [str(find_binaries() / "postgres"), "-D", str(self.data)]
        return child_command(server, death_signal="INT", run_as=self.run_as)

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - fixed command
            self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def is_ready(self, pid: int) -> bool:
        """Whether this very process takes connections, as pg_ctl sees it: by the pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        if len(lines) <= PID_FILE_STATUS_LINE or lines[0].strip() != str(pid):
            return False
        return lines[PID_FILE_STATUS_LINE].strip() == "ready"

    def drop_stale_pid_file(self) -> None:
        """After a crash another program may have the old number; PostgreSQL would refuse to start."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
        try:
            program = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except (FileNotFoundError, ProcessLookupError):
            program = ""
        if program != "postgres":
            pid_file.unlink(missing_ok=True)

    def wait_until_ready(
        self, server: subprocess.Popen[bytes], seconds: float = 30.0
    ) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_ready(server.pid):
            if server.poll() is not None:
                raise DatabaseNotStartedError(
                    f"PostgreSQL ended with {server.returncode} while starting."
                )
            if time.monotonic() > deadline:
                raise DatabaseNotStartedError(
                    f"PostgreSQL was not ready within {seconds:.0f} s."
                )
            time.sleep(0.02)

    def sql(
        self, statements: str, *, database: str = "postgres", password: str = ""
    ) -> str:
        """Run statements as the superuser; they go through stdin, so secrets show in no process list."""
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        place = ["-h", str(self.sockets), "-p", str(self.port)]
        who = ["-U", SUPERUSER, "-d", database]
        finished = subprocess.run(  # noqa: S603 - fixed command
            [str(find_binaries() / "psql"), *options, *place, *who],
            input=statements,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PGPASSWORD": password, "PGOPTIONS": ""},
        )
        if finished.returncode != 0:
            raise DatabaseNotStartedError(finished.stderr.strip())
        return finished.stdout.strip()

    def dsn(self, database: str, user: str = SUPERUSER, password: str = "") -> str:
        """A DSN over TCP loopback."""
        secret = f":{quote(password, safe='')}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def socket_dsn(
        self, database: str, user: str = SUPERUSER, password: str = ""
    ) -> str:
        """A DSN over the UNIX socket, in the form that libpq, asyncpg and pydantic all read."""
        secret = f":{quote(password, safe='')}" if password else ""
        place = quote(str(self.sockets), safe="")
        return f"postgresql://{user}{secret}@{place}:{self.port}/{database}"

    def _run(self, program: str, *options: str) -> None:
        command = child_command(
            [str(find_binaries() / program), *options],
            death_signal="KILL",
            run_as=self.run_as,
        )
        finished = subprocess.run(  # noqa: S603 - fixed command
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise DatabaseNotStartedError(
                f"{program} failed: {finished.stderr.strip()}"
            )


def _quoted(value: str) -> str:
    return value.replace("'", "''")
