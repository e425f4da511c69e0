"""How a client reaches the broker and what it asks of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from services.core.errors import ConfigurationError

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Will:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """For mqtts. authority: whom to believe instead of the machine's own; certificate and key: who we are, if asked."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """url: as parse_url reads it. client_id: without one, the URL's user name.

    rest: seconds without a look at the socket after each, so that many messages come at once when there are many.
    most_undelivered_bytes: of messages that receive() has not given out yet; beyond, the socket is not read.
    send_buffer: bytes that may wait in the socket; None: as many as the system likes.
    Pauses between attempts to connect are in seconds. secret: asked for at each of them, instead of the URL's.
    """

    url: str
    client_id: str = ""
    clean_session: bool = True
    keepalive: int = 30
    will: Will | None = None
    max_inflight: int = 1000
    manual_ack: bool = False
    most_undelivered_bytes: int = 64_000_000
    rest: float = 0.0
    send_buffer: int | None = None
    shortest_pause: float = 0.2
    longest_pause: float = 10.0
    fresh_will: Callable[[], Will | None] | None = None  # asked for at each connect
    trust: Trust = Trust()
    secret: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's URL, taken apart. host: of a UNIX socket, its path."""

    scheme: str
    host: str
    port: int
    user: str
    secret: str | None


def parse_url(url: str) -> Address:
    """mqtt://user:secret@host:port, mqtts://…, unix://user:secret@localhost/path/to/socket.

    Raises:
        ConfigurationError: it is none of these.
    """
    parts = urlsplit(url)
    if parts.scheme not in (*_PORTS, "unix"):
        raise ConfigurationError(f"a broker's URL cannot begin with {parts.scheme!r}")
    local = parts.scheme == "unix"
    return Address(
        parts.scheme,
        unquote(parts.path) if local else parts.hostname or "127.0.0.1",
        0 if local else parts.port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        None if parts.password is None else unquote(parts.password),
    )


def as_user(url: str, user: str) -> str:
    """The same broker by the same secret, under another name."""
    parts = urlsplit(url)
    named, at, place = parts.netloc.rpartition("@")
    _, colon, secret = named.partition(":")
    netloc = f"{quote(user, safe='')}{colon}{secret}{at or '@'}{place}"
    return urlunsplit(parts._replace(netloc=netloc))
