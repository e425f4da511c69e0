"""A new secret reaches a device under traffic: no message is lost and nobody locked out, whoever is killed meanwhile."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device_sim.faults import FaultPlan
from device_sim.folder import OUTBOX, SECRETS
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Identity, Publisher, Surroundings
from device_sim.rotation import KeptSecrets
from services.core.broker.passwords import hash_secret, new_secret, verify_secret
from services.core.broker.rotation import turn
from services.core.clock import SystemClock
from services.core.storage.credentials import active_hashes, issue
from services.core.storage.rotations import (
    RotationUnderWayError,
    Underway,
    begin_rotations,
    rotation_of,
)
from tests.ingest_city import apply_ingest_city
from tests.integration.broker_door_stage import DoorStage, ShiftedClock
from tests.integration.ingest_stage import T0, Stage, ingest_stage, until
from tests.security.knocking import ACCEPTED, NOT_AUTHORISED, call
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

PROBE = "probe-1"
EVERY = 0.02
LOOK_EVERY = 0.2


@dataclass
class Device:
    """The simulator's publisher with its folder, writing a message every so often; killed and started at will."""

    folder: Path
    broker: Broker
    given: str
    written: int = 0
    writing: bool = True
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def kept(self) -> str:
        path = self.folder / SECRETS
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def start(self) -> None:
        self._file = OutboxFile(self.folder / OUTBOX)
        self.outbox = self._file.open_outboxes([PROBE], 7)[PROBE]
        ring = KeptSecrets(self.folder / SECRETS).ring(PROBE, self.given)
        clock = SystemClock()
        around = Surroundings(
            self.broker.device_url,
            clock,
            FaultPlan(),
            clock.monotonic,
            lambda *_arguments, **_facts: None,
        )
        identity = Identity(PROBE, self.given, None, ring=ring)
        self._publisher = Publisher(identity, self.outbox, around)
        work = (self._publisher.run(), self._write())
        self._tasks = [asyncio.create_task(each) for each in work]

    async def kill(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._file.close()

    async def _write(self) -> None:
        while True:
            if self.writing:
                self.written += 1
                time_ms, value = T0 + self.written, 200 + self.written % 50
                self.outbox.number(
                    lambda epoch, seq: (
                        b'{"seq":%d,"epoch":%d,"time":%d,"values":{"voltage":%d}}'
                        % (seq, epoch, time_ms, value)  # noqa: B023 # built at once
                    )
                )
            if changes := self.outbox.take_changes():
                self._file.write([changes], {})
                self.outbox.on_disk(changes)
                self._publisher.wake()
            await asyncio.sleep(EVERY)


@dataclass
class Scene:
    stage: Stage
    door: DoorStage
    device: Device
    old: str
    new: str = ""
    _ingest: asyncio.subprocess.Process | None = None

    async def start_ingest(self) -> None:
        environment = {
            **os.environ,
            "ALATAU_DATABASE_URL": str(self.stage.settings.database_url),
            "ALATAU_BROKER_URL": self.stage.broker.service_url,
            "ALATAU_LOG_LEVEL": "error",
        }
        module = ["-m", "tests.integration.ingest_child", "nowhere", "1"]
        self._ingest = await asyncio.create_subprocess_exec(
            sys.executable, *module, env=environment
        )

    async def kill_ingest(self) -> None:
        if self._ingest is not None:
            with suppress(ProcessLookupError):
                self._ingest.kill()
            await self._ingest.wait()

    async def begin(self) -> None:
        self.new = new_secret()
        await begin_rotations(
            self.stage.database,
            {PROBE: self.new},
            {PROBE: hash_secret(self.new)},
            actor="test",
            now=self.door.clock.now(),
        )

    async def standing(self) -> Underway | None:
        return await rotation_of(self.stage.database, PROBE)

    async def device_has_it(self) -> bool:
        return self.new in self.device.kept

    async def on_trial(self) -> None:
        async def is_on_trial() -> bool:
            standing = await self.standing()
            return standing is None or standing.state.on_trial

        await until(is_on_trial)

    async def finished(self) -> None:
        async def is_over() -> bool:
            return await self.standing() is None

        await until(is_over)

    async def all_receipted(self) -> None:
        """The device stops writing; what it wrote is stored, once each."""
        self.device.writing = False

        async def is_empty() -> bool:
            return self.device.outbox.pending == 0

        await until(is_empty)
        rows = await self.stage.rows(PROBE)
        assert sorted(rows) == list(range(1, self.device.written + 1))
        assert (await self.stage.ledger()).balanced

    def lets_in(self, secret: str) -> bool:
        caller = call(self.stage.broker.port)
        code = caller.connect("", PROBE, secret)
        caller.close()
        assert code in {ACCEPTED, NOT_AUTHORISED}
        return code == ACCEPTED


@asynccontextmanager
async def scene_in(
    folder: Path, broker: Broker, database_url: str
) -> AsyncIterator[Scene]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 1)
        old = new_secret()
        now = SystemClock().now()
        hashes = {PROBE: hash_secret(old)}
        await issue(stage.database, hashes, replace=False, actor="test", now=now)
        door = DoorStage(broker, database_url, clock=ShiftedClock())
        scene = Scene(stage, door, Device(folder, broker, old), old)
        await scene.start_ingest()
        async with door.kept(LOOK_EVERY):
            scene.device.start()
            try:
                yield scene
            finally:
                await scene.device.kill()
                await scene.kill_ingest()


@pytest.fixture
async def scene(
    broker: Broker, database_url: str, tmp_path: Path
) -> AsyncIterator[Scene]:
    async with scene_in(tmp_path, broker, database_url) as scene:
        yield scene


async def test_no_message_is_lost_though_everyone_is_killed_once(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    await scene.stage.settled(20)
    await scene.begin()
    await until(scene.device_has_it)
    await scene.device.kill()
    scene.device.start()
    await scene.on_trial()
    scene.door.start_anew()
    await scene.kill_ingest()
    await scene.device.kill()
    await scene.start_ingest()
    scene.device.start()
    await scene.finished()
    await scene.all_receipted()
    hashes = await active_hashes(scene.stage.database)
    assert verify_secret(scene.new, hashes[PROBE])
    assert await asyncio.to_thread(scene.lets_in, scene.new)
    assert not await asyncio.to_thread(scene.lets_in, scene.old)
    kept = await scene.stage.database.fetchval("SELECT count(sealed) FROM commands")
    assert kept == 0
    assert scene.new not in "".join(capfd.readouterr())


async def test_a_device_that_lost_the_new_secret_gets_in_with_the_old_one_again(
    scene: Scene,
) -> None:
    clock = scene.door.clock
    assert isinstance(clock, ShiftedClock)
    await scene.stage.settled(20)
    await scene.begin()
    with pytest.raises(RotationUnderWayError):
        await scene.begin()
    scene.new = ""
    await scene.on_trial()
    await scene.device.kill()
    (scene.device.folder / SECRETS).unlink()
    scene.device.start()
    # The trial ends; the device is back with its old secret, is asked again, and takes the new one this time.
    for _ in range(2):
        clock.ahead += turn(1) + dt.timedelta(seconds=1)
        await asyncio.sleep(0)
        standing = await scene.standing()
        assert standing is not None
        await _until_moved(scene, standing)
    await scene.finished()
    await scene.all_receipted()
    assert not await asyncio.to_thread(scene.lets_in, scene.old)


async def _until_moved(scene: Scene, before: Underway) -> None:
    """And, with the old secret in force, until the device has answered."""

    async def has_moved() -> bool:
        now = await scene.standing()
        if now is None or now.state.on_trial == before.state.on_trial:
            return now is None
        return now.state.on_trial or now.state.answer is True

    await until(has_moved)
