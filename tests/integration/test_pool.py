"""Connections to the database notice a peer that is gone, on TCP; within the machine the kernel tells at once."""

import socket

import pytest

from deploy.native.postgres import PostgresCluster
from services.core.storage.pool import Connection, connect, open_pool

pytestmark = pytest.mark.integration

TCP, USER_TIMEOUT = socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT


def longest_silence(connection: Connection) -> tuple[float, float] | None:
    """Seconds until a peer is given up that answers no probe, and one that takes no data; None: never on its own."""
    link = connection._transport.get_extra_info("socket")
    if not link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE):
        return None
    probes = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    idle, interval, count = (link.getsockopt(TCP, option) for option in probes)
    return idle + interval * count, link.getsockopt(TCP, USER_TIMEOUT) / 1000


async def test_every_connection_gives_up_a_dead_peer_within_ten_seconds(
    database_url: str,
) -> None:
    alone = await connect(database_url, "test")
    pool = await open_pool(database_url, "test")
    async with pool.acquire() as pooled:
        assert longest_silence(alone) == longest_silence(pooled) == (10, 10)
    await pool.close()
    await alone.close()


async def test_a_unix_socket_is_left_alone(
    postgres: PostgresCluster, database_url: str
) -> None:
    database = database_url.rpartition("/")[2]
    within = await connect(postgres.socket_dsn(database), "test")
    assert longest_silence(within) is None
    await within.close()
