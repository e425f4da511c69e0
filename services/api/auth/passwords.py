"""Passwords (argon2id) and session tokens (256 random bits, kept as their SHA-256)."""

import asyncio
import hashlib
import secrets
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError

SHORTEST_PASSWORD: Final = 12
_hasher = PasswordHash.recommended()


class Passwords:
    """Each hash takes a tenth of a second and 64 MiB: in a thread, two at a time."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(2)
        self._decoy: str | None = None

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password; without a hash it takes as long, and is not."""
        async with self._places:
            return await asyncio.to_thread(self._verify, password, password_hash)

    def _verify(self, password: str, password_hash: str | None) -> bool:
        if self._decoy is None:
            self._decoy = _hasher.hash(secrets.token_urlsafe())
        try:
            same = _hasher.verify(password, password_hash or self._decoy)
        except PwdlibError:
            return False
        return same and password_hash is not None


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def new_password() -> str:
    """Random, 120 bits, easy to copy."""
    return secrets.token_hex(15)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
