"""A running installation whose devices are the tests themselves: what they report, and what the API says of it."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.topics import up_topic
from services.core.clock import SystemClock
from tests.installation import LOOK_SECONDS, Installation, installation

T = TypeVar("T")
RULES = Path(__file__).with_name("rules")
OPERATOR = "operator"
KILOPASCALS_A_BAR = 100
MINUTE_MS = 60_000
FINE, HIGH, CRITICAL = 6.0, 4.0, 3.0  # bar, as the rules of the tests see it
# Mains with several loggers each: every story takes one that no other has touched.
MAINS = tuple(
    f"main-{main}-logger-{number}"
    for main, numbers in (
        ("gate", range(1, 6)),
        ("gate-golden", range(1, 6)),
        ("kaskelen-golden", range(1, 5)),
        ("golden-growing", range(1, 5)),
        ("zhetigen-growing", range(1, 4)),
        ("growing-green", range(1, 4)),
    )
    for number in numbers
)


@dataclass
class LiveCity:
    """Its thing and its device have the same key, wherever the tests look."""

    installation: Installation
    web: httpx2.AsyncClient
    token: str
    _exits: AsyncExitStack
    _publishers: dict[str, BrokerClient] = field(default_factory=dict)
    _unused: list[str] = field(default_factory=lambda: list(reversed(MAINS)))
    _unrefused: list[str] = field(default_factory=lambda: list(MAINS))
    _clock: SystemClock = field(default_factory=SystemClock)
    _last_ms: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.installation.port_base}"

    @property
    def password(self) -> str:
        return self.installation.operator_password

    @property
    def api_process(self) -> int:
        pid: int = self.installation.service("api")["pid"]
        return pid

    def unused_main(self) -> str:
        """The key of a logger on a water main."""
        return self._unused.pop()

    def unrefused_main(self) -> str:
        """The key of a logger of which nothing was refused; others may have made alerts of it."""
        return self._unrefused.pop()

    async def log_in(self) -> str:
        """A session of its own."""
        login = {"name": OPERATOR, "password": self.password}
        answer = await self.web.post(f"{self.url}/api/v1/login", json=login)
        return str(answer.raise_for_status().json()["token"])

    async def ask(self, path: str, **query: Any) -> Any:
        """GET /api/v1{path} as the operator."""
        answer = await self.web.get(
            f"{self.url}/api/v1{path}", params=query, headers=self._headers()
        )
        return answer.raise_for_status().json()

    async def all_of(self, path: str, **query: Any) -> list[Any]:
        """Every item of a list."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.ask(path, limit=1000, **query, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    async def acknowledge(self, alert: dict[str, Any]) -> None:
        """As another operator would, elsewhere."""
        answer = await self.web.post(
            f"{self.url}/api/v1/alerts/{alert['alert_id']}/acknowledge",
            json={"version": alert["version"]},
            headers=self._headers(),
        )
        answer.raise_for_status()

    async def report(self, device: str, **values: float) -> None:
        """The device publishes values of now; returns when the broker has them."""
        client = await self._publisher(device)
        # A second reading of the same millisecond would be a conflict.
        self._last_ms = max(self._clock.now_ms(), self._last_ms + 1)
        message = {"time": self._last_ms, "values": values}
        await client.publish(up_topic(device, "data"), json.dumps(message).encode())

    async def report_past(self, device: str, minutes: int, **values: float) -> None:
        """What it would have reported each of the last minutes, swinging by a few per cent."""
        now_ms = self._clock.now_ms()
        items = [
            {
                "time": now_ms - back * MINUTE_MS,
                "values": {
                    name: value * (1 + 0.03 * math.sin(back / 9))
                    for name, value in values.items()
                },
            }
            for back in range(minutes, 0, -1)
        ]
        client = await self._publisher(device)
        await client.publish(
            up_topic(device, "data"), json.dumps({"items": items}).encode()
        )

    async def report_pressure(self, main: str, bar: float) -> None:
        await self.report(main, pressure=bar * KILOPASCALS_A_BAR)

    async def alert_of(self, thing: str, state: str = "firing") -> dict[str, Any]:
        """The newest alert of a thing, once it is in this state."""

        async def look() -> dict[str, Any] | None:
            alerts: list[dict[str, Any]] = await self.all_of(
                "/alerts", thing=thing, state=state
            )
            return max(alerts, key=lambda one: int(one["alert_id"]), default=None)

        return await self.eventually(f"an alert of {thing} that is {state}", look)

    async def eventually(
        self, what: str, look: Callable[[], Awaitable[T | None]], seconds: float = 20
    ) -> T:
        """The first true answer of look(); fails with what when there is none in time."""
        deadline = self._clock.monotonic() + seconds
        while not (found := await look()):
            assert self._clock.monotonic() < deadline, (
                f"not within {seconds:.0f} s: {what}"
            )
            await self._clock.sleep(LOOK_SECONDS)
        return found

    async def _publisher(self, device: str) -> BrokerClient:
        if device not in self._publishers:
            secret = self.installation.secret_of(device)
            port = self.installation.port_base + 1
            options = ClientOptions(f"mqtt://{device}:{secret}@127.0.0.1:{port}")
            client = BrokerClient(options)
            self._publishers[device] = await self._exits.enter_async_context(client)
            await client.wait_connected()
        return self._publishers[device]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@asynccontextmanager
async def live_city() -> AsyncIterator[LiveCity]:
    """The shipped city with the rules of the tests, and no simulator."""
    with installation("browser") as made:
        await asyncio.to_thread(made.up, "--no-sim")
        await asyncio.to_thread(made.command, "rules", "apply", str(RULES), "--retire")
        async with AsyncExitStack() as exits, httpx2.AsyncClient(timeout=20) as web:
            city = LiveCity(made, web, "", exits)
            city.token = await city.log_in()
            await rules_are_in_force(city)
            yield city


async def rules_are_in_force(city: LiveCity) -> None:
    """A reading that comes before the rules service has read the new rules is never judged by them."""
    main = city.unused_main()

    async def burst() -> list[dict[str, Any]]:
        await city.report_pressure(main, HIGH)
        return await city.all_of("/alerts", thing=main, state="firing")

    (alert,) = await city.eventually("the rules are in force", burst)
    await city.acknowledge(alert)
    await city.report_pressure(main, FINE)
