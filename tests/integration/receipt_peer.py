"""A stand-in for ingest: remembers what arrives, sends receipts for it, and may lose some of both."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from services.core.broker.client import (
    BrokerClient,
    BrokerUnavailableError,
    ClientOptions,
)
from services.core.broker.messages import Receipt
from services.core.broker.sequences import PublisherSequences
from services.core.broker.topics import UP_FILTERS, down_topic, parse_up_topic


@dataclass
class ReceiptPeer:
    """loss: the share of messages that it forgets as if it had crashed before the commit."""

    url: str
    loss: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    births: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    deaths: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    data: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    settled: dict[tuple[str, int], PublisherSequences] = field(
        default_factory=lambda: defaultdict(PublisherSequences)
    )
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def numbers(self, publisher: str) -> list[int]:
        """In the order they came, those it did not lose."""
        return [each["seq"] for key, each in self.data if key == publisher]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with BrokerClient(ClientOptions(self.url)) as client:
            await client.subscribe(UP_FILTERS)
            task = asyncio.create_task(self._serve(client))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])

    async def _serve(self, client: BrokerClient) -> None:
        while True:
            for publication in await client.receive(500):
                topic = parse_up_topic(publication.topic)
                assert topic is not None
                message = msgspec.json.decode(publication.payload)
                await self._take(client, topic.publisher, topic.kind, message)
            self.arrived.set()

    async def _take(
        self, client: BrokerClient, publisher: str, kind: str, message: dict[str, Any]
    ) -> None:
        if kind == "death":
            self.deaths.append((publisher, message))
        elif kind == "birth":
            self.births.append((publisher, message))
            if "epoch" in message:
                key = publisher, message["epoch"]
                self.settled[key].begin_at(message["oldest_seq"])
        elif self.chance.random() >= self.loss:
            self.data.append((publisher, message))
            if "seq" in message:
                self.settled[publisher, message["epoch"]].add(message["seq"])
                await self._answer(client, publisher, message["epoch"])

    async def _answer(self, client: BrokerClient, publisher: str, epoch: int) -> None:
        known = self.settled[publisher, epoch]
        receipt = Receipt(
            epoch=epoch, stored_through=known.stored_through, also=known.also
        )
        with contextlib.suppress(BrokerUnavailableError):  # lost, as receipts may be
            await client.publish(
                down_topic(publisher, "receipt"), msgspec.json.encode(receipt), qos=0
            )
