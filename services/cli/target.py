"""Which installation a command speaks to: the environment's, or the one in a home folder on this machine."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from services.core.storage.pool import Connection

T = TypeVar("T")

OWNER_DSN_FILE: Final = (
    "secrets/owner.dsn"  # written by `alatau up`, readable by the home's owner
)
_SYSTEM_HOME: Final = Path("/var/lib/alatau")
_CHECKOUT_HOME: Final = Path(__file__).parents[2] / ".alatau"

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="ALATAU_HOME",
        help="The installation's folder.",
        show_default=".alatau",
    ),
]


class NoInstallationError(ConfigurationError):
    """No installation was found on this machine."""

    remedy = "Start one with `alatau up`, name its folder with --home, or set ALATAU_DATABASE_URL."


def database_url(home: Path | None) -> str:
    """ALATAU_DATABASE_URL (file:PATH reads it from there), else the owner's DSN of the home folder.

    Raises:
        NoInstallationError: neither is there, or the folder belongs to somebody else.
    """
    if url := os.environ.get("ALATAU_DATABASE_URL"):
        from services.core.settings import read_file_url

        return read_file_url(url)
    return home_secret(home, OWNER_DSN_FILE)


def home_secret(home: Path | None, file: str) -> str:
    """What a file of the home folder says; file: its path from there.

    Raises:
        NoInstallationError: there is none, or the folder belongs to somebody else.
    """
    places = [home] if home else [_CHECKOUT_HOME, _SYSTEM_HOME]
    for place in places:
        try:
            return (place / file).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise NoInstallationError(
                f"{place} belongs to another user; run this as root or as its owner."
            ) from error
    raise NoInstallationError


def on_database(home: Path | None, work: "Callable[[Connection], Awaitable[T]]") -> T:
    """What work(connection) gives, on one connection to that installation's database.

    Raises:
        NoInstallationError, StorageUnavailableError: there is none, or it does not answer.
    """
    from services.core.storage.pool import connect

    dsn = database_url(home)

    async def run() -> T:
        connection = await connect(dsn, "cli")
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())
