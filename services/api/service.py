"""The API service: its context, its server, its end."""

import asyncio
import random

from services.api.app import create_app, open_context
from services.api.server import listen, serve
from services.core.clock import SystemClock
from services.core.process import notify_supervisor, side_by_side
from services.core.settings import Settings


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until stop is set. The supervisor is told once requests are answered."""
    chance = random.Random()  # noqa: S311 # spreads reconnects
    with listen(settings.api_host, settings.api_port) as listening:
        async with open_context(settings.dsn, SystemClock(), chance) as context:
            feeds = context.feeds
            # Live streams never end by themselves, and the server waits for them: they are closed first.
            serving = serve(
                create_app(context), listening, stop, _tell_supervisor, feeds.close
            )
            await side_by_side(feeds.follow(), serving)


def _tell_supervisor() -> None:
    notify_supervisor("READY=1")
