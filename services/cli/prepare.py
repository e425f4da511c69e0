"""`alatau prepare`: what an installation's database needs before its services start."""

import asyncio

import typer

from services.cli.target import HomeOption, database_url


def register(app: typer.Typer) -> None:
    app.command("prepare", hidden=True)(prepare)


def prepare(home: HomeOption = None) -> None:
    """Bring the schema up to date; at the first start also the city, its rules, credentials and the first login."""
    from services.core.storage.migrate import migrate

    dsn = database_url(home)
    asyncio.run(migrate(dsn))
