"""`alatau`: the platform's command; every subcommand is thin and calls the packages above it."""

import importlib
import sys

import typer

from services.core.errors import PlatformError

app = typer.Typer(
    name="alatau",
    help="An open city data platform.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# Each of these modules has `register(app)`, which adds its commands; heavy imports stay inside the commands.
_COMMANDS: tuple[str, ...] = (
    "ingest",
    "bench",
    "history",
    "db",
    "city",
    "ledger",
    "rejected",
    "stack",
    "console",
    "prepare",
    "secrets",
    "devices",
    "ca",
    "broker_door",
    "sim",
    "rules",
    "alerts",
    "api",
    "users",
    "grafana",
)


@app.callback()
def alatau() -> None:
    """An open city data platform."""


def main() -> None:
    # A service that was killed must be back at once: without the other commands it starts in half the time.
    asked = sys.argv[1:2]
    for name in asked if asked and asked[0] in _COMMANDS else _COMMANDS:
        importlib.import_module(f"services.cli.{name}").register(app)
    try:
        app()
    except PlatformError as error:
        typer.secho(str(error), fg="red", err=True)
        if error.remedy:
            typer.echo(error.remedy, err=True)
        sys.exit(1)
