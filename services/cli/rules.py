"""`alatau rules`: the rules service in the foreground; its subcommands check, apply and show rules."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.pool import Connection
    from services.core.storage.rule_store import RuleChange, StoredRule

T = TypeVar("T")
ACTOR: Final = "cli"
SHIPPED_CITY: Final = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
_SIGNS: Final = {
    "create": "[green]+",
    "change": "[yellow]~",
    "restore": "[green]↑",
    "retire": "[red]-",
}

RulePaths = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|DIR…", help="YAML files of rules, or folders of them."
    ),
]
_JSON: Any = typer.Option(False, "--json", help="Print stable JSON.")


def register(app: typer.Typer) -> None:
    rules = typer.Typer(
        help="The rules service (with no subcommand, in the foreground), and the rulebook."
    )
    rules.callback(invoke_without_command=True)(run)
    rules.command("check")(check)
    rules.command("apply")(apply)
    rules.command("list")(list_all)
    rules.command("show")(show)
    app.add_typer(rules, name="rules")


def run(context: typer.Context) -> None:
    """Run the rules service: the event log becomes alerts."""
    if context.invoked_subcommand is not None:
        return
    from services.core.clock import SystemClock
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs, serve_metrics
    from services.rules.service import run_rules

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    serve_metrics(settings.metrics_host, settings.metrics_port)

    async def main(stop: asyncio.Event) -> None:
        await run_rules(settings.dsn, SystemClock(), stop)

    run_service("rules", main)


def check(
    paths: RulePaths,
    city: Annotated[
        Path, typer.Option(help="The city file whose names the rules use.")
    ] = SHIPPED_CITY,
    as_json: bool = _JSON,
) -> None:
    """Whether rules can be used with a city file; needs no database. Ends with 1 and every problem if not."""
    from services.core.alerting.rule_file import Vocabulary
    from services.core.alerting.selection import count_targets
    from services.core.city_folder import load_city
    from services.core.rule_folder import load_rules

    whole = load_city(city)
    rules = load_rules(paths, Vocabulary.of_city(whole))
    targets = count_targets(whole, [checked.rule for checked in rules])
    if as_json:
        typer.echo(json.dumps({"rules": targets}))
        return
    for key, count in targets.items():
        typer.echo(f"{key}: looks at {count}")
        if not count:
            typer.secho(f"doubtful: {key} looks at nothing", fg="yellow", err=True)
    typer.echo(f"{len(targets)} rules, no problem")


def apply(
    paths: RulePaths,
    retire: bool = typer.Option(
        False, "--retire", help="Retire the rules that are not in these files."
    ),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Show the difference, write nothing."
    ),
    as_json: bool = _JSON,
    home: HomeOption = None,
) -> None:
    """Make the rulebook say what the files say. Run again, it changes nothing."""
    from services.core.rule_folder import load_rules
    from services.core.storage.rule_store import apply_rules, load_vocabulary

    async def work(connection: "Connection") -> "list[RuleChange]":
        rules = load_rules(paths, await load_vocabulary(connection))
        return await apply_rules(
            connection, rules, ACTOR, retire=retire, dry_run=dry_run
        )

    changes = on_database(home, work)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "written": bool(changes) and not dry_run,
                    "changes": [
                        {"action": change.action, "key": change.key}
                        for change in changes
                    ],
                }
            )
        )
        return
    _print_changes(changes)
    done = "nothing written (dry run)" if dry_run else "applied"
    typer.echo(f"{done}: {len(changes)} changes" if changes else "nothing to change")


def list_all(as_json: bool = _JSON, home: HomeOption = None) -> None:
    """The rulebook."""
    from services.core.storage.rule_store import list_rules

    rules = on_database(home, list_rules)
    if as_json:
        typer.echo(json.dumps([_rule_as_json(rule) for rule in rules]))
        return
    table = Table("rule", "version", "kind", "class", "severities", "state", "name")
    for rule in rules:
        table.add_row(*_rule_row(rule))
    Console().print(table)


def show(key: str, home: HomeOption = None) -> None:
    """One rule, as JSON."""
    from services.core.storage.rule_store import list_rules

    found = [rule for rule in on_database(home, list_rules) if rule.key == key]
    if not found:
        typer.secho(f"There is no rule {key!r}.", fg="red", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(_rule_as_json(found[0]), ensure_ascii=False, indent=2))


def _rule_as_json(rule: "StoredRule") -> dict[str, Any]:
    return {
        "key": rule.key,
        "version": rule.version,
        "enabled": rule.enabled,
        "retired": rule.retired,
        "document": rule.document,
    }


def _rule_row(rule: "StoredRule") -> Sequence[str]:
    document = rule.document
    severities = ", ".join(level["severity"] for level in document["levels"])
    state = "retired" if rule.retired else "on" if rule.enabled else "off"
    return (
        rule.key,
        str(rule.version),
        document["kind"],
        document["class"],
        severities,
        state,
        document["name"]["en"],
    )


def _print_changes(changes: "Sequence[RuleChange]") -> None:
    console = Console(highlight=False)
    for change in changes:
        console.print(f"{_SIGNS[change.action]}[/] {change.key}")
        if change.old is None or change.new is None:
            continue
        old, new = change.old, change.new.document
        for field in sorted(old.keys() | new.keys()):
            if old.get(field) != new.get(field):
                console.print(
                    f"    {field}: {old.get(field)!r} → {new.get(field)!r}",
                    markup=False,
                )
