"""`alatau history`: the history service in the foreground."""

import asyncio

import typer


def register(app: typer.Typer) -> None:
    app.command("history")(run_service_history)


def run_service_history() -> None:
    """Run the history service: latest values, presence, totals and gaps from the event log."""
    from services.core.clock import SystemClock
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs, serve_metrics
    from services.history.service import run_history

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    serve_metrics(settings.metrics_host, settings.metrics_port)

    async def main(stop: asyncio.Event) -> None:
        await run_history(settings.dsn, SystemClock(), stop)

    run_service("history", main)
