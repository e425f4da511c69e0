"""`alatau history`: the history service in the foreground."""

import asyncio
import datetime as dt

import typer


def register(app: typer.Typer) -> None:
    app.command("history")(run_service_history)


def run_service_history() -> None:
    """Run the history service: latest values, presence, totals and gaps from the event log."""
    from services.core.clock import SystemClock
    from services.core.process import run_service, side_by_side
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs, serve_metrics
    from services.history.forgetting import Keep, forget_for_ever
    from services.history.service import run_history

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    serve_metrics(settings.metrics_host, settings.metrics_port)

    age = dt.timedelta(days=settings.rejected_days)
    commands = dt.timedelta(days=settings.command_days)
    keep = Keep(age, settings.rejected_bytes, commands)

    async def main(stop: asyncio.Event) -> None:
        await side_by_side(
            run_history(settings.dsn, SystemClock(), stop),
            forget_for_ever(settings.dsn, keep, SystemClock()),
        )

    run_service("history", main)
