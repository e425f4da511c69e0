"""`alatau bench …`: what this machine can do, measured."""

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any

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
        float, typer.Option(min=0.5, help="How long the load of a size lasts.")
    ] = 60.0,
    prefill: Annotated[
        int, typer.Option(min=0, help="Readings in the store before; 0: none.")
    ] = 50_000_000,
    values: Annotated[
        list[int] | None,
        typer.Option(min=1, max=20, help="Values a message; may be repeated."),
    ] = None,
) -> None:
    """Messages per second through the whole platform, against the broker alone and a bare COPY."""
    from services.cli.benches.ingest import (
        VALUES_PER_MESSAGE,
        BenchOptions,
        bench_ingest,
    )
    from services.core.clock import SystemClock
    from services.core.telemetry import configure_logs

    configure_logs("text", "warning")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    options = BenchOptions(seconds, prefill, sizes=values or VALUES_PER_MESSAGE)
    result = asyncio.run(bench_ingest(options, SystemClock(), say))
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    for case in result["cases"]:
        _print_case(case)


def _print_case(case: Mapping[str, Any]) -> None:
    latency = case["receipt_latency"]
    typer.echo(
        f"{case['values_per_message']:>2} values: {case['messages_per_second']:>7,} messages/s"
        f" ({case['broker_ratio']:.2f} of the broker's {case['broker_messages_per_second']:,}),"
        f" {case['readings_per_second']:>9,} readings/s ({case['ratio']:.2f} of COPY's"
        f" {case['raw_copy_per_second']:,}); lost {case['lost']}, duplicates {case['duplicates']}"
    )
    typer.echo(
        f"           receipts at {latency['messages_per_second']:,} messages/s: p50 {latency['p50']} ms,"
        f" p99 {latency['p99']} ms; the generator took {case['generator_cpu_share']:.0%} of a core"
    )
    spent = case["cpu_microseconds_per_message"]
    for name, microseconds in spent.items():
        typer.echo(f"           {microseconds:>7.2f} µs a message: {name}")


@benches.command("fairness")
def bench_fairness_command(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0.5, help="How long each of both is measured.")
    ] = 30.0,
    backlog: Annotated[
        int, typer.Option(min=1, help="Messages of the publisher that floods.")
    ] = 500_000,
) -> None:
    """What one publisher's flood does to the latency of everyone else's receipts."""
    from services.cli.benches.fairness import FairnessOptions, bench_fairness
    from services.core.clock import SystemClock
    from services.core.telemetry import configure_logs

    configure_logs("text", "warning")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    options = FairnessOptions(seconds, backlog=backlog)
    result = asyncio.run(bench_fairness(options, SystemClock(), say))
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    for name in ("calm", "flooded"):
        latency = result[name]
        typer.echo(
            f"{name:>8}: receipts p50 {latency['p50']} ms, p99 {latency['p99']} ms"
        )
    typer.echo(
        f"          {result['flood_sent']:,} messages of one publisher; lost {result['lost']}"
    )


@benches.command("city")
def bench_city_command(
    *,
    speed: Annotated[
        float, typer.Option(min=0.1, help="All periods are divided by it.")
    ] = 1.0,
    minutes: Annotated[
        float, typer.Option(min=0.05, help="How long the load is played.")
    ] = 10.0,
    scale: Annotated[
        float, typer.Option(min=0.0001, max=1, help="A part of the city.")
    ] = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON.")
    ] = False,
) -> None:
    """Alatau in 2050 on this machine: 6.07 million datastreams registered, their load played, everything counted."""
    from services.cli.benches.city import CityOptions, bench_city
    from services.cli.benches.city_words import in_words
    from services.core.clock import SystemClock
    from services.core.telemetry import configure_logs

    configure_logs("text", "warning")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    options = CityOptions(speed, minutes * 60, scale)
    result = asyncio.run(bench_city(options, SystemClock(), say))
    typer.echo(json.dumps(result, indent=2) if as_json else in_words(result))
