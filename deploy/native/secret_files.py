"""The files that hold URLs and secrets, and which program may see which of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deploy.native.certificates import AUTHORITY, AUTHORITY_KEY, ensure_authority
from deploy.native.home import Secrets
from deploy.native.postgres import SUPERUSER
from deploy.native.roles import (
    DATABASE,
    GRAFANA,
    OWNER,
    READER,
    ROLE_OF_SERVICE,
    SUPERUSER_SECRET,
    secret_name,
)
from services.core.broker import users
from services.core.clock import SystemClock

BROKER_SECRET = "broker-ingest"  # noqa: S105 - a file's name
SUPERUSER_DSN = "superuser.dsn"
GRAFANA_ADMIN = "grafana-admin"
# For each program that runs apart from the others: the files it gets. A folder without a program here gets none.
FILES_OF = {
    "database": (SUPERUSER_SECRET,),
    "migrate": ("owner.dsn", AUTHORITY, AUTHORITY_KEY),
    "ingest": ("ingest.dsn", "broker.url"),
    "rules": ("rules.dsn",),
    "history": ("history.dsn",),
    "api": ("api.dsn",),
    "broker-door": ("broker-door.dsn", BROKER_SECRET, AUTHORITY, AUTHORITY_KEY),
    "grafana": (GRAFANA_ADMIN, secret_name(GRAFANA)),
}


@dataclass(frozen=True)
class Places:
    """service, people: from a role to its DSN; people go over TCP, services perhaps by a socket."""

    service: Callable[[str], str]
    people: Callable[[str], str]
    broker_url: str


def at_address(secrets: Secrets, database: str, broker_socket: Path) -> Places:
    """For servers that others run. database: host:port."""

    def dsn(role: str) -> str:
        return _dsn(role, secrets.get(secret_name(role)), database, DATABASE)

    return Places(dsn, dsn, socket_url(secrets, broker_socket))


def superuser_dsn(secrets: Secrets, database: str) -> str:
    return _dsn(SUPERUSER, secrets.get(SUPERUSER_SECRET), database, "postgres")


def socket_url(secrets: Secrets, broker_socket: Path) -> str:
    secret = quote(secrets.get(BROKER_SECRET), safe="")
    return f"unix://{users.INGEST}:{secret}@localhost{broker_socket}"


def write_urls(secrets: Secrets, places: Places) -> None:
    """Services and people read their URLs from files, so that no secret is in an environment or a process list.

    Beside them the certificate authority, made where there is none.
    """
    ensure_authority(secrets, SystemClock().now())
    secrets.put("owner.dsn", places.people(OWNER))
    secrets.put("reader.dsn", places.people(READER))
    secrets.put("grafana.dsn", places.people(GRAFANA))
    secrets.put("broker.url", places.broker_url)
    for service, role in ROLE_OF_SERVICE.items():
        secrets.put(f"{service}.dsn", places.service(role))


def hand_out(secrets: Secrets, share: Path) -> list[str]:
    """Into each folder of share that bears a program's name: this program's files; returns those programs.

    Anyone who reaches such a folder may read it: the program runs under a user of its own, and nothing else has
    the folder mounted.
    """
    served = [name for name in FILES_OF if (share / name).is_dir()]
    for name in served:
        for file in FILES_OF[name]:
            Secrets(share / name).put(file, secrets.get(file)).chmod(0o444)
    return served


def _dsn(user: str, secret: str, address: str, database: str) -> str:
    return f"postgresql://{user}:{quote(secret, safe='')}@{address}/{database}"
