"""`alatau db`: the database's schema and roles."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.cli.target import HomeOption, database_url


def register(app: typer.Typer) -> None:
    db = typer.Typer(help="The database's schema and roles.", no_args_is_help=True)
    db.command("migrate")(migrate_database)
    db.command("roles")(make_roles)
    app.add_typer(db, name="db")


def migrate_database(home: HomeOption = None) -> None:
    """Bring the database to this version's schema. Safe to run again."""
    from services.core.storage.migrate import migrate, schema_version

    dsn = database_url(home)

    async def run() -> tuple[str | None, str | None]:
        before, _ = await schema_version(dsn)
        await migrate(dsn)
        after, _ = await schema_version(dsn)
        return before, after

    before, after = asyncio.run(run())
    typer.echo(
        f"schema {before or 'empty'} → {after}"
        if before != after
        else f"schema {after}: nothing to do"
    )


def make_roles(
    secrets: Annotated[
        Path,
        typer.Option(
            envvar="ALATAU_SECRETS_DIR", help="Where `alatau secrets` wrote its files."
        ),
    ],
) -> None:
    """Make the database, and a role for each service with its password. Needs the superuser; safe to run again."""
    from deploy.native.home import Secrets
    from deploy.native.roles import DATABASE, ensure_roles
    from deploy.native.secret_files import SUPERUSER_DSN

    files = Secrets(secrets)
    asyncio.run(ensure_roles(files.get(SUPERUSER_DSN), files))
    typer.echo(f"database {DATABASE}: its roles are there")
