"""`alatau bench …`: what this machine can do, measured."""

import asyncio
import json
from typing import Annotated

import typer

benches = typer.Typer(
    help="Measure this machine; progress on standard error.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(benches, name="bench")


@benches.callback()
def _benches() -> None:
    """Measure this machine; progress on standard error."""


@benches.command("ingest")
def bench_ingest_command(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0.5, help="How long each figure is measured.")
    ] = 8.0,
) -> None:
    """Messages per second through ingest, against the broker alone and a bare COPY."""
    from services.cli.benches.ingest import bench_ingest
    from services.core.clock import SystemClock
    from services.core.telemetry import configure_logs

    configure_logs("text", "warning")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    result = asyncio.run(bench_ingest(seconds, SystemClock(), say))
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    for case in result["cases"]:
        typer.echo(
            f"{case['values_per_message']:>2} values: {case['messages_per_second']:>7,} messages/s"
            f" ({case['broker_ratio']:.2f} of the broker's {case['broker_messages_per_second']:,}),"
            f" {case['readings_per_second']:>9,} readings/s ({case['ratio']:.2f} of COPY's"
            f" {case['raw_copy_per_second']:,}); lost {case['lost']}, duplicates {case['duplicates']}"
        )
