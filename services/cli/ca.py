"""`alatau ca`: the installation's certificate authority, by which devices know the broker and the broker devices."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.target import HomeOption, home_secret

if TYPE_CHECKING:
    from services.core.authority import Authority


def register(app: typer.Typer) -> None:
    ca = typer.Typer(
        help="The certificate authority: what devices need to believe the broker.",
        no_args_is_help=True,
    )
    ca.command("show")(show)
    ca.command("export")(export)
    app.add_typer(ca, name="ca")


def show(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """Its name, fingerprint and end."""
    from services.core.authority import describe_authority

    told = describe_authority(authority_file(home, "ca.pem").encode())
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, value in told.items():
        typer.echo(f"{name:<12} {value}")


def export(
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it here instead of printing it.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """The authority's certificate as PEM. It is no secret: every device may have it."""
    pem = authority_file(home, "ca.pem") + "\n"
    if out is None:
        typer.echo(pem, nl=False)
    else:
        out.write_text(pem, encoding="utf-8")


def authority_file(home: Path | None, name: str) -> str:
    """name: ca.pem or ca.key; from ALATAU_AUTHORITY_DIR, else of the home folder.

    Raises:
        NoInstallationError, NoAuthorityError: it is not there, or not for us.
    """
    from deploy.native.certificates import NoAuthorityError

    folder = os.environ.get("ALATAU_AUTHORITY_DIR")
    if not folder:
        return home_secret(home, f"secrets/{name}")
    try:
        return (Path(folder) / name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise NoAuthorityError(f"{error.filename}: {error.strerror}") from error


def find_authority(home: Path | None) -> "Authority":
    """To sign with.

    Raises:
        NoInstallationError, NoAuthorityError, CertificateError
    """
    from services.core.authority import load_authority

    key, pem = (authority_file(home, name) for name in ("ca.key", "ca.pem"))
    return load_authority(key.encode(), pem.encode())
