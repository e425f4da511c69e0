"""The API of a platform that has been installed and told of no city yet."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from services.core.clock import SystemClock
from tests.installation import ALATAU, LOOK_SECONDS
from tests.integration.api.city_api import as_role
from tests.stack_fixtures import free_port

CITY = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
START_SECONDS = 30


@dataclass(frozen=True)
class EmptyCity:
    database_url: str
    url: str

    async def command(self, *arguments: str) -> str:
        """`alatau ARGUMENTS` on this database; what it prints."""
        process = await asyncio.create_subprocess_exec(
            *ALATAU,
            *arguments,
            env={**os.environ, "ALATAU_DATABASE_URL": self.database_url},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    async def token_of_a_new_operator(self) -> str:
        added = json.loads(await self.command("users", "add", "dana", "--json"))
        login = {"name": "dana", "password": added["password"]}
        async with httpx2.AsyncClient(timeout=20) as web:
            answer = await web.post(f"{self.url}/api/v1/login", json=login)
        return str(answer.raise_for_status().json()["token"])

    async def is_served(self) -> None:
        clock = SystemClock()
        deadline = clock.monotonic() + START_SECONDS
        async with httpx2.AsyncClient() as web:
            while True:
                try:
                    await web.get(f"{self.url}/health/live")
                except httpx2.TransportError:
                    assert clock.monotonic() < deadline, "the API does not start"
                    await clock.sleep(LOOK_SECONDS)
                else:
                    return


@asynccontextmanager
async def empty_city(database_url: str) -> AsyncIterator[EmptyCity]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *ALATAU,
        "api",
        env={
            **os.environ,
            "ALATAU_DATABASE_URL": as_role(database_url, "alatau_api"),
            "ALATAU_API_PORT": str(port),
        },
        stderr=sys.stderr,
    )
    try:
        city = EmptyCity(database_url, f"http://127.0.0.1:{port}")
        await city.is_served()
        yield city
    finally:
        process.terminate()
        await process.wait()
