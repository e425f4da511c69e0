"""Ingest with its HTTPS door open, and publishers with secrets for it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from services.core.broker.passwords import hash_secret, new_secret
from services.core.city.entities import Device
from services.core.clock import SystemClock
from services.core.storage.credentials import issue
from services.core.storage.ledger import Account
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import Stage, ingest_stage, until
from tests.stack_fixtures import Broker, free_port

PROBES = 26
PUBLISHERS = (*(f"probe-{number}" for number in range(1, PROBES + 1)), "gw-1")
DEV_EUI = "0004a30b001c0530"
SOIL = Device(
    "soil-1",
    "probe",
    "park",
    publishes=False,
    hosted_by=("gw-1",),
    external_ids=({"scheme": "dev_eui", "value": DEV_EUI},),
)


@dataclass
class DoorStage:
    stage: Stage
    secrets: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def with_settings(self, more: Mapping[str, object]) -> "DoorStage":
        settings = self.stage.settings.model_copy(update=dict(more))
        return replace(self, stage=replace(self.stage, settings=settings))

    async def post(
        self,
        publisher: str,
        body: object,
        kind: str = "data",
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float = 20,
    ) -> httpx2.Response:
        """As the publisher itself, with Basic authentication, unless headers say otherwise."""
        own = not headers or "Authorization" not in headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx2.AsyncClient(timeout=seconds) as client:
            return await client.post(
                f"{self.url}/ingest/v1/{publisher}/{kind}",
                content=content,
                headers=dict(headers or {}),
                auth=httpx2.BasicAuth(publisher, self.secrets[publisher])
                if own
                else httpx2.Auth(),
            )

    def environment(self) -> dict[str, str]:
        """For ingest in a process of its own."""
        return {
            **os.environ,
            "ALATAU_DATABASE_URL": str(self.stage.settings.database_url),
            "ALATAU_BROKER_URL": self.stage.broker.service_url,
            "ALATAU_DOOR_BIND": f"127.0.0.1:{self.port}",
            "ALATAU_LOG_LEVEL": "error",
        }

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[None]:
        """Ingest in this process, with the door open."""
        async with self.stage.ingest():
            await self.until_open()
            yield

    async def until_open(self) -> None:
        await until(self._is_open)

    async def _is_open(self) -> bool:
        try:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"{self.url}/health/live")
        except httpx2.TransportError:
            return False
        return answer.status_code == 200

    def raw_request(self, publisher: str, body: object) -> bytes:
        payload = json.dumps(body).encode()
        head = (
            f"POST /ingest/v1/{publisher}/data HTTP/1.1\r\nHost: door\r\n"
            f"Authorization: Bearer {self.secrets[publisher]}\r\n"
            f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + payload

    async def talk(self, request: bytes) -> bytes:
        """What comes back until the door closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncio.StreamWriter]:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        yield writer
        writer.close()
        await writer.wait_closed()

    async def ingest_waits_for_a_lock(self) -> bool:
        waiting: bool = await self.stage.database.fetchval(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                           AND application_name = 'alatau-ingest' AND wait_event_type = 'Lock')
            """
        )
        return waiting

    async def settled(self, publisher: str, received: int) -> Account:
        """Its account once so many of its items have their fate; all publishers' together balance."""

        async def all_have() -> bool:
            account = (await self.stage.ledger()).devices.get(publisher)
            return account is not None and account.received >= received

        await until(all_have)
        ledger = await self.stage.ledger()
        assert ledger.balanced
        return ledger.devices[publisher]

    async def stored(self, device: str) -> dict[int, list[float | None]]:
        """Read on another connection than ingest's."""
        return await self.stage.rows(device)


def problem(response: httpx2.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    return document


@asynccontextmanager
async def door_stage(broker: Broker, database_url: str) -> AsyncIterator[DoorStage]:
    """Ingest does not run yet; all its probes have secrets, and a gateway that hosts soil-1."""
    port = free_port()
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, PROBES, SOIL)
        secrets = {key: new_secret() for key in PUBLISHERS}
        hashes = {key: hash_secret(secret) for key, secret in secrets.items()}
        now = SystemClock().now()
        await issue(stage.database, hashes, replace=False, actor="test", now=now)
        settings = stage.settings.model_copy(update={"door_bind": f"127.0.0.1:{port}"})
        yield DoorStage(replace(stage, settings=settings), secrets, port)
