"""`alatau ingest`: the ingest service in the foreground."""

import asyncio

import typer


def register(app: typer.Typer) -> None:
    app.command("ingest")(run_service_ingest)


def run_service_ingest() -> None:
    """Run the ingest service: MQTT to the database, acknowledged after the commit."""
    import random

    from services.core.clock import SystemClock
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs, serve_metrics
    from services.ingest.service import run_ingest

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    serve_metrics(settings.metrics_host, settings.metrics_port)

    async def main(stop: asyncio.Event) -> None:
        await run_ingest(settings, SystemClock(), random.Random(), stop)  # noqa: S311 # spreads retries

    run_service("ingest", main)
