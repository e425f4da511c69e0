"""What stands, retained, on a topic of the broker while ingest is there, and what when it is not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from services.core.broker.client import BrokerClient, Will
from services.core.clock import Clock
from services.core.errors import BrokerUnavailableError
from services.ingest.decode import Decoder
from services.ingest.wire_format import Standing

_LOOK_SECONDS: Final = 1.0
_GOODBYE_SECONDS: Final = 1.0


class Standings:
    """A connection has one will, so that one format can have a standing."""

    def __init__(self, decoder: Decoder, clock: Clock) -> None:
        self._decoder = decoder
        self._clock = clock
        self._standing: Standing | None = None

    def will(self) -> Will | None:
        """Asked for at each connect: from then on until the next it is what stands."""
        self._standing = self._decoder.standing()
        if self._standing is None:
            return None
        return Will(self._standing.topic, self._standing.offline, retain=True)

    @contextlib.asynccontextmanager
    async def kept(self, client: BrokerClient) -> AsyncIterator[None]:
        """Said at every connect, again when somebody says otherwise; taken back at the end."""
        keeping = asyncio.create_task(self._keep(client), name="ingest.standing")
        try:
            yield
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            with contextlib.suppress(BrokerUnavailableError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._say_goodbye(client)

    async def _keep(self, client: BrokerClient) -> None:
        said_in = 0
        while True:
            connection = await client.wait_connected()
            if connection != said_in or self._decoder.take_contradicted():
                with contextlib.suppress(BrokerUnavailableError):
                    await self._say_online(client)
                    said_in = connection
            await self._clock.sleep(_LOOK_SECONDS)

    async def _say_online(self, client: BrokerClient) -> None:
        """With the time of this connection, as its will has it."""
        if (standing := self._standing) is not None:
            await client.publish(standing.topic, standing.online, retain=True)

    async def _say_goodbye(self, client: BrokerClient) -> None:
        """With the time of now: only a will is older."""
        if (standing := self._decoder.standing()) is not None:
            await client.publish(standing.topic, standing.offline, retain=True)
