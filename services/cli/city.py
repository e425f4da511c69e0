"""`alatau city`: the city file and the registry made from it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import TaskID
from rich.table import Table

from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.city.diff import Change, CityDiff
    from services.core.city.entities import City
    from services.core.city.kept_changes import OperatorChange
    from services.core.storage.pool import Connection
    from services.core.storage.registry_staging import Progress
    from services.core.storage.registry_store import Applied

T = TypeVar("T")
ACTOR: Final = "cli"
_SHOWN: Final = 40  # changes listed one by one; counts tell the rest
_SIGNS: Final = {
    "created": "[green]+",
    "changed": "[yellow]~",
    "replaced": "[yellow]±",
    "restored": "[green]↑",
    "retired": "[red]-",
    "vanished": "[dim]?",
}

CityPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The root YAML file, e.g. deploy/city/alatau.yaml."
    ),
]


def register(app: typer.Typer) -> None:
    city = typer.Typer(
        help="The city file and the registry made from it.", no_args_is_help=True
    )
    city.command("apply")(apply)
    city.command("check")(check)
    city.command("show")(show)
    app.add_typer(city, name="city")


def apply(
    file: CityPath,
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Show the difference, write nothing."
    ),
    retire: bool = typer.Option(
        False, "--retire", help="Retire what is in the registry and not in the file."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
    home: HomeOption = None,
) -> None:
    """Make the registry say what the city file says. Run again, it changes nothing."""
    from services.core.city_folder import read_city_folder
    from services.core.storage.registry_store import apply_city

    city_file = read_city_folder(file)

    async def work(
        connection: "Connection",
    ) -> "tuple[Applied, tuple[OperatorChange, ...]]":
        kept = await _kept_changes(connection, city_file.city)
        return await apply_city(
            connection, city_file.city, retire=retire, actor=ACTOR, dry_run=dry_run
        ), kept

    applied, kept = on_database(home, work)
    if as_json:
        typer.echo(
            json.dumps(
                _applied_as_json(applied, dry_run=dry_run, warnings=city_file.warnings)
                | {"kept": [change.as_dict() for change in kept]}
            )
        )
    else:
        _print_diff(applied.diff)
        _print_warnings(city_file.warnings)
        for change in kept:
            typer.echo(
                f"kept: {change.section} {change.key}.{change.field} is {change.value}, as {change.by} set it;"
                f" the file says {change.file_value} as before"
            )
        typer.echo(_summary(applied, dry_run=dry_run))


async def _kept_changes(
    connection: "Connection", city: "City"
) -> "tuple[OperatorChange, ...]":
    from services.core.city.kept_changes import keep_changes
    from services.core.city.records import records_of
    from services.core.storage.change_store import read_changes

    return keep_changes(records_of(city), await read_changes(connection)).kept


def check(
    file: CityPath,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """Whether a city file can be used; needs no database. Ends with 1 and every problem if not."""
    from services.core.city.datastreams import datastreams
    from services.core.city_folder import read_city_folder

    city_file = read_city_folder(file)
    city = city_file.city
    fleets, publishing = city.fleets.values(), _check_members(city)
    counts = {
        "districts": len(city.districts),
        "observed_properties": len(city.catalogue),
        "device_types": len(city.device_types),
        "things": len(city.things) + sum(fleet.things for fleet in fleets),
        "relations": len(city.relations),
        "devices": len(city.devices) + sum(fleet.devices for fleet in fleets),
        "publishers": publishing
        + sum(device.publishes for device in city.devices.values()),
        "datastreams": sum(1 for _ in datastreams(city))
        + sum(fleet.datastreams for fleet in fleets),
    }
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "city": city.key,
                    "counts": counts,
                    "warnings": list(city_file.warnings),
                }
            )
        )
        return
    _print_warnings(city_file.warnings)
    typer.echo(
        f"{city.name.en}: "
        + ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in counts.items()
        )
    )


def _check_members(city: "City") -> int:
    """Every member of every fleet, as reading the file looks at the first ones only; how many of them publish."""
    from services.core.errors import CityFileError

    problems: list[str] = []
    publishing = 0
    with _progress() as progress:
        for fleet in city.fleets.values():
            done = 0
            for part in fleet.parts(problems):
                done += len(part.devices)
                publishing += sum(one.publishes for one in part.devices.values())
                progress(f"{fleet.key}: reading devices", done, fleet.devices)
                if problems:
                    raise CityFileError(problems[:_SHOWN])
    return publishing


@contextmanager
def _progress() -> "Iterator[Progress]":
    """A bar on a terminal, once a fleet has something to tell; elsewhere nothing."""
    with Bars(
        console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bars:
        shown: dict[str, TaskID] = {}

        def progress(what: str, done: int, of: int) -> None:
            if what not in shown:
                for task in shown.values():
                    bars.remove_task(task)
                shown.clear()
                shown[what] = bars.add_task(what, total=of)
            bars.update(shown[what], completed=done)

        yield progress


def show(
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
    home: HomeOption = None,
) -> None:
    """What the registry holds."""
    from services.core.storage.registry_read import registry_summary

    summary = on_database(home, registry_summary)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    city = summary["city"]
    typer.echo(
        f"{city['name']['en']}, registry revision {summary['revision']}"
        if city
        else "no city yet: `alatau city apply FILE`"
    )
    table = Table("", "in use", "retired")
    for entity, counts in summary["counts"].items():
        table.add_row(entity, str(counts["live"]), str(counts["retired"] or ""))
    Console().print(table)


def _print_diff(diff: "CityDiff") -> None:
    """What is merely new comes last: it is the longest and the least surprising."""
    console = Console(highlight=False)
    for change in sorted(diff.changes, key=lambda change: change.action == "created")[
        :_SHOWN
    ]:
        told = escape(f"{change.section} {change.key}{_details(change)}")
        console.print(f"{_SIGNS[change.action]}[/] {told}")
    if len(diff.changes) > _SHOWN:
        console.print(f"… and {len(diff.changes) - _SHOWN} more (--json lists all)")
    if diff.changes:
        console.print(_counts_table(diff))


def _details(change: "Change") -> str:
    if change.old is None or change.new is None:
        return ""
    fields = [
        field for field in change.new if change.old.get(field) != change.new[field]
    ]
    return "".join(
        f"\n    {field}: {change.old.get(field)!r} → {change.new[field]!r}"
        for field in fields
    )


def _counts_table(diff: "CityDiff") -> Table:
    counts = {entity: row for entity, row in diff.counts().items() if any(row.values())}
    actions = [
        action
        for action in (*_SIGNS, "unchanged")
        if any(row[action] for row in counts.values())
    ]
    table = Table("", *actions)
    for entity, row in counts.items():
        table.add_row(entity, *(str(row[action] or "") for action in actions))
    return table


def _print_warnings(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        typer.secho(f"doubtful: {warning}", fg="yellow", err=True)


def _summary(applied: "Applied", *, dry_run: bool) -> str:
    vanished = sum(change.action == "vanished" for change in applied.diff.changes)
    hint = (
        f"; {vanished} no longer in the file are left as they are (--retire)"
        if vanished
        else ""
    )
    if not applied.diff.writes:
        return f"nothing to change at registry revision {applied.revision}{hint}"
    if dry_run:
        return f"dry run: nothing written, registry revision stays {applied.revision}{hint}"
    return f"applied: registry revision {applied.revision}{hint}"


def _applied_as_json(
    applied: "Applied", *, dry_run: bool, warnings: tuple[str, ...]
) -> dict[str, Any]:
    changes = [change.as_dict() for change in applied.diff.changes]
    return {
        "revision": applied.revision,
        "dry_run": dry_run,
        "written": applied.diff.writes and not dry_run,
        "counts": applied.diff.counts(),
        "changes": changes,
        "warnings": list(warnings),
    }
