"""The API service: its context, its server, its end."""

import asyncio
import random

from services.api.app import create_app, open_context
from services.api.server import listen, serve
from services.core.clock import SystemClock
from services.core.process import notify_supervisor
from services.core.settings import Settings


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until stop is set. The supervisor is told once requests are answered."""
    chance = random.Random()  # noqa: S311 # spreads reconnects
    with listen(settings.api_host, settings.api_port) as listening:
        async with (
            open_context(settings.dsn, SystemClock(), chance) as context,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(
                serve(create_app(context), listening, stop, _tell_supervisor),
                name="api.serve",
            )
            await stop.wait()
            # Live streams never end by themselves, and the server waits for them.
            context.feeds.close()


def _tell_supervisor() -> None:
    notify_supervisor("READY=1")
