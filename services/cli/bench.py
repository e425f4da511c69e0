"""`alatau bench …`: what this machine can do, measured."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from services.core.clock import Clock

Options = TypeVar("Options")
Bench = Callable[
    [Options, "Clock", Callable[[str], None]], Coroutine[Any, Any, dict[str, Any]]
]

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

    options = BenchOptions(seconds, prefill, sizes=values or VALUES_PER_MESSAGE)
    result = _measure(bench_ingest, options)
    disk = result["disk_flush_ms"]
    in_words = "\n".join(
        (
            (
                f"the disk alone flushes in {disk['p50']} ms (p99 {disk['p99']}, worst {disk['worst']});"
                f" it stands still {disk['stalled_share']:.1%} of the time"
            ),
            *map(_case_in_words, result["cases"]),
        )
    )
    typer.echo(json.dumps(result, indent=2) if as_json else in_words)


def _measure(bench: Bench[Options], options: Options) -> dict[str, Any]:
    from services.core.clock import SystemClock
    from services.core.telemetry import configure_logs

    configure_logs("text", "warning")

    def say(line: str) -> None:
        typer.echo(line, err=True)

    return asyncio.run(bench(options, SystemClock(), say))


def _case_in_words(case: Mapping[str, Any]) -> str:
    spent = case["cpu_microseconds_per_message"]
    return "\n".join(
        (
            (
                f"{case['values_per_message']:>2} values: {case['messages_per_second']:>7,} messages/s"
                f" ({case['broker_ratio']:.2f} of the broker's {case['broker_messages_per_second']:,}),"
                f" {case['readings_per_second']:>9,} readings/s ({case['ratio']:.2f} of COPY's"
                f" {case['raw_copy_per_second']:,}); lost {case['lost']}, duplicates {case['duplicates']}"
            ),
            *(
                f"           receipts at {latency['messages_per_second']:,} messages/s, {latency['together']:>2} at once:"
                f" p50 {latency['p50']} ms, p99 {latency['p99']} ms"
                for latency in (
                    case["receipt_latency"],
                    case["receipt_latency_one_by_one"],
                )
            ),
            f"           the generator took {case['generator_cpu_share']:.0%} of a core",
            *(
                f"           {cost:>7.2f} µs a message: {name}"
                for name, cost in spent.items()
            ),
        )
    )


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

    options = FairnessOptions(seconds, backlog=backlog)
    result = _measure(bench_fairness, options)
    typer.echo(json.dumps(result, indent=2) if as_json else _fairness_in_words(result))


def _fairness_in_words(result: Mapping[str, Any]) -> str:
    latencies = (
        f"{name:>8}: receipts p50 {result[name]['p50']} ms, p99 {result[name]['p99']} ms"
        for name in ("calm", "flooded")
    )
    sent, lost = result["flood_sent"], result["lost"]
    return "\n".join(
        (*latencies, f"          {sent:,} messages of one publisher; lost {lost}")
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

    options = CityOptions(speed, minutes * 60, scale)
    result = _measure(bench_city, options)
    typer.echo(json.dumps(result, indent=2) if as_json else in_words(result))
