"""The API service: its context, its server, its end."""

import asyncio
import random
from typing import Final

from services.api.app import create_app, open_context
from services.core.clock import Clock, SystemClock
from services.core.http_server import listen, serve
from services.core.process import announce_ready, notify_supervisor, side_by_side
from services.core.settings import Settings

PULSE_SECONDS: Final = 5.0


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until stop is set. The supervisor is told once requests are answered."""
    clock = SystemClock()
    chance = random.Random()  # noqa: S311 # spreads reconnects
    with listen(settings.api_host, settings.api_port) as listening:
        async with open_context(settings.dsn, clock, chance) as context:
            feeds = context.feeds
            # Live streams never end by themselves, and the server waits for them: they are closed first.
            ready = asyncio.Event()
            serving = serve(
                create_app(context), listening, stop, ready.set, feeds.close
            )
            await side_by_side(feeds.follow(), serving, _tell_supervisor(clock, ready))


async def _tell_supervisor(clock: Clock, ready: asyncio.Event) -> None:
    """Runs for ever: a server whose event loop hangs falls silent, and is started anew."""
    await ready.wait()
    announce_ready()
    while True:
        notify_supervisor("WATCHDOG=1")
        await clock.sleep(PULSE_SECONDS)
