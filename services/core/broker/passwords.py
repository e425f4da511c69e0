"""Secrets of publishers and their hashes as Mosquitto's password file has them."""

import base64
import hashlib
import hmac
import secrets

# The secrets are 256 random bits, so stretching adds nothing and would slow every reconnect.
ITERATIONS = 101
_SALT_BYTES = 12
_KIND = "7"


def new_secret() -> str:
    """256 random bits, without characters that need quoting."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str, salt: bytes | None = None) -> str:
    """`$7$iterations$salt$hash`: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"${_KIND}${ITERATIONS}${_base64(salt)}${_base64(digest)}"


def verify_secret(secret: str, stored: str) -> bool:
    """False also for a hash of a kind that this platform does not write."""
    match stored.split("$"):
        case ["", kind, iterations, salt, expected] if kind == _KIND:
            digest = hashlib.pbkdf2_hmac(
                "sha512", secret.encode(), base64.b64decode(salt), int(iterations)
            )
            return hmac.compare_digest(digest, base64.b64decode(expected))
        case _:
            return False


def password_line(username: str, secret_hash: str) -> str:
    """One line of the password file.

    Raises:
        ValueError: the name would break the file.
    """
    if not username or ":" in username or not username.isprintable():
        raise ValueError(f"not a user name for the broker: {username!r}")
    return f"{username}:{secret_hash}\n"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
