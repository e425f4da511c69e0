"""Which database and broker an installation uses, its own or given ones, and how each service reaches them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from deploy.native.home import Home, Ports
from deploy.native.mosquitto import DeviceListener, Mosquitto, TlsListeners
from deploy.native.postgres import PostgresCluster, machine_memory, tuned_settings
from deploy.native.roles import DATABASE, secret_name
from deploy.native.secret_files import Places, socket_url, write_urls

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Servers:
    """cluster, mosquitto: None where ALATAU_DATABASE_URL or ALATAU_BROKER_URL names a server of one's own."""

    home: Home
    cluster: PostgresCluster | None
    mosquitto: Mosquitto | None
    given_database_url: str
    given_broker_url: str
    given_device_broker_url: str

    def service_dsn(self, role: str) -> str:
        if self.cluster is None:
            return self.given_database_url
        secret = self.home.secrets.get(secret_name(role))
        return self.cluster.socket_dsn(DATABASE, role, secret)

    def dsn(self, role: str) -> str:
        """For people and their tools, over TCP."""
        if self.cluster is None:
            return self.given_database_url
        secret = self.home.secrets.get(secret_name(role))
        return self.cluster.dsn(DATABASE, role, secret)

    def service_broker_url(self) -> str:
        if self.mosquitto is None:
            return self.given_broker_url
        return socket_url(self.home.secrets, self.mosquitto.socket_path)

    def device_broker_url(self) -> str:
        if self.mosquitto is None:
            return self.given_device_broker_url
        listener = self.mosquitto.devices
        return f"mqtt://{listener.host}:{listener.port}"

    def tls_urls(self) -> dict[str, str]:
        """As clients on this machine reach the listeners with TLS; none for a broker of one's own."""
        if self.mosquitto is None or self.mosquitto.tls is None:
            return {}
        listeners = self.mosquitto.tls
        host = called(listeners.host)
        return {
            "mqtts": f"mqtts://{host}:{listeners.password_port}",
            "mqtts_certificate": f"mqtts://{host}:{listeners.certificate_port}",
        }

    def write_urls(self) -> None:
        places = Places(self.service_dsn, self.dsn, self.service_broker_url())
        write_urls(self.home.secrets, places)


def choose_servers(home: Home, ports: Ports, environment: Mapping[str, str]) -> Servers:
    database = environment.get("ALATAU_DATABASE_URL", "")
    broker = environment.get("ALATAU_BROKER_URL", "")
    devices = environment.get("ALATAU_DEVICE_BROKER_URL", "") or without_user(broker)
    bind = environment.get("ALATAU_MQTT_BIND") or LOOPBACK
    sockets = home.sockets()
    return Servers(
        home,
        None if database else _private_cluster(home, ports),
        None
        if broker
        else Mosquitto(
            home.broker,
            sockets / "mqtt.sock",
            DeviceListener(LOOPBACK, ports.mqtt),
            tls=TlsListeners(bind, ports.mqtts, ports.mutual_mqtts),
        ),
        database,
        broker,
        devices,
    )


def called(bind: str) -> str:
    """A name for a listener, as a URL has it: one that stands in its certificate."""
    if bind in {"0.0.0.0", LOOPBACK, "::", "::1"}:  # noqa: S104 - compared only
        return "localhost"
    return f"[{bind}]" if ":" in bind else bind


def without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _private_cluster(home: Home, ports: Ports) -> PostgresCluster:
    memory = int(os.environ.get("ALATAU_MEMORY_BYTES") or machine_memory())
    settings = tuned_settings(memory)
    return PostgresCluster(
        home.postgres, home.sockets(), ports.database, None, settings
    )
