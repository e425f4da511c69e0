"""`alatau ledger`: what became of every item."""

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

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
        Console().print(_table(ledger))
    if not ledger.balanced:
        typer.secho(
            "The ledger does not balance: please report this.", fg="red", err=True
        )
        raise typer.Exit(1)


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
