"""The API on a test's database, without a network in between."""

import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from services.api.app import create_app, open_context
from services.api.auth.passwords import new_token, token_hash
from services.api.auth.permissions import Role
from services.api.auth.store import User, add_user, find_credentials, open_session
from services.api.context import ApiContext, Throttles
from services.api.live.answering import Doors
from services.core.clock import ManualClock
from services.core.storage.pool import Connection, connect
from tests.integration.api import seed

PASSWORD_HASH = "not a hash: nobody logs in with it"


@dataclass(frozen=True)
class CityApi:
    """database: as its owner, to prepare and to look. clock: the API's own."""

    context: ApiContext
    clock: ManualClock
    database: Connection
    web: httpx2.AsyncClient

    async def session(
        self,
        role: Role = Role.ADMIN,
        domains: list[str] | None = None,
        districts: list[str] | None = None,
        user: str | None = None,
    ) -> dict[str, str]:
        """The headers of a new session of such a user."""
        user = user or f"{role}-{random.randrange(10**9)}"
        await add_user(
            self.database, User(user, role, domains, districts), PASSWORD_HASH, "test"
        )
        found = await find_credentials(self.database, user)
        assert found
        token = new_token()
        await open_session(
            self.database,
            found[0],
            token_hash(token),
            self.clock.now(),
            self.clock.now() + seed.DAY,
        )
        return {"Authorization": f"Bearer {token}"}

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None, /, **query: Any
    ) -> httpx2.Response:
        return await self.web.get(
            path, params=query or None, headers=dict(headers or {})
        )

    async def read(
        self, path: str, headers: Mapping[str, str] | None = None, /, **query: Any
    ) -> Any:
        """The JSON of an answer that must be a success."""
        answer = await self.get(path, headers, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pages(
        self, path: str, headers: Mapping[str, str] | None = None, /, **query: Any
    ) -> list[Any]:
        """Every page, following next."""
        found = [await self.read(path, headers, **query)]
        while found[-1]["next"]:
            assert len(found) < 100
            found.append(
                await self.read(path, headers, **query, cursor=found[-1]["next"])
            )
        return found


def as_role(dsn: str, role: str) -> str:
    """The same database, as another user; test servers trust everybody."""
    return re.sub(r"//[^@/]*@", f"//{role}@", dsn)


@dataclass(frozen=True)
class Opened:
    """owner: a connection with all rights; the context has those of the API's own role. clock: the feeds'."""

    context: ApiContext
    clock: ManualClock
    owner: Connection


@asynccontextmanager
async def open_for_tests(database_url: str) -> AsyncIterator[Opened]:
    dsn, clock = as_role(database_url, "alatau_api"), ManualClock(seed.NOW)
    async with open_context(dsn, clock, random.Random(1)) as context:
        owner = await connect(database_url, "test")
        try:
            yield Opened(context, clock, owner)
        finally:
            await owner.close()


@asynccontextmanager
async def api_on(
    opened: Opened, clock: ManualClock, **changes: Any
) -> AsyncIterator[CityApi]:
    """With a clock, allowances and counters of its own. changes: of the context."""
    fresh = {"clock": clock, "throttles": Throttles(), "doors": Doors()}
    context = replace(opened.context, **{**fresh, **changes})
    transport = httpx2.ASGITransport(create_app(context), client=("192.0.2.7", 4711))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://api.test"
    ) as web:
        yield CityApi(context, clock, opened.owner, web)


@asynccontextmanager
async def city_api(database_url: str, **changes: Any) -> AsyncIterator[CityApi]:
    """On a database of one's own. changes: of the context."""
    async with (
        open_for_tests(database_url) as opened,
        api_on(opened, opened.clock, **changes) as api,
    ):
        yield api
