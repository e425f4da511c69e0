"""The C example alone: what it takes for a line, how it waits for a platform that is silent, and for a broker that is."""

import asyncio
import json
import os
import random
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from services.core.authority import new_authority, sign_server
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.topics import UP_FILTERS
from services.core.clock import SystemClock
from tests.integration.device_client_process import running
from tests.integration.test_device_client import (
    HURRY,
    IMPATIENT,
    PLAIN,
    T0,
    TLS,
    Service,
    c_example,
    has_openssl,
)
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

NOBODY: Final = ("127.0.0.1", "1", "pump-1")
LINES: Final = [
    b'{"values": {"n": -1.5e+3, "s": "\\u00e9\\"\xc3\xa9", "d": [true, {}, []]}}',
    b' { "seq" : "mine", "values" : { } , "epoch" : 0 } ',
    b'{"time": "2026-11-22T04:00:00Z", "values": {"a": null}}',
    b'{"values": {"pair": "\\ud800"}}',
    b'{"values": {}, "values": 5}',
    b'{"other": {"values": {}}}',
    b'{"values": []}',
    b'["values"]',
    b'{"values": {}} x',
    b'{"values": {},}',
    b'{"values": {"n": 01}}',
    b'{"values": {"n": NaN}}',
    b'{"values": {"s": "\xff"}}',
    b'{"values": {"s": "\xed\xa0\x80"}}',
    b'{"values": {"s": "\xc0\xaf\xf5"}}',
    b'{"values": {"s": "\\x"}}',
    b'{"values": {"s": "\t"}}',
    b'{"values": {"s": "',
    b"",
]


def is_item(line: bytes) -> bool:
    """As the platform reads it."""
    try:
        item = json.loads(line.decode(), parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return False
    return isinstance(item, dict) and isinstance(item.get("values"), dict)


def twisted(chance: random.Random) -> bytes:
    """A line with some bytes gone, doubled or exchanged."""
    line = bytearray(chance.choice(LINES[:4]))
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(line))
        line[place : place + chance.randint(0, 1)] = bytes(
            chance.choices(b'{}[],:"\\ue0-.1 \xc3\xa9\xed', k=chance.randint(0, 2))
        )
    return bytes(line)


def test_it_takes_what_the_platform_can_read_and_nothing_else(tmp_path: Path) -> None:
    chance = random.Random(20_261_122)
    lines = [*LINES, *(twisted(chance) for _ in range(400))]
    items = [line for line in lines if is_item(line)]
    assert len(LINES) < len(items) < len(lines) - 100
    command = [str(c_example(PLAIN, HURRY)), *NOBODY, str(tmp_path / "outbox")]
    piped = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=piped, stdout=piped, stderr=subprocess.DEVNULL
    ) as given:
        assert given.stdin is not None
        assert given.stdout is not None
        given.stdin.write(b"\n".join([*lines, items[0]]))  # the last has no newline
        given.stdin.close()
        told = [int(given.stdout.readline()) for _ in [*items, items[0]]]
        given.kill()
    assert told == list(range(1, len(items) + 2))
    for seq, line in enumerate([*items, items[0]], 1):
        kept = json.loads((tmp_path / "outbox" / str(seq)).read_bytes())
        own = json.loads(line) | {"seq": seq, "epoch": kept["epoch"]}
        assert kept == own


async def test_while_nobody_answers_one_message_asks(
    broker: Broker, tmp_path: Path
) -> None:
    secret = broker.add_device("pump-1")
    command = [str(c_example(PLAIN, HURRY)), "127.0.0.1", str(broker.port), "pump-1"]
    async with BrokerClient(ClientOptions(broker.service_url)) as client:
        service = Service(client)
        await client.subscribe(UP_FILTERS)
        async with running([*command, str(tmp_path / "outbox")], secret) as fed:
            for value in range(5):
                await fed.feed(value, T0 + value)
            epoch = (await service.see("data", 8))["epoch"]
            await service.receipt(epoch, 1, (4, 4))
            await service.see("data", 11)
            await service.receipt(epoch, 5)
            assert await fed.end() == 0
    numbers = [said["seq"] for topic, said in service.seen if topic.endswith("data")]
    assert numbers[:11] == [1, 2, 3, 4, 5, 1, 1, 1, 2, 3, 5]


class Silent:
    """A broker that takes connections and says nothing, or this much; times: when they came."""

    def __init__(self, words: bytes = b"") -> None:
        self._words = words
        self.times: list[float] = []
        self.came = asyncio.Condition()

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.times.append(asyncio.get_running_loop().time())
        async with self.came:
            self.came.notify_all()
        if self._words:
            await reader.read(1)
            writer.write(self._words)
        await reader.read()
        writer.close()

    async def connections(self, count: int) -> None:
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.times) >= count)


@asynccontextmanager
async def listening(silent: Silent) -> AsyncIterator[str]:
    """Its port."""
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    yield str(server.sockets[0].getsockname()[1])
    server.close()


async def test_who_is_refused_comes_back_ever_more_rarely(tmp_path: Path) -> None:
    refusing = Silent(b"\x20\x02\x00\x05")
    async with listening(refusing) as port:
        command = [str(c_example(PLAIN, HURRY)), "127.0.0.1", port, "pump-1"]
        async with running([*command, str(tmp_path)], "wrong", complains=True):
            await refusing.connections(12)
    assert refusing.times[11] - refusing.times[0] > 0.2


class TestTls:
    @pytest.fixture
    def program(self) -> str:
        if not has_openssl():
            pytest.skip("there is no OpenSSL to compile with")
        return str(c_example(TLS, IMPATIENT))

    async def test_a_broker_that_does_not_shake_hands_is_given_up(
        self, program: str, tmp_path: Path
    ) -> None:
        silent = Silent()
        async with listening(silent) as port:
            command = [program, "localhost", port, "pump-1", str(tmp_path)]
            async with running(command, "secret"):
                await silent.connections(2)

    async def test_half_a_record_holds_up_nothing(
        self, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority, now = new_authority(SystemClock().now()), SystemClock().now()
        trusted, pair = tmp_path / "ca.pem", tmp_path / "pair.pem"
        trusted.write_bytes(authority.pem)
        pair.write_bytes(b"".join(sign_server(authority, ["localhost"], now)))
        monkeypatch.setenv("ALATAU_CA", str(trusted))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = str(listener.getsockname()[1])
            command = [program, "localhost", port, "pump-1", str(tmp_path / "outbox")]
            async with running(command, "secret") as fed, asyncio.timeout(20):
                with await asyncio.to_thread(say_half_a_record, listener, pair):
                    for value in range(3):
                        await fed.feed(value, T0 + value)
                    assert len(fed.told) == 3


def say_half_a_record(listener: socket.socket, pair: Path) -> ssl.SSLSocket:
    """To who connects, after a CONNACK."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    stream = context.wrap_socket(listener.accept()[0], server_side=True)
    stream.recv(1_000)
    stream.sendall(b"\x20\x02\x00\x00")
    os.write(stream.fileno(), b"\x17\x03\x03\x00\x40half")
    return stream
