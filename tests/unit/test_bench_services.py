"""A bench whose service ends says so at once, and leaves none behind."""

import asyncio
import os
import signal
from unittest.mock import create_autospec

import pytest

from services.cli.benches import consumers
from services.cli.benches.consumers import ServiceEndedError, running_services
from services.cli.benches.private_servers import Servers

_PROGRAM = """
import os, signal, socket, sys
if sys.argv[1] == "stillborn":
    sys.exit(3)
notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notices.connect(os.environ["NOTIFY_SOCKET"])
notices.send(b"READY=1")
signal.pause()
"""


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(consumers, "_ALATAU", _PROGRAM)
    found: Servers = create_autospec(
        Servers, instance=True, database_url="", service_url=""
    )
    return found


async def test_a_service_that_never_gets_ready(servers: Servers) -> None:
    with pytest.raises(ServiceEndedError, match="stillborn: 3"):
        async with running_services(servers, 0, ["well", "stillborn"]):
            pytest.fail("it was ready")


async def test_a_service_that_ends_under_way(servers: Servers) -> None:
    processes: dict[str, int] = {}

    async def lose_one() -> None:
        async with running_services(servers, 0, ["well", "ill"]) as running:
            processes.update(running)
            os.kill(processes["ill"], signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(ServiceEndedError, match="ill: -9"):
        await lose_one()
    with pytest.raises(ProcessLookupError):
        os.kill(processes["well"], 0)


async def test_the_block_s_own_error_comes_through(servers: Servers) -> None:
    with pytest.raises(KeyError):
        async with running_services(servers, 0, ["well"]):
            raise KeyError
