"""Settings of a service, from ALATAU_* in its environment; checked whole before anything is opened."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PostgresDsn, UrlConstraints, field_validator
from pydantic_core import Url
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BrokerUrl = Annotated[Url, UrlConstraints(allowed_schemes=["mqtt", "mqtts", "unix"])]


class Settings(BaseSettings):
    """Every service takes the same settings and uses what it needs."""

    model_config = SettingsConfigDict(
        env_prefix="ALATAU_", env_ignore_empty=True, frozen=True
    )

    database_url: PostgresDsn = Field(
        description="PostgreSQL with TimescaleDB, with the service's own role"
    )
    broker_url: BrokerUrl = Field(
        default=Url("mqtt://127.0.0.1:1883"),
        description="services' listener: unix:///path/to/socket or mqtt://user:secret@host:port",
    )
    device_broker_url: BrokerUrl = Field(
        default=Url("mqtt://127.0.0.1:1883"),
        description="devices' listener, as the simulator uses it",
    )
    api_host: str = Field(default="127.0.0.1", description="address the API listens on")
    api_port: int = Field(
        default=8080, ge=1, le=65535, description="port the API listens on"
    )
    door_bind: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):[0-9]{1,5}$",
        description="host:port of ingest's HTTPS door; none: closed",
    )
    door_certificate: Path | None = Field(
        default=None,
        description="PEM file with the door's certificate and its chain; none: plain HTTP, for a proxy with TLS before it",
    )
    door_key: Path | None = Field(
        default=None, description="PEM file with the certificate's private key"
    )
    metrics_port: int | None = Field(
        default=None,
        description="port for /metrics of ingest, rules, history; none: not served",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="address that /metrics is served on"
    )
    rejected_days: int = Field(
        default=30, ge=1, le=3650, description="days that refused messages are kept"
    )
    rejected_bytes: int = Field(
        default=2_000_000_000,
        ge=0,
        description="bytes of refused raw messages that are kept at most: the oldest of the loudest publisher go first",
    )
    # Gaps are asked for so often a day: that day must be there.
    command_days: int = Field(
        default=90,
        ge=2,
        le=3650,
        description="days that commands are kept after their answer or expiry",
    )
    log_format: str = Field(
        default="text",
        pattern="^(text|json)$",
        description="text for people, json for machines",
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    secrets_dir: Path | None = Field(
        default=None, description="folder of files that hold secrets, e.g. devices.csv"
    )
    authority_dir: Path | None = Field(
        default=None,
        description="folder of ca.pem and ca.key; unless set, the secrets'",
    )
    mqtt_names: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="names and addresses of the broker besides localhost and the machine's, with commas between",
    )
    mqtt_certificate: Path | None = Field(
        default=None, description="a certificate chain of your own for the broker"
    )
    mqtt_key: Path | None = Field(default=None, description="and its key")

    @field_validator("mqtt_names", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        return (
            tuple(value.replace(",", " ").split()) if isinstance(value, str) else value
        )

    @field_validator("database_url", "broker_url", "device_broker_url", mode="before")
    @classmethod
    def _read_secret_file(cls, value: object) -> object:
        return read_file_url(value) if isinstance(value, str) else value

    @property
    def dsn(self) -> str:
        return self.database_url.unicode_string()


def read_file_url(value: str) -> str:
    """`file:/run/secrets/url` reads the URL from a file, so that no secret is in the environment."""
    if value.startswith("file:"):
        return Path(value.removeprefix("file:")).read_text(encoding="utf-8").strip()
    return value


def load_settings() -> Settings:
    """Settings from the environment.

    Raises:
        pydantic.ValidationError: something is missing or wrong; it names each.
    """
    return Settings()
