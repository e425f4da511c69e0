"""`alatau secrets`: makes an installation's secrets where no supervisor of ours does (containers, systemd)."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("secrets", hidden=True)(make_secrets)


def make_secrets(
    folder: Annotated[
        Path, typer.Option(envvar="ALATAU_SECRETS_DIR", help="Where they are kept.")
    ],
    database: Annotated[
        str,
        typer.Option(envvar="ALATAU_DATABASE_ADDRESS", help="HOST:PORT of PostgreSQL."),
    ],
    broker_socket: Annotated[
        Path,
        typer.Option(envvar="ALATAU_BROKER_SOCKET", help="The services' listener."),
    ],
    share: Annotated[
        Path | None,
        typer.Option(
            envvar="ALATAU_SECRETS_SHARE",
            help="Holds a folder for each program that gets its own files and no others.",
        ),
    ] = None,
) -> None:
    """Make what is missing; what there is stays, so it is safe to run again. Prints no secret."""
    from deploy.native.home import Secrets
    from deploy.native.secret_files import (
        SUPERUSER_DSN,
        at_address,
        hand_out,
        superuser_dsn,
        write_urls,
    )

    secrets = Secrets(folder)
    secrets.put(SUPERUSER_DSN, superuser_dsn(secrets, database))
    write_urls(secrets, at_address(secrets, database, broker_socket))
    served = hand_out(secrets, share) if share else []
    typer.echo(f"secrets: in {folder}")
    if served:
        typer.echo(f"handed to: {', '.join(served)}")
