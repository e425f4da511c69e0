from collections.abc import Iterable

import pytest

from services.core.broker.options import as_user, parse_url
from services.ingest.downlink import Downlink


class Outlet:
    def __init__(self, *, is_connected: bool = True) -> None:
        self.is_connected = is_connected
        self.connection = 1
        self.renewed = 0
        self.sent: list[tuple[str, bytes]] = []

    def renew(self) -> None:
        self.renewed += 1

    async def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self.sent += messages


@pytest.mark.parametrize("there", [True, False])
async def test_the_uplink_stands_in_for_a_downlink_that_is_not_there(
    there: bool,
) -> None:
    own, uplink = Outlet(is_connected=there), Outlet()
    await Downlink(own, uplink).publish_all([("topic", b"receipt")])
    assert (len(own.sent), len(uplink.sent)) == ((1, 0) if there else (0, 1))


async def test_when_the_uplink_was_made_anew_the_way_down_is_doubtful() -> None:
    own, uplink = Outlet(), Outlet()
    downlink = Downlink(own, uplink)
    uplink.connection = 2
    for _ in range(2):
        await downlink.publish_all([("topic", b"receipt")])
    assert (len(uplink.sent), len(own.sent), own.renewed) == (1, 1, 1)


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
