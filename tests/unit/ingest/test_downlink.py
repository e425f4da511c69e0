import asyncio
from collections.abc import Iterable

import pytest

from services.core.broker.options import as_user, parse_url
from services.ingest.downlink import Downlink


class Link:
    """A connection that takes nothing while it is stuck, until it is given up."""

    def __init__(self, *, is_connected: bool = True, is_stuck: bool = False) -> None:
        self.is_connected = is_connected
        self.sent: list[tuple[str, bytes]] = []
        self.lost = asyncio.Event()
        self._free = asyncio.Event()
        if not is_stuck:
            self._free.set()

    def renew(self) -> None:
        self.is_connected = False
        self._free.set()

    async def wait_connected(self) -> int:
        while self.lost.is_set():
            await asyncio.Event().wait()
        return 1

    async def wait_lost(self) -> None:
        await self.lost.wait()

    async def wait_written(self) -> None:
        await self._free.wait()

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        await self._free.wait()
        self.sent += messages


@pytest.mark.parametrize("there", [True, False])
async def test_the_uplink_stands_in_for_a_downlink_that_is_not_there(
    there: bool,
) -> None:
    own, uplink = Link(is_connected=there), Link()
    async with Downlink(own, uplink) as downlink:
        await downlink.publish_all([("topic", b"receipt")])
    assert (len(own.sent), len(uplink.sent)) == ((1, 0) if there else (0, 1))


async def test_a_receipt_that_is_stuck_ends_with_the_uplink() -> None:
    """A network that is silently gone: only the uplink hears of it."""
    own, uplink = Link(is_stuck=True), Link()
    async with asyncio.timeout(5), Downlink(own, uplink) as downlink:
        stuck = asyncio.create_task(downlink.publish_all([("topic", b"old")]))
        await asyncio.sleep(0)
        assert not stuck.done()
        uplink.lost.set()
        await stuck
        await downlink.publish_all([("topic", b"new")])
    assert uplink.sent == [("topic", b"new")]


async def test_a_receipt_waits_for_the_acknowledgements() -> None:
    own, uplink = Link(), Link(is_stuck=True)
    async with asyncio.timeout(5), Downlink(own, uplink) as downlink:
        waiting = asyncio.create_task(downlink.publish_all([("topic", b"receipt")]))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert own.sent == []
        uplink.renew()
        await waiting
    assert own.sent == [("topic", b"receipt")]


@pytest.mark.parametrize(
    "url",
    [
        "unix://a.b:se%40cret@localhost/run/mqtt.sock",
        "mqtt://a.b:se%40cret@10.0.0.1:1884",
    ],
)
def test_another_user_of_the_same_broker(url: str) -> None:
    before, after = parse_url(url), parse_url(as_user(url, "c.d"))
    assert (after.user, after.secret) == ("c.d", "se@cret")
    assert (after.scheme, after.host, after.port) == (
        before.scheme,
        before.host,
        before.port,
    )
