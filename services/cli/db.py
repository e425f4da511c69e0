"""`alatau db`: the database's schema."""

import asyncio

import typer

from services.cli.target import HomeOption, database_url


def register(app: typer.Typer) -> None:
    db = typer.Typer(help="The database's schema.", no_args_is_help=True)
    db.command("migrate")(migrate_database)
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
