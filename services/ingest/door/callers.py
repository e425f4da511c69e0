"""Who may send for a publisher: by its own secret, or by a signature with its webhook secret."""

import asyncio
import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from services.core.broker.passwords import verify_secret
from services.core.city.ids import is_device_id
from services.core.clock import Clock
from services.core.throttle import Throttle
from services.ingest.door.problems import (
    DoorError,
    ForeignPublisherError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from services.ingest.door.shares import Owner

SIGNATURE_HEADER: Final = "x-signature-256"
_SIGNATURE_PREFIX: Final = "sha256="
_MOST_REMEMBERED: Final = 20_000
_MOST_SIGNERS: Final = 100  # addresses of one publisher
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
    """revision: of the registry, when it was asked for. digest: of the secret that proved right, by a key of this process.

    signers: addresses from which a signature proved right.
    """

    proofs: Proofs
    revision: int
    digest: bytes = b""
    signers: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who says to have signed a body that is not read yet. is_known: a signature from there was right before."""

    publisher: str
    address: str
    is_known: bool
    keys: Sequence[str]

    @property
    def owner(self) -> Owner:
        """Of what is read."""
        name = self.publisher if self.is_known else _place(self.publisher, self.address)
        return Owner(name, self.is_known)


class Callers:
    """Remembers who showed what, until the registry changes: a secret's hash is dear to compute.

    load: what the database says of a publisher now; what it raises, its callers raise. revision: the registry's, looked
    at every second, so that a revoked secret ends within two.
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
        self._loads: dict[str, asyncio.Task[_Known]] = {}
        self._wrong = Throttle(_WRONG_AT_ONCE, _WRONG_SECONDS)

    async def admit(self, publisher: str, shown: Secret, address: str) -> None:
        """Raises UnauthenticatedError, ForeignPublisherError, TooManyRequestsError."""
        user = publisher if shown.user is None else shown.user
        if not is_device_id(user):
            raise UnauthenticatedError
        known = await self._look_up(user, address)
        digest = hmac.digest(self._key, shown.secret.encode(), "sha256")
        if not hmac.compare_digest(known.digest, digest):
            if user in self._loads:
                known = await self._read(user)  # perhaps for the same new secret
            if not hmac.compare_digest(known.digest, digest):
                known = await self._prove(user, shown.secret, address, known)
                known.digest = digest
        if user != publisher:
            raise ForeignPublisherError

    async def _prove(
        self, user: str, secret: str, address: str, known: _Known
    ) -> _Known:
        with self._at_stake(user, address):
            if not _is_secret(secret, known.proofs):
                # Perhaps it has just been given a new one.
                known = await self._read(user)
                if not _is_secret(secret, known.proofs):
                    raise UnauthenticatedError
            return known

    async def expect_signature(self, publisher: str, address: str) -> Signer:
        """Before a body of this publisher is read.

        Raises:
            UnauthenticatedError: it signs none. TooManyRequestsError
        """
        known = await self._look_up(publisher, address)
        is_known = address in known.signers
        if not is_known:
            with self._at_stake(publisher, address):
                if not known.proofs.webhook_secrets:
                    raise UnauthenticatedError
        return Signer(publisher, address, is_known, known.proofs.webhook_secrets)

    @contextmanager
    def judging(self, signer: Signer) -> Iterator[None]:
        """While its body is read and checked: one that proves nothing costs as much as a wrong secret.

        Not before, as for a secret: a network server sends dozens of bodies at once, and none of them twice.
        """
        try:
            yield
        except TooManyRequestsError:
            raise
        except DoorError:
            self._spend(signer.publisher, signer.address)
            raise

    def check_signature(self, signer: Signer, shown: Signature, body: bytes) -> None:
        """Raises UnauthenticatedError."""
        digest = shown.digest.encode()
        expected = [
            hmac.new(key.encode(), body, "sha256").hexdigest() for key in signer.keys
        ]
        if not any(hmac.compare_digest(one.encode(), digest) for one in expected):
            raise UnauthenticatedError("The signature is not that of this body.")
        known = self._known.get(signer.publisher)
        if known is not None and len(known.signers) < _MOST_SIGNERS:
            known.signers.add(signer.address)

    async def _look_up(self, publisher: str, address: str) -> _Known:
        known = self._known.get(publisher)
        if known is None and publisher not in self._loads:
            # A stranger's question is as dear as a wrong secret.
            with self._at_stake(publisher, address):
                known = await self._read(publisher)
        while known is None or known.revision != self._revision():
            known = await self._read(publisher)
        return known

    async def _read(self, publisher: str) -> _Known:
        """What the database says now; all who ask at the same time share the answer."""
        load = self._loads.get(publisher)
        if load is None:
            load = asyncio.create_task(self._ask(publisher), name="door.proofs")
            self._loads[publisher] = load
            load.add_done_callback(lambda done: self._end_load(publisher, done))
        return await asyncio.shield(load)

    def _end_load(self, publisher: str, load: asyncio.Task[_Known]) -> None:
        del self._loads[publisher]
        if not load.cancelled():
            load.exception()  # seen: who asked may have gone

    async def _ask(self, publisher: str) -> _Known:
        """What is known stays until the answer is there."""
        revision = self._revision()
        proofs = await self._load(publisher)
        former = self._known.pop(publisher, None)
        if not proofs.secret_hashes:
            raise UnauthenticatedError
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        found = self._known[publisher] = _Known(proofs, revision)
        if former is not None and former.proofs == proofs:
            found.digest, found.signers = former.digest, former.signers
        return found

    @contextmanager
    def _at_stake(self, publisher: str, address: str) -> Iterator[None]:
        """One of the allowance, which a wrong proof costs; a database that is away does not."""
        self._spend(publisher, address)
        is_wrong = False
        try:
            yield
        except UnauthenticatedError:
            is_wrong = True
            raise
        finally:
            if not is_wrong:
                self._wrong.refund(_place(publisher, address))

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
