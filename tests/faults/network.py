"""The network between devices and broker, ingest and broker, services and database: cut, half-open, reset, slow."""

import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeAlias

from tests.faults.ground import signal_all
from tests.faults.proxy import Proxy, proxy_in_place_of
from tests.faults.scene import Recovery, Scene, fault

SIDES: Final = ("devices", "broker", "database")
_HALF_LATENCY: Final = 0.25  # each way: 500 ms there and back
Treat: TypeAlias = Callable[[Proxy, Scene, random.Random], Awaitable[None]]


@asynccontextmanager
async def between(scene: Scene, side: str) -> AsyncIterator[Proxy]:
    """A proxy that everything of that side goes through."""
    if side == "devices":
        yield scene.ground.devices
        return
    sockets = scene.ground.home.sockets()
    port = scene.ground.city.port_base + 2
    name = "mqtt.sock" if side == "broker" else f".s.PGSQL.{port}"
    async with proxy_in_place_of(str(sockets / name)) as proxy:
        since = scene.now()
        if side == "broker":
            scene.ground.send("ingest", signal.SIGKILL)
        else:
            signal_all(scene.ground.backends("ingest"), signal.SIGTERM)
        await scene.stores_again("the proxy's coming", since)
        yield proxy
    await scene.stores_again("the proxy's going", scene.now())


async def _cut(proxy: Proxy, scene: Scene, chance: random.Random) -> None:
    proxy.refusing = True
    proxy.reset_all()
    await scene.rest(chance.uniform(1.0, 4.0))
    proxy.refusing = False


async def _half_open(proxy: Proxy, _scene: Scene, _chance: random.Random) -> None:
    proxy.hold_all()


async def _reset(proxy: Proxy, scene: Scene, chance: random.Random) -> None:
    for _ in range(chance.randrange(3, 7)):
        proxy.reset_all()
        await scene.rest(1.0)


async def _slow(proxy: Proxy, scene: Scene, chance: random.Random) -> None:
    proxy.delay = _HALF_LATENCY
    await scene.rest(chance.uniform(3.0, 6.0))
    await scene.stores_again("500 ms of latency", scene.now())
    proxy.delay = 0.0


async def _treat(
    what: str, treat: Treat, side: str, scene: Scene, chance: random.Random
) -> list[Recovery]:
    async with between(scene, side) as proxy:
        await treat(proxy, scene, chance)
        return [await scene.stores_again(f"network {what}", scene.now())]


_TREATMENTS: Final[dict[str, Treat]] = {
    "cut": _cut,
    "half-open": _half_open,
    "reset every second": _reset,
    "500 ms slow": _slow,
}
_IN_SLICE: Final = (("cut", "devices"), ("cut", "database"))
for _what, _how in _TREATMENTS.items():
    for _side in SIDES:
        fault(f"network to {_side} {_what}", in_slice=(_what, _side) in _IN_SLICE)(
            partial(_treat, _what, _how, _side)
        )


@fault("COMMIT's answer lost", in_slice=True)
async def lose_commit(scene: Scene, _chance: random.Random) -> list[Recovery]:
    async with between(scene, "database") as proxy:
        proxy.lose_commit = True
        await scene.ground.until("a COMMIT came", lambda: proxy.lost_commits)
        return [await scene.stores_again("COMMIT's answer lost", scene.now())]
