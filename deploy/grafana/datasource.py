"""The data source: what Grafana is told of a PostgreSQL that a DSN names."""

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

from deploy.grafana.build_panel import DATASOURCE_TYPE, DATASOURCE_UID
from services.core.errors import ConfigurationError

NAME: Final = "Alatau"
PORT: Final = 5432
# Grafana speaks the newer protocol features from here on; every PostgreSQL we run on has them.
POSTGRES_VERSION: Final = 1500
SSL_MODES: Final = ("disable", "require", "verify-ca", "verify-full")


class DatabaseUrlError(ConfigurationError):
    """The database's URL cannot be used by Grafana."""

    remedy = "Give one like postgresql://alatau_grafana:PASSWORD@HOST:5432/alatau, with a host that Grafana reaches."


@dataclass(frozen=True, slots=True)
class Database:
    """As Grafana reaches it; its repr does not show the password."""

    address: str
    name: str
    user: str
    password: str
    ssl_mode: str

    @override
    def __repr__(self) -> str:
        return f"Database({self.user}@{self.address}/{self.name})"


def read_dsn(dsn: str) -> Database:
    """sslmode: of the DSN's query; disable where it says none and for prefer and allow, which Grafana has not.

    Raises:
        DatabaseUrlError: it is no PostgreSQL URL, or names a socket or no host.
    """
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgresql", "postgres") or not parts.username:
        raise DatabaseUrlError("This is no PostgreSQL URL with a user.")
    host = parts.hostname or ""
    if not host or "%2f" in host.lower():
        raise DatabaseUrlError("Grafana reaches databases over TCP only.")
    mode = parse_qs(parts.query).get("sslmode", ["disable"])[0]
    place = f"[{host}]" if ":" in host else host
    return Database(
        f"{place}:{parts.port or PORT}",
        parts.path.removeprefix("/"),
        unquote(parts.username),
        unquote(parts.password or ""),
        mode if mode in SSL_MODES else "disable",
    )


def at_address(database: Database, address: str) -> Database:
    """The same database, where Grafana reaches it: HOST or HOST:PORT."""
    has_port = address.rpartition("]")[2].count(":") == 1
    return replace(database, address=address if has_port else f"{address}:{PORT}")


def json_data(database: str, ssl_mode: str) -> dict[str, Any]:
    return {
        "database": database,
        "sslmode": ssl_mode,
        "postgresVersion": POSTGRES_VERSION,
        "timescaledb": True,
        "maxOpenConns": 8,
        "maxIdleConns": 4,
        "maxIdleConnsAuto": False,
        "connMaxLifetime": 3600,
    }


def datasource_json(database: Database) -> dict[str, Any]:
    """Without its password, which Grafana never gives back."""
    return {
        "name": NAME,
        "uid": DATASOURCE_UID,
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": database.address,
        "user": database.user,
        "jsonData": json_data(database.name, database.ssl_mode),
    }
