"""`alatau ledger`: what became of every item, what is missing, and whether the store agrees."""

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.cli.key_table import key_table
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.ledger import Ledger
    from services.core.storage.ledger_check import Counted
    from services.core.storage.pool import Connection

Row = dict[str, Any]


def register(app: typer.Typer) -> None:
    app.command("ledger")(show_ledger)


def show_ledger(
    home: HomeOption = None,
    device: Annotated[
        str | None, typer.Option(help="Only this publisher (its device id).")
    ] = None,
    gaps: bool = typer.Option(
        False, "--gaps", help="Which numbers of publishers are missing or lost."
    ),
    closed: bool = typer.Option(
        False, "--closed", help="With --gaps: also closed ones."
    ),
    verify: bool = typer.Option(
        False,
        "--verify",
        help="Count every stored row and compare; slow on a large store.",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """What became of every item: received = stored + merged + duplicate + rejected + waiting."""
    if gaps:
        _show_gaps(
            on_database(home, partial(_gaps, device=device, closed=closed)), as_json
        )
        return
    if verify:
        _show_counted(on_database(home, _count), as_json)
        return
    from services.core.storage.ledger import read_ledger

    ledger = on_database(home, read_ledger)
    _show(ledger, device, as_json)
    if not ledger.balanced:
        for violation in ledger.violations:
            typer.secho(f"  {violation.as_dict()}", fg="red", err=True)
        typer.secho(
            "The ledger does not balance: please report this.", fg="red", err=True
        )
        raise typer.Exit(1)


async def _gaps(
    connection: "Connection", *, device: str | None, closed: bool
) -> list[Row]:
    rows = await connection.fetch(
        """
        SELECT d.key AS device, g.epoch, g.from_seq, g.to_seq, g.recorded_at, g.closed_at,
               CASE WHEN g.closed_at IS NOT NULL THEN 'closed' WHEN g.lost THEN 'lost' ELSE 'open' END AS state
        FROM gaps g LEFT JOIN devices d ON d.device_id = g.publisher_id
        WHERE ($1::text IS NULL OR d.key = $1) AND ($2 OR g.closed_at IS NULL)
        ORDER BY d.key, g.epoch, g.from_seq
        """,
        device,
        closed,
    )
    return [dict(row) for row in rows]


async def _count(connection: "Connection") -> "Counted":
    from services.core.storage.ledger_check import count_stored

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("counting rows, day by day", total=None)
        async for counted in count_stored(connection):
            progress.update(task, total=counted.chunks, completed=counted.done)
    return counted


def _show(ledger: "Ledger", device: str | None, as_json: bool) -> None:
    if device is not None and device not in ledger.devices:
        raise typer.BadParameter(f"nothing was received of {device} yet")
    told = ledger.as_dict()
    if device is not None:
        told = next(entry for entry in told["devices"] if entry["device"] == device)
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console()
    if device is None:
        console.print(_table(ledger, console.width))
        return
    for name, value in told.items():
        console.print(f"{name:>16} {value}", highlight=False)


def _show_gaps(rows: list[Row], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, default=lambda moment: moment.isoformat()))
        return
    if not rows:
        typer.echo("No numbers are missing or lost.")
        return
    cells = [
        [
            row["device"] or "(not registered)",
            f"{row['epoch']}",
            f"{row['from_seq']:,} … {row['to_seq']:,}",
            f"{row['to_seq'] - row['from_seq'] + 1:,}",
            row["state"],
            f"{row['recorded_at']:%Y-%m-%d %H:%M:%S}",
        ]
        for row in rows
    ]
    console = Console()
    figures = ["epoch", "numbers", "messages", "state", "recorded (UTC)"]
    console.print(key_table(["publisher"], figures, cells, console.width))


def _show_counted(counted: "Counted", as_json: bool) -> None:
    total = counted.balance.total
    if as_json:
        told = {
            "stored": total.stored,
            "rows": counted.rows,
            "balanced": counted.balance.balanced,
        }
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"items stored, says the ledger: {total.stored:,}")
        typer.echo(f"rows in the store:             {counted.rows:,}")
    if counted.difference or not counted.balance.balanced:
        typer.secho(
            f"The store and the ledger differ by {counted.difference:,}: please report this.",
            fg="red",
            err=True,
        )
        raise typer.Exit(1)


def _table(ledger: "Ledger", width: int) -> Table:
    accounts = sorted(ledger.devices.items(), key=lambda entry: -entry[1].received)
    named = [(key or "(not registered)", account) for key, account in accounts]
    missing = {
        key or "(not registered)": numbering.missing + numbering.lost
        for key, numbering in ledger.numberings.items()
    }
    missing["total"] = ledger.numbering.missing + ledger.numbering.lost
    rows = [
        [
            key,
            *(f"{count:,}" for count in account.as_dict().values()),
            f"{missing.get(key, 0):,}",
        ]
        for key, account in [*named, ("total", ledger.total)]
    ]
    fates = [name.replace("_", "\n") for name in ledger.total.as_dict()]
    table = key_table(["publisher"], [*fates, "missing\nmessages"], rows, width)
    table.title = "Items by what became of them"
    table.rows[-1].style = "bold"
    return table
