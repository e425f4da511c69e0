"""A foreign client that knocks at the broker's listeners with bare sockets, and tells how it was received."""

import datetime as dt
import socket
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.core.authority import (
    Authority,
    new_key,
    private_pem,
    sign_device,
)
from services.core.clock import SystemClock

PATIENCE: Final = 5.0
ACCEPTED: Final = 0x00
NOT_AUTHORISED: Final = 0x87  # MQTT 5: for publish, subscribe and connect alike
_NOBODY_LISTENS: Final = 0x10
_PUBACK, _SUBACK, _CONNACK = 0x40, 0x90, 0x20


@dataclass
class Caller:
    """Speaks MQTT 5, one packet after the other."""

    stream: socket.socket
    _buffer: bytearray = field(default_factory=bytearray)

    def connect(self, client_id: str, user: str = "", secret: str | None = None) -> int:
        """The reason code of the CONNACK; a broker that hangs up without one raises OSError."""
        flags = 0x02 | (0x80 if user else 0) | (0x40 if secret is not None else 0)
        body = _text("MQTT") + bytes([5, flags, 0, 60, 0]) + _text(client_id)
        body += _text(user) if user else b""
        body += _text(secret) if secret is not None else b""
        self.send(0x10, body)
        kind, answer = self.packet()
        assert kind == _CONNACK
        return answer[1]

    def publish(self, topic: str, payload: bytes = b"{}") -> int:
        """The reason code of the PUBACK; that nobody has subscribed counts as success."""
        self.send(0x32, _text(topic) + b"\x00\x01\x00" + payload)
        kind, answer = self.packet()
        assert kind == _PUBACK
        code = answer[2] if len(answer) > 2 else ACCEPTED
        return ACCEPTED if code == _NOBODY_LISTENS else code

    def subscribe(self, pattern: str) -> int:
        """The reason code of the SUBACK."""
        self.send(0x82, b"\x00\x02\x00" + _text(pattern) + b"\x01")
        kind, answer = self.packet()
        assert kind == _SUBACK
        return answer[-1]

    def send(self, kind: int, body: bytes) -> None:
        self.stream.sendall(bytes([kind]) + _length(len(body)) + body)

    def packet(self) -> tuple[int, bytes]:
        """(kind, body) of the next packet.

        Raises:
            OSError: the broker has hung up, or says nothing.
        """
        head, length, shift = self._take(1)[0], 0, 0
        while (digit := self._take(1)[0]) & 0x80:
            length |= (digit & 0x7F) << shift
            shift += 7
        return head & 0xF0, self._take(length | digit << shift)

    def is_put_out(self, seconds: float = PATIENCE) -> bool:
        """Whether the broker ends the connection within so many seconds."""
        self.stream.settimeout(seconds)
        try:
            while self.stream.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        self.stream.close()

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            received = self.stream.recv(4096)
            if not received:
                raise ConnectionResetError("the broker hung up")
            self._buffer += received
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def call(
    port: int,
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    session: ssl.SSLSession | None = None,
) -> Caller:
    """context: none for the listener without TLS. session: to be resumed, if the broker will."""
    stream = socket.create_connection((host, port), PATIENCE)
    stream.settimeout(PATIENCE)
    if context is None:
        return Caller(stream)
    secured = context.wrap_socket(stream, server_hostname="localhost", session=session)
    return Caller(secured)


def believing(authority: Authority, pair: Path | None = None) -> ssl.SSLContext:
    """pair: key and certificate that we show."""
    context = ssl.create_default_context(cadata=authority.pem.decode())
    if pair is not None:
        context.load_cert_chain(pair)
    return context


def device_pair(
    folder: Path, authority: Authority, device: str, *, days: int = 1, age: int = 0
) -> Path:
    """Key and certificate in one file; age: days that its beginning lies back."""
    begins = SystemClock().now() - dt.timedelta(days=age)
    key = new_key()
    life = dt.timedelta(days=days)
    issued = sign_device(authority, device, key.public_key(), begins, life)
    path = folder / f"{device}-{issued.serial[:8]}.pem"
    path.write_bytes(private_pem(key) + issued.pem)
    return path


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def _length(count: int) -> bytes:
    spelled = bytearray()
    while True:
        count, digit = divmod(count, 128)
        spelled.append(digit | (0x80 if count else 0))
        if not count:
            return bytes(spelled)
