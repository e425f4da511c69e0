"""`alatau api`: the HTTP API in the foreground."""

import asyncio

import typer


def register(app: typer.Typer) -> None:
    app.command("api")(serve_api)


def serve_api() -> None:
    """Serve the HTTP API: operators, open data, live streams and their documentation."""
    from services.api.service import run
    from services.core.process import run_service
    from services.core.settings import load_settings
    from services.core.telemetry import configure_logs

    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)

    async def main(stop: asyncio.Event) -> None:
        await run(settings, stop)

    run_service("api", main)
