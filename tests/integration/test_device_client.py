"""The reference device client and the C example: killed at any moment, with a broker that restarts, nothing is lost."""

import asyncio
import random
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_sim.client import (
    ClientSettings,
    ClockNotSetError,
    DeviceClient,
    MessageTooLargeError,
)
from device_sim.folder import OUTBOX, SECRETS, FolderTakenError
from device_sim.report import read_report
from services.core.authority import new_authority
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.messages import Item
from services.core.broker.topics import UP_FILTERS, DownKind, down_topic
from services.core.clock import EPOCH, ManualClock, SystemClock
from tests.integration.device_client_process import reference_client, running
from tests.integration.receipt_peer import ReceiptPeer
from tests.stack_fixtures import Broker, running_broker

pytestmark = pytest.mark.integration

C_EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "c"
PLAIN, TLS = ("link_plain.c",), ("link_tls.c", "-lssl", "-lcrypto")
IMPATIENT = "-DPATIENCE=1"
HURRY = "-DSECOND=10"  # a hundred of its seconds pass in one
COMPILER = shutil.which("cc") or shutil.which("gcc")
PROGRAMS = tempfile.TemporaryDirectory(prefix="alatau-c-")
T0 = 1_795_320_000_000


@pytest.fixture
async def peer(broker: Broker) -> AsyncIterator[ReceiptPeer]:
    listener = ReceiptPeer(broker.service_url)
    async with listener.listening():
        yield listener


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """For what happens on both sides of the broker; asks every 10 ms."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - no event tells of both sides
            await asyncio.sleep(0.01)


def one(value: float) -> list[Item]:
    return [Item(time=T0 + int(value), values={"voltage": value})]


def settings(broker: Broker, folder: Path, **more: int) -> ClientSettings:
    secret = broker.secrets.get("pump-1") or broker.add_device("pump-1")
    return ClientSettings(broker.device_url, "pump-1", secret, folder, **more)  # type: ignore[arg-type]


class TestClient:
    async def test_what_is_put_is_receipted_and_leaves_the_disk(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        async with DeviceClient(settings(broker, tmp_path)) as client:
            assert await client.put(one(1), one(2) + one(3)) == range(1, 3)
            await client.receipted()
        assert peer.births[0][1]["oldest_seq"] == 1
        assert [len(message.get("items", [1])) for _, message in peer.data] == [1, 2]
        assert read_report(tmp_path / OUTBOX).pending_messages == 0
        async with DeviceClient(settings(broker, tmp_path)) as client:
            assert await client.put(one(4)) == range(3, 4)
            await client.receipted()
        assert peer.births[-1][1]["oldest_seq"] == 3
        assert peer.births[0][1]["epoch"] == peer.births[-1][1]["epoch"]
        assert peer.deaths == []

    async def test_a_full_outbox_drops_the_oldest_and_the_birth_says_so(
        self, broker: Broker, tmp_path: Path
    ) -> None:
        async with DeviceClient(settings(broker, tmp_path, most_messages=5)) as client:
            await client.put(*(one(n) for n in range(1, 9)))
            assert (client.pending, client.dropped) == (5, 3)
            async with (peer := ReceiptPeer(broker.service_url)).listening():
                await asyncio.to_thread(broker.kill)
                await asyncio.to_thread(broker.start)
                await client.receipted()
        assert peer.births[0][1]["oldest_seq"] == 4
        assert set(peer.numbers("pump-1")) == {4, 5, 6, 7, 8}

    async def test_what_it_refuses(self, broker: Broker, tmp_path: Path) -> None:
        stopped = ManualClock(EPOCH)
        with pytest.raises(ClockNotSetError):
            async with DeviceClient(settings(broker, tmp_path), clock=stopped):
                pass
        async with DeviceClient(settings(broker, tmp_path)) as client:
            with pytest.raises(FolderTakenError):
                async with DeviceClient(settings(broker, tmp_path)):
                    pass
            with pytest.raises(MessageTooLargeError):
                await client.put(one(1), one(2) * 2_000)
            assert client.pending == 0


def c_example(link: Sequence[str] = PLAIN, *defined: str) -> Path:
    """Compiled as strictly as may be."""
    if COMPILER is None:
        pytest.skip("there is no C compiler on this machine")
    program = Path(PROGRAMS.name) / "-".join([link[0], *defined])
    if not program.exists():
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"]
        sources = ["device.c", "outbox.c", "json.c", *link]
        command = [COMPILER, *flags, *defined, "-o", str(program), *sources]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=C_EXAMPLE
        )
        assert done.returncode == 0, done.stderr
    return program


def has_openssl() -> bool:
    asked = [COMPILER or "cc", "-E", "-x", "c", "-include", "openssl/ssl.h", "-"]
    return (
        subprocess.run(asked, input=b"", capture_output=True, check=False).returncode
        == 0
    )


def client_command(client: str, broker: Broker, folder: Path) -> list[str]:
    outbox = folder / "outbox"
    if client == "python":
        return reference_client(broker.device_url, "pump-1", outbox)
    return [str(c_example()), "127.0.0.1", str(broker.port), "pump-1", str(outbox)]


@pytest.mark.parametrize("client", ["python", "c"])
async def test_killed_again_and_again_nothing_is_lost_and_no_number_used_twice(
    broker: Broker, tmp_path: Path, client: str
) -> None:
    secret = broker.add_device("pump-1")
    command = client_command(client, broker, tmp_path)
    chance = random.Random(20_261_122)
    peer = ReceiptPeer(broker.service_url, loss=0.3)
    told: dict[int, float] = {}
    value = 0.0
    async with peer.listening():
        for life in range(4):
            async with running(command, secret) as fed:
                for _ in range(chance.randrange(5, 60)):
                    value += 1
                    await fed.feed(value, T0 + int(value))
                if life == 1:
                    await asyncio.to_thread(broker.kill)
                    await asyncio.to_thread(broker.start)
                await asyncio.sleep(chance.uniform(0, 0.3))
                await fed.kill()
            assert not told.keys() & fed.told.keys()
            told |= fed.told
        peer.loss = 0.0
        async with running(command, secret) as fed:
            assert await fed.end() == 0
    arrived: dict[tuple[int, int], float] = {}
    for _, message in peer.data:
        number = message["epoch"], message["seq"]
        carried = message["values"]["voltage"]
        assert arrived.setdefault(number, carried) == carried, number
    assert len({epoch for epoch, _ in arrived}) == 1
    by_number = {seq: carried for (_, seq), carried in arrived.items()}
    assert told.items() <= by_number.items()
    # What was on its way to the disk when it died may be there, and nothing else.
    assert len(by_number) <= len(told) + 4
    assert sorted(by_number) == list(range(1, len(by_number) + 1))


async def test_by_tls_the_c_example_trusts_its_authority_and_the_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if COMPILER is None or not has_openssl():
        pytest.skip("there is no C compiler, or no OpenSSL to compile with")
    ours, foreign = (new_authority(SystemClock().now()) for _ in range(2))
    trusted = tmp_path / "ca.pem"
    monkeypatch.setenv("ALATAU_CA", str(trusted))
    program = c_example(TLS, IMPATIENT)
    with running_broker(ours) as broker:
        secret, tls = broker.add_device("pump-1"), broker.mosquitto.tls
        assert tls is not None
        rest = [str(tls.password_port), "pump-1", str(tmp_path / "box")]
        refusals = [("localhost", foreign, b"certificate"), ("127.1", ours, b"hostname mismatch")]  # fmt: skip # 127.1: the same machine
        peer = ReceiptPeer(broker.service_url)
        async with peer.listening():
            for number, (host, authority, complaint) in enumerate(refusals):
                trusted.write_bytes(authority.pem)
                command = [str(program), host, *rest]
                async with running(command, secret, complains=True) as fed:
                    await fed.feed(number, T0 + number)
                    assert complaint in await fed.complaint()
            async with running([str(program), "localhost", *rest], secret) as fed:
                await fed.feed(2, T0 + 2)
                assert await fed.end() == 0
    assert peer.numbers("pump-1") == [1, 2, 3]


class Service:
    """Stands in for ingest: asks, and remembers what comes; it sends no receipts."""

    def __init__(self, client: BrokerClient) -> None:
        self._client = client
        self.seen: list[tuple[str, dict[str, Any]]] = []

    async def see(self, kind: str, count: int) -> dict[str, Any]:
        """The newest, once there are so many of a kind."""
        async with asyncio.timeout(30):
            while sum(topic.endswith(kind) for topic, _ in self.seen) < count:
                for came in await self._client.receive(50):
                    self.seen.append((came.topic, msgspec.json.decode(came.payload)))
        return [said for topic, said in self.seen if topic.endswith(kind)][count - 1]

    async def ask(self, number: int, name: str, **args: object) -> dict[str, Any]:
        """The answer."""
        await self.send(number, name, args=args)
        answer = await self.see("result", number)
        assert answer["id"] == f"c-{number}"
        return answer

    async def send(self, number: int, name: str, **more: object) -> None:
        command = {"id": f"c-{number}", "name": name, **more}
        await self._say("command", command)

    async def receipt(self, epoch: int, through: int, *also: tuple[int, int]) -> None:
        said = {"epoch": epoch, "stored_through": through, "also": also}
        await self._say("receipt", said)

    async def _say(self, kind: DownKind, said: dict[str, object]) -> None:
        topic = down_topic("pump-1", kind)
        await self._client.publish(topic, msgspec.json.encode(said))


@pytest.mark.parametrize("client", ["python", "c"])
async def test_it_does_what_it_is_asked(
    broker: Broker, tmp_path: Path, client: str
) -> None:
    secret = broker.add_device("pump-1")
    command = client_command(client, broker, tmp_path)
    async with BrokerClient(ClientOptions(broker.service_url)) as broker_client:
        service = Service(broker_client)
        await broker_client.subscribe(UP_FILTERS)
        async with running(command, secret) as fed:
            for value in (1, 2, 3):
                await fed.feed(value, T0 + value)
            epoch = (await service.see("data", 3))["epoch"]
            replay = {"epoch": epoch, "from": 2, "to": 3}
            assert (await service.ask(1, "replay", **replay))["ok"]
            await service.see("data", 5)
            births = sum(topic.endswith("birth") for topic, _ in service.seen)
            assert (await service.ask(2, "rebirth"))["ok"]
            assert (await service.see("birth", births + 1))["oldest_seq"] == 1
            args = {"period": 5, "replay": True, "rebirth": "name"}
            assert not (await service.ask(3, "configure", **args))["ok"]
            births = sum(topic.endswith("birth") for topic, _ in service.seen)
            await service.send(9, "rebirth", expires_at=T0)
            await service.ask(4, "replay", **{**replay, "epoch": epoch - 1})
            lost = [said for topic, said in service.seen if topic.endswith("birth")]
            assert (lost[births]["epoch"], lost[births]["oldest_seq"]) == (epoch - 1, 4)
            rotated = await service.ask(5, "rotate", secret="a new one")
            assert rotated["ok"] is (client == "python")
    if client == "python":
        kept = (tmp_path / "outbox" / SECRETS).read_text(encoding="utf-8")
        assert msgspec.json.decode(kept) == {"pump-1": ["a new one", secret]}
    numbers = [said["seq"] for topic, said in service.seen if topic.endswith("data")]
    assert sorted(numbers) == [1, 2, 2, 3, 3]
