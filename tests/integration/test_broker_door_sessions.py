"""Sessions that may not be any more end within seconds; those of others, and what waits for them, stay."""

import asyncio
import datetime as dt
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import Result

from deploy.native.broker_files import BrokerFiles
from deploy.native.certificates import OwnPair, ServerCertificate
from deploy.native.postgres import PostgresCluster
from services.core.authority import (
    names_of,
    new_authority,
    read_server_pair,
    sign_server,
)
from services.core.broker.client import BrokerClient, ClientOptions
from services.core.broker.options import Trust
from services.core.broker.topics import down_topic
from services.core.clock import SystemClock
from tests.integration.broker_door_stage import (
    DoorStage,
    ShiftedClock,
    devices_command,
    secrets_in,
)
from tests.stack_fixtures import Broker, running_broker

pytestmark = pytest.mark.integration

FIVE_SECONDS = 5.0
Run = Callable[..., Result]
GONE, STAYS = "gateway-1", "gateway-2"


@dataclass
class Scene:
    stage: DoorStage
    run: Run
    folder: Path

    @property
    def broker(self) -> Broker:
        return self.stage.broker

    async def command(self, *arguments: str) -> str:
        """`alatau devices …`, in a thread: it has an event loop of its own."""
        result = await asyncio.to_thread(self.run, *arguments)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    async def certify(self, device: str, *options: str) -> Path:
        """Key and certificate in one file."""
        path = self.folder / f"{device}.pem"
        await self.command("certificate", device, "--out", str(path), *options)
        return path

    async def secret(self, device: str) -> str:
        return secrets_in(await self.command("add", device))[device]

    def by_certificate(self, device: str, pair: Path) -> ClientOptions:
        tls = self.broker.mosquitto.tls
        assert tls is not None
        url = f"mqtts://localhost:{tls.certificate_port}"
        trust = Trust(self.folder / "ca.pem", pair)
        return self._options(url, device, trust)

    def by_secret(self, device: str, secret: str) -> ClientOptions:
        tls = self.broker.mosquitto.tls
        assert tls is not None
        url = f"mqtts://{device}:{secret}@localhost:{tls.password_port}"
        return self._options(url, device, Trust(self.folder / "ca.pem"))

    def _options(self, url: str, device: str, trust: Trust) -> ClientOptions:
        return ClientOptions(
            url, device, clean_session=False, shortest_pause=0.2, trust=trust
        )

    async def looked(self) -> None:
        """The door has looked, and the broker has read what it wrote."""
        before = self.broker.reloads()
        await self.stage.look_once()
        async with asyncio.timeout(FIVE_SECONDS):
            while self.broker.reloads() == before:  # noqa: ASYNC110 # a foreign process
                await asyncio.sleep(0.01)


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def scene(
    postgres: PostgresCluster,
    database_url: str,
    clock: ShiftedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    authority = new_authority(SystemClock().now())
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "ca.key").write_bytes(authority.key_pem)
    monkeypatch.setenv("ALATAU_AUTHORITY_DIR", str(tmp_path))
    run = devices_command(postgres, database_url, monkeypatch)
    with running_broker(authority) as broker:
        stage = DoorStage(broker, database_url, authority, clock)
        yield Scene(stage, run, tmp_path)


@pytest.fixture
async def neighbour(scene: Scene) -> AsyncIterator[BrokerClient]:
    """Connected by a certificate, with a session that outlives its connection."""
    pair = await scene.certify(STAYS)
    await scene.looked()
    async with BrokerClient(scene.by_certificate(STAYS, pair)) as client:
        await client.subscribe([down_topic(STAYS, "command")])
        yield client


@pytest.mark.parametrize("known", ["by_secret", "by_certificate"])
async def test_revocation_ends_an_idle_session_within_five_seconds(
    scene: Scene,
    neighbour: BrokerClient,
    known: str,
) -> None:
    if known == "by_secret":
        options = scene.by_secret(GONE, await scene.secret(GONE))
    else:
        options = scene.by_certificate(GONE, await scene.certify(GONE))
    await scene.looked()
    async with BrokerClient(options) as device, scene.stage.kept():
        await device.wait_connected()
        await scene.command("revoke", GONE)
        revoked = time.monotonic()
        async with asyncio.timeout(FIVE_SECONDS):
            await device.wait_lost()
        print(f"{known}: {time.monotonic() - revoked:.2f} s after the command")  # noqa: T201 # measured
        await asyncio.sleep(1)  # it tries again and again meanwhile
        assert not device.is_connected
        assert neighbour.connection == 1
    assert GONE in await scene.command("list")


async def test_only_one_certificate_of_two_is_revoked(
    scene: Scene, neighbour: BrokerClient
) -> None:
    """Whoever has another one is back at once, with what was kept for it."""
    old, new = await scene.certify(GONE), scene.folder / "new.pem"
    serial = f"{x509.load_pem_x509_certificate(old.read_bytes()).serial_number:x}"
    kept = old.rename(scene.folder / "old.pem")
    (await scene.certify(GONE)).rename(new)
    await scene.looked()
    async with BrokerClient(scene.by_certificate(GONE, kept)) as device:
        await device.wait_connected()
        await scene.command("revoke", GONE, "--certificate", serial)
        async with scene.stage.kept(), asyncio.timeout(FIVE_SECONDS):
            await device.wait_lost()
    async with BrokerClient(scene.by_certificate(GONE, new)) as device:
        async with asyncio.timeout(FIVE_SECONDS):
            await device.wait_connected()
    assert neighbour.connection == 1


async def test_a_session_ends_with_its_certificate(
    scene: Scene, neighbour: BrokerClient, clock: ShiftedClock
) -> None:
    """The broker looks at the end of a certificate only when a device connects: the door looks all the time."""
    pair = await scene.certify(GONE, "--days", "2")
    async with BrokerClient(scene.by_certificate(GONE, pair)) as device:
        await device.wait_connected()
        await scene.stage.look_once()
        assert device.is_connected
        clock.ahead = dt.timedelta(days=3)
        async with scene.stage.kept(), asyncio.timeout(FIVE_SECONDS):
            await device.wait_lost()
    assert neighbour.connection == 1


async def test_sessions_are_ended_once_and_by_a_door_that_was_away(
    scene: Scene, postgres: PostgresCluster
) -> None:
    pair = await scene.certify(GONE)
    await scene.looked()
    async with BrokerClient(scene.by_certificate(GONE, pair)) as device:
        await device.wait_connected()
        await scene.command("revoke", GONE)
        scene.stage.start_anew()
        async with asyncio.timeout(FIVE_SECONDS):
            await scene.stage.look_once()
            await device.wait_lost()
    for _ in range(2):
        await scene.stage.look_once()
    database = scene.stage.dsn.rpartition("/")[2]
    ended = "SELECT count(*) FROM certificates WHERE ended_at IS NOT NULL"
    assert "1" in postgres.sql(ended, database=database)


async def test_a_device_that_is_taken_out_of_service_is_put_out_and_may_come_back(
    scene: Scene, postgres: PostgresCluster
) -> None:
    pair = await scene.certify(GONE)
    await scene.looked()
    database = scene.stage.dsn.rpartition("/")[2]

    def retire(when: str) -> None:
        postgres.sql(
            f"UPDATE devices SET retired_at = {when} WHERE key = '{GONE}';"  # noqa: S608 # fixed words
            "UPDATE registry_state SET revision = revision + 1;",
            database=database,
        )

    async with BrokerClient(scene.by_certificate(GONE, pair)) as device:
        await device.wait_connected()
        retire("now()")
        async with scene.stage.kept(), asyncio.timeout(FIVE_SECONDS):
            await device.wait_lost()
            await asyncio.sleep(2)
        assert not device.is_connected
        retire("NULL")
        await scene.looked()
        async with asyncio.timeout(FIVE_SECONDS):
            await device.wait_connected()


def served(scene: Scene) -> x509.Certificate:
    """What the broker shows of itself."""
    tls = scene.broker.mosquitto.tls
    assert tls is not None
    pem = ssl.get_server_certificate(("127.0.0.1", tls.password_port))
    return x509.load_pem_x509_certificate(pem.encode())


async def test_the_brokers_certificate_is_renewed_without_ending_a_session(
    scene: Scene, neighbour: BrokerClient, clock: ShiftedClock
) -> None:
    before = await asyncio.to_thread(served, scene)
    clock.ahead = dt.timedelta(days=360)
    await scene.looked()
    assert await asyncio.to_thread(served, scene) == before, "too early"
    clock.ahead = dt.timedelta(days=368)
    await scene.looked()
    after = await asyncio.to_thread(served, scene)
    assert after.not_valid_after_utc - before.not_valid_after_utc > dt.timedelta(365)
    await neighbour.round_trip()
    assert neighbour.connection == 1


def test_a_certificate_of_ones_own_is_taken_up_when_it_is_renewed(
    tmp_path: Path,
) -> None:
    """Of an authority that the platform does not know, such as a public one."""
    clock, public = SystemClock(), new_authority(SystemClock().now())
    given = OwnPair(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    (tmp_path / "broker").mkdir()
    files = BrokerFiles(tmp_path / "broker")
    server = ServerCertificate(files, new_authority(clock.now()), clock, (), given)

    def renew() -> bytes:
        key, pem = sign_server(public, ["mqtt.city.example"], clock.now())
        given.key.write_bytes(key)
        given.certificate.write_bytes(pem + public.pem)
        return key + pem + public.pem

    assert server.look(), "one of our own until there is a good one"
    ours = files.read("server.pem")
    first = renew()
    assert server.look()
    assert files.read("server.pem") == first != ours
    assert not server.look()
    given.certificate.write_bytes(sign_server(public, ["x"], clock.now())[1])
    assert not server.look(), "the key is not its: half of a renewal"
    assert files.read("server.pem") == first
    second = renew()
    assert server.look()
    assert files.read("server.pem") == second


def test_a_new_name_is_a_new_certificate(tmp_path: Path) -> None:
    clock, files = SystemClock(), BrokerFiles(tmp_path)
    authority = new_authority(clock.now())
    assert ServerCertificate(files, authority, clock).look()
    assert not ServerCertificate(files, authority, clock).look()
    named = ServerCertificate(files, authority, clock, ("mqtt.city.example",))
    assert named.look()
    assert not named.look()
    pem = files.read("server.pem") or b""
    assert names_of(read_server_pair(pem)) >= {"mqtt.city.example", "localhost"}
    stranger = ServerCertificate(files, new_authority(clock.now()), clock)
    assert stranger.look(), "signed by an authority that devices do not know"
