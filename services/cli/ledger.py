"""`alatau ledger`: what became of every item."""

import asyncio
import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from services.cli.target import HomeOption, database_url

if TYPE_CHECKING:
    from services.core.storage.ledger import Ledger


def register(app: typer.Typer) -> None:
    app.command("ledger")(show_ledger)


def show_ledger(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """What became of every item: received = stored + merged + duplicate + rejected + waiting."""
    ledger = asyncio.run(_read(database_url(home)))
    if as_json:
        typer.echo(json.dumps(ledger.as_dict()))
    else:
        Console().print(_table(ledger))
    if not ledger.balanced:
        typer.secho(
            "The ledger does not balance: please report this.", fg="red", err=True
        )
        raise typer.Exit(1)


async def _read(dsn: str) -> "Ledger":
    from services.core.storage.ledger import read_ledger
    from services.core.storage.pool import connect

    connection = await connect(dsn, "cli")
    try:
        return await read_ledger(connection)
    finally:
        await connection.close()


def _table(ledger: "Ledger") -> Table:
    table = Table("publisher", title="Items by what became of them")
    for name in ledger.total.as_dict():
        table.add_column(name.replace("_", " "), justify="right")
    for key, account in sorted(
        ledger.devices.items(), key=lambda entry: -entry[1].received
    ):
        table.add_row(
            key or "(not registered)",
            *(f"{count:,}" for count in account.as_dict().values()),
        )
    table.add_section()
    table.add_row(
        "total",
        *(f"{count:,}" for count in ledger.total.as_dict().values()),
        style="bold",
    )
    return table
