"""Who may send for a publisher: by its own secret, or by a signature with its webhook secret."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.broker.passwords import verify_secret
from services.core.city.ids import is_device_id
from services.core.clock import Clock
from services.core.throttle import Throttle
from services.ingest.door.problems import (
    ForeignPublisherError,
    TooManyRequestsError,
    UnauthenticatedError,
)

SIGNATURE_HEADER: Final = "x-signature-256"
_SIGNATURE_PREFIX: Final = "sha256="
_MOST_REMEMBERED: Final = 20_000
_WRONG_AT_ONCE: Final = 10
_WRONG_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a publisher may show. secret_hashes: as the broker's password file has them."""

    secret_hashes: Sequence[str] = ()
    webhook_secrets: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """user: None with Bearer, which names nobody."""

    user: str | None
    secret: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Over the body as it is sent; hexadecimal HMAC-SHA256."""

    digest: str


@dataclass(slots=True)
class _Known:
    """revision: of the registry, when it was read. digest: of the secret that proved right, by a key of this process."""

    proofs: Proofs
    revision: int
    digest: bytes = b""


class Callers:
    """Remembers who showed what, until the registry changes: a secret's hash is dear to compute.

    load: what the database says of a publisher now. revision: the registry's, looked at every second, so that
    a revoked secret ends within two.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[Proofs]],
        revision: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._load = load
        self._revision = revision
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: dict[str, _Known] = {}
        self._wrong = Throttle(_WRONG_AT_ONCE, _WRONG_SECONDS)

    async def admit(self, publisher: str, shown: Secret, address: str) -> None:
        """Raises UnauthenticatedError, ForeignPublisherError, TooManyRequestsError."""
        user = publisher if shown.user is None else shown.user
        if not is_device_id(user):
            raise UnauthenticatedError
        known = await self._look_up(user, address)
        digest = hmac.digest(self._key, shown.secret.encode(), "sha256")
        if not (known.digest and hmac.compare_digest(known.digest, digest)):
            self._spend(user, address)
            if not _is_secret(shown.secret, known.proofs):
                known = await self._read(
                    user
                )  # perhaps it has just been given a new one
                if not _is_secret(shown.secret, known.proofs):
                    raise UnauthenticatedError
            known.digest = digest
            self._wrong.refund(_place(user, address))
        if user != publisher:
            raise ForeignPublisherError

    async def expect_signature(self, publisher: str, address: str) -> Sequence[str]:
        """The secrets that a body of this publisher may be signed with, before it is read.

        Raises:
            UnauthenticatedError: there are none. TooManyRequestsError
        """
        known = await self._look_up(publisher, address)
        if not known.proofs.webhook_secrets:
            self._spend(publisher, address)
            raise UnauthenticatedError
        return known.proofs.webhook_secrets

    def check_signature(
        self,
        place: tuple[str, str],
        shown: Signature,
        keys: Sequence[str],
        body: bytes,
    ) -> None:
        """place: publisher and address. Raises UnauthenticatedError, TooManyRequestsError."""
        digest = shown.digest.encode()
        expected = [hmac.new(key.encode(), body, "sha256").hexdigest() for key in keys]
        if any(hmac.compare_digest(one.encode(), digest) for one in expected):
            return
        self._spend(*place)
        raise UnauthenticatedError("The signature is not that of this body.")

    async def _look_up(self, publisher: str, address: str) -> _Known:
        known = self._known.get(publisher)
        if known is None:
            # A stranger's question is as dear as a wrong secret.
            self._spend(publisher, address)
            known = await self._read(publisher)
            self._wrong.refund(_place(publisher, address))
        elif known.revision != self._revision():
            known = await self._read(publisher)
        return known

    async def _read(self, publisher: str) -> _Known:
        revision, former = self._revision(), self._known.pop(publisher, None)
        proofs = await self._load(publisher)
        if not proofs.secret_hashes:
            raise UnauthenticatedError
        same = former is not None and former.proofs == proofs
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        digest = former.digest if former is not None and same else b""
        found = self._known[publisher] = _Known(proofs, revision, digest)
        return found

    def _spend(self, publisher: str, address: str) -> None:
        answer = self._wrong.ask(_place(publisher, address), self._clock.monotonic())
        if not answer.allowed:
            raise TooManyRequestsError(
                "Too many wrong secrets from this address.",
                retry_after=answer.retry_after,
            )


def read_shown(headers: Mapping[str, str]) -> Secret | Signature:
    """What a request shows.

    Raises:
        UnauthenticatedError: nothing, or nothing of ours.
    """
    signature = headers.get(SIGNATURE_HEADER, "")
    if signature.startswith(_SIGNATURE_PREFIX):
        return Signature(signature.removeprefix(_SIGNATURE_PREFIX).lower())
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    shown = shown.strip()
    if scheme.lower() == "bearer" and shown:
        return Secret(None, shown)
    if scheme.lower() == "basic":
        return _basic(shown)
    raise UnauthenticatedError


def _basic(shown: str) -> Secret:
    try:
        pair = base64.b64decode(shown, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UnauthenticatedError from error
    user, _, secret = pair.partition(":")
    return Secret(user, secret)


def _is_secret(secret: str, proofs: Proofs) -> bool:
    return any(verify_secret(secret, stored) for stored in proofs.secret_hashes)


def _place(publisher: str, address: str) -> str:
    return f"{address} {publisher}"
