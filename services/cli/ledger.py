"""`alatau ledger`: what became of every item."""

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from services.cli.key_table import key_table
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.ledger import Ledger


def register(app: typer.Typer) -> None:
    app.command("ledger")(show_ledger)


def show_ledger(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """What became of every item: received = stored + merged + duplicate + rejected + waiting."""
    from services.core.storage.ledger import read_ledger

    ledger = on_database(home, read_ledger)
    if as_json:
        typer.echo(json.dumps(ledger.as_dict()))
    else:
        console = Console()
        console.print(_table(ledger, console.width))
    if not ledger.balanced:
        typer.secho(
            "The ledger does not balance: please report this.", fg="red", err=True
        )
        raise typer.Exit(1)


def _table(ledger: "Ledger", width: int) -> Table:
    accounts = sorted(ledger.devices.items(), key=lambda entry: -entry[1].received)
    named = [(key or "(not registered)", account) for key, account in accounts]
    rows = [
        [key, *(f"{count:,}" for count in account.as_dict().values())]
        for key, account in [*named, ("total", ledger.total)]
    ]
    fates = [name.replace("_", "\n") for name in ledger.total.as_dict()]
    table = key_table(["publisher"], fates, rows, width)
    table.title = "Items by what became of them"
    table.rows[-1].style = "bold"
    return table
