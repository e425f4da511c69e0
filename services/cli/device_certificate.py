"""`alatau devices certificate`: a certificate by which a publisher is known, instead of a secret or beside it."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.ca import find_authority
from services.cli.device_secrets import ACTOR, write_private
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.authority import Issued
    from services.core.storage.pool import Connection


def certify_device(
    key: Annotated[str, typer.Argument(help="The device id.")],
    request: Annotated[
        Path | None,
        typer.Option(
            "--csr",
            help="Sign this request (PEM): the device's key never leaves it. Without it a key is made here.",
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="How long it is valid.")
    ] = 397,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write it here, with the key readable by you alone."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Give a publisher a certificate (PEM); a key made here is shown once.

    Others that it has stay valid, so that it can be renewed without a break.
    """
    from services.core.clock import SystemClock

    now = SystemClock().now()
    key_pem, issued = _sign(home, key, request, (now, dt.timedelta(days=days)))
    text = (key_pem + issued.pem).decode()
    _record(home, key, issued, text if out else "", out, now)
    if out is None:
        typer.echo(text, nl=False)
    typer.echo(f"{key}: certificate {issued.serial}, valid until {issued.not_after:%Y-%m-%d}", err=True)  # fmt: skip


def _sign(
    home: Path | None,
    device: str,
    request: Path | None,
    span: tuple[dt.datetime, dt.timedelta],
) -> "tuple[bytes, Issued]":
    from services.core.authority import (
        new_key,
        private_pem,
        read_request,
        sign_device,
    )

    authority = find_authority(home)
    if request is not None:
        asked = read_request(_read(request))
        return b"", sign_device(authority, device, asked, *span)
    made = new_key()
    return private_pem(made), sign_device(authority, device, made.public_key(), *span)


def _record(
    home: Path | None,
    device: str,
    issued: "Issued",
    text: str,
    out: Path | None,
    now: dt.datetime,
) -> None:
    """It is in its file before the registry has it, and nowhere when either fails."""
    from services.core.storage.certificates import record_certificate

    async def work(connection: "Connection") -> None:
        async with connection.transaction():
            await record_certificate(connection, device, issued, actor=ACTOR, now=now)
            if out is not None:
                write_private(text, out)

    on_database(home, work)


def _read(path: Path) -> bytes:
    from services.core.authority import CertificateError

    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: {error.strerror}") from error
