"""The certificate authority of an installation, and the broker's own certificate: made, renewed, or taken from you."""

import datetime as dt
import socket
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from deploy.native.broker_files import BrokerFiles
from deploy.native.home import Secrets
from services.core.authority import (
    RENEW_BEFORE,
    Authority,
    CertificateError,
    has_signed,
    load_authority,
    names_of,
    new_authority,
    read_server_pair,
    sign_server,
)
from services.core.clock import Clock
from services.core.errors import ConfigurationError

log = structlog.get_logger()

AUTHORITY = "ca.pem"
AUTHORITY_KEY = "ca.key"
ALWAYS_CALLED = ("localhost", "127.0.0.1", "::1")


class NoAuthorityError(ConfigurationError):
    """There is no certificate authority here."""

    remedy = "`alatau up` and `alatau secrets` make one; ALATAU_AUTHORITY_DIR says where ca.pem and ca.key are."


def ensure_authority(secrets: Secrets, now: dt.datetime) -> None:
    """The key first: a certificate without its key could never be used."""
    if not secrets.path(AUTHORITY).exists():
        authority = new_authority(now)
        secrets.put(AUTHORITY_KEY, authority.key_pem.decode().strip())
        secrets.put(AUTHORITY, authority.pem.decode().strip())


def read_authority(folder: Path) -> Authority:
    """Raises NoAuthorityError: key or certificate is missing; CertificateError: they do not fit."""
    try:
        key = (folder / AUTHORITY_KEY).read_bytes()
        return load_authority(key, (folder / AUTHORITY).read_bytes())
    except FileNotFoundError as error:
        raise NoAuthorityError(f"{error.filename} is missing.") from error


@dataclass(frozen=True)
class OwnPair:
    """A certificate chain of your own and its key, as files that whoever renews them writes."""

    certificate: Path
    key: Path


@dataclass
class ServerCertificate:
    """Keeps the broker's `server.pem`. names: what the broker is called besides localhost and the machine's name."""

    files: BrokerFiles
    authority: Authority
    clock: Clock
    names: tuple[str, ...] = ()
    own: OwnPair | None = None
    _complaint: str = field(default="", init=False)

    def look(self) -> bool:
        """Write it if it is missing, nearly over or another one is wanted; whether the broker must read it anew."""
        self.files.write("ca.pem", self.authority.pem)
        if self.own is None:
            return self._keep_signed()
        try:
            pem = self.own.key.read_bytes() + self.own.certificate.read_bytes()
            read_server_pair(pem)
        except (OSError, CertificateError) as error:
            self._complain(str(error))
            return self._keep_something()
        self._complaint = ""
        return self.files.write("server.pem", pem)

    def _keep_signed(self) -> bool:
        if self._is_good():
            return False
        pem = b"".join(sign_server(self.authority, self._called(), self.clock.now()))
        log.info("the broker has a new certificate", action="server_certificate")
        return self.files.write("server.pem", pem)

    def _keep_something(self) -> bool:
        """Half-written files of a renewal must not take the broker's certificate away, nor keep it from starting."""
        return self.files.read("server.pem") is None and self._keep_signed()

    def _is_good(self) -> bool:
        try:
            kept = read_server_pair(self.files.read("server.pem") or b"")
        except CertificateError:
            return False
        ends = kept.not_valid_after_utc - self.clock.now()
        ours = has_signed(self.authority, kept)
        return ours and ends > RENEW_BEFORE and names_of(kept) >= set(self._called())

    def _called(self) -> list[str]:
        named = (*self.names, *ALWAYS_CALLED, socket.gethostname())
        return list(dict.fromkeys(name for name in named if name))

    def _complain(self, why: str) -> None:
        """Once for each trouble, not every second."""
        if why != self._complaint:
            self._complaint = why
            log.error(
                "the certificate given for the broker cannot be used; the last good one stays",
                action="server_certificate",
                error=why,
            )
