"""Ingest with its HTTPS door open, and publishers with secrets for it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from services.core.broker.passwords import hash_secret, new_secret
from services.core.clock import SystemClock
from services.core.storage.credentials import issue
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import Stage, ingest_stage, until
from tests.stack_fixtures import Broker, free_port

PUBLISHERS = ("probe-1", "probe-2", "gw-1")


@dataclass
class DoorStage:
    stage: Stage
    secrets: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
    """Ingest does not run yet; the city has two probes and a gateway with secrets."""
    port = free_port()
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 2)
        secrets = {key: new_secret() for key in PUBLISHERS}
        hashes = {key: hash_secret(secret) for key, secret in secrets.items()}
        now = SystemClock().now()
        await issue(stage.database, hashes, replace=False, actor="test", now=now)
        settings = stage.settings.model_copy(update={"door_bind": f"127.0.0.1:{port}"})
        yield DoorStage(replace(stage, settings=settings), secrets, port)
