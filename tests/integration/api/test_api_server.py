"""The server itself: half-sent headers, slow answers, readiness, an orderly end."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from services.api.edge import Deadlines
from services.core.http_server import PortTakenError, PunctualProtocol, listen
from services.core.storage.event_log import NewEntry, append, take_over
from services.core.storage.log_batch import ObservationBatch, encode
from tests.integration.api.city_api import CityApi, as_role
from tests.integration.api.seed import NOW
from tests.integration.api.serving import Server, served

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(city_url: str) -> AsyncIterator[Server]:
    async with served(city_url) as running:
        yield running


async def closed_by_server(port: int, *pieces: bytes) -> bytes:
    """What came until the server closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_connection_that_sends_nothing_or_half_a_header_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PunctualProtocol, "header_seconds", 0.1)
    assert await closed_by_server(server.port) == b""
    assert (
        await closed_by_server(server.port, b"GET / HTTP/1.1\r\nHost: a\r\nX-") == b""
    )


async def test_half_a_header_after_a_whole_request_is_closed_too(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PunctualProtocol, "header_seconds", 0.3)
    whole = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = await closed_by_server(server.port, whole + b"GET /health/li")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_request_that_is_being_answered_outlives_the_header_deadline(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PunctualProtocol, "header_seconds", 0.1)
    async with server.stream("/open/v1/live") as live:
        await live.next("snapshot")
        for _ in range(3):
            await live.next("heartbeat")


async def test_the_server_does_not_say_what_it_is_made_of(server: Server) -> None:
    async with httpx2.AsyncClient() as web:
        answer = await web.get(f"http://127.0.0.1:{server.port}/health/live")
    assert "server" not in answer.headers
    assert answer.headers["date"]


async def test_an_answer_that_does_not_begin_in_time_is_given_up() -> None:
    async def never(scope: object, receive: object, send: object) -> None:
        await asyncio.Event().wait()

    transport = httpx2.ASGITransport(Deadlines(never, seconds=0.02))
    async with httpx2.AsyncClient(transport=transport, base_url="http://a") as web:
        answer = await web.get("/")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"


async def test_answers_do_not_wait_for_more_to_send() -> None:
    """Asyncio turns Nagle's algorithm off only where the socket names its protocol: 40 ms an answer."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


async def test_a_port_that_is_taken_is_said_plainly() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(PortTakenError) as refused:
        listen("127.0.0.1", taken.getsockname()[1])
    assert "in use" in str(refused.value)


async def ready(api: CityApi) -> tuple[int, dict[str, bool]]:
    answer = await api.get("/health/ready")
    return answer.status_code, {
        part["name"]: part["ready"] for part in answer.json()["parts"]
    }


async def test_readiness_says_which_part_is_not(server: Server) -> None:
    api = server.api
    assert (await api.read("/health/live")) == {"alive": True}
    status, parts = await ready(api)
    assert status == 503
    assert parts == {"database": True, "schema": True, "live": True, "ingest": False}
    writer = await take_over(api.database, "observations")
    body = encode(ObservationBatch.empty())
    await append(
        api.database, "observations", NewEntry(body, NOW), writer_epoch=writer.epoch
    )
    assert (await ready(api))[0] == 200
    api.clock.advance(6)
    status, parts = await ready(api)
    assert (status, parts["ingest"]) == (503, False)
    await api.database.execute("UPDATE alembic_version SET version_num = '0000'")
    assert (await ready(api))[1]["schema"] is False


async def test_the_command_serves_and_ends_in_order(
    city_url: str, tmp_path: Path
) -> None:
    with listen("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    with told_by(tmp_path / "notify") as notices, log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "alatau",
            "api",
            env={
                **os.environ,
                "ALATAU_DATABASE_URL": as_role(city_url, "alatau_api"),
                "ALATAU_API_PORT": str(port),
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
            },
            stderr=output,
        )
        try:
            assert await asyncio.to_thread(notices.recv, 100) == b"READY=1"
            async with (
                httpx2.AsyncClient(timeout=10) as web,
                web.stream("GET", f"http://127.0.0.1:{port}/open/v1/districts") as one,
            ):
                assert one.status_code == 200
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(10):
                    assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert "Traceback" not in log.read_text()


@contextmanager
def told_by(path: Path) -> Iterator[socket.socket]:
    """The socket that a service tells its supervisor on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(path))
        notices.settimeout(30)
        yield notices
