"""The simulator's publishers against a real broker: nothing unreceipted is lost, whatever fails."""

import asyncio
import csv
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device_sim.assembly import Plan, assemble
from device_sim.control import (
    AddFault,
    Answer,
    NotRunningError,
    Request,
    StartIncident,
    TellStanding,
    ask,
    listening,
)
from device_sim.desk import Desk
from device_sim.faults import Fault, FaultKind, FaultPlan
from device_sim.folder import OUTBOX, FolderTakenError, locked
from device_sim.outbox_file import OutboxFile
from device_sim.publisher import Identity, Publisher, Surroundings
from device_sim.report import Report, read_report
from device_sim.simulator import Simulator
from device_sim.world.incidents import IncidentKind
from services.core.city.entities import City
from services.core.city_folder import load_city
from services.core.clock import SystemClock
from tests.integration.receipt_peer import ReceiptPeer
from tests.stack_fixtures import Broker

pytestmark = pytest.mark.integration

ALATAU = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
SOME = (
    "arna-rtu-a",
    "main-gate-logger-1",
    "gate-avenue-1",
    "a3-counter-01",
    "agds-zhetigen",
    "dc-07-1",
)


class HurriedClock(SystemClock):
    """Fifty of its seconds pass in one: nobody waits ten seconds for a receipt."""

    def monotonic(self) -> float:  # type: ignore[explicit-override] # typing.override: Python 3.12
        return 50 * super().monotonic()


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(ALATAU)


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


def around(
    broker: Broker, clock: SystemClock, faults: FaultPlan | None = None
) -> Surroundings:
    started = clock.monotonic()
    return Surroundings(
        broker.device_url,
        clock,
        faults or FaultPlan(),
        lambda: clock.monotonic() - started,
        lambda *_arguments, **_facts: None,
    )


def items_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    return list(message.get("items", [message]))


class Pen:
    """One publisher with its outbox on disk."""

    def __init__(self, folder: Path, secret: str, surroundings: Surroundings) -> None:
        self.file = OutboxFile(folder / OUTBOX)
        outbox = self.file.open_outboxes(["pump-1"], 7)["pump-1"]
        self.outbox = outbox
        self.publisher = Publisher(
            Identity("pump-1", secret, None), outbox, surroundings
        )

    def write(self, count: int) -> None:
        for _ in range(count):
            self.outbox.number(
                lambda epoch, seq: b'{"values":{},"seq":%d,"epoch":%d}' % (seq, epoch)
            )
        self.save()

    def save(self) -> None:
        if changes := self.outbox.take_changes():
            self.file.write([changes], {})
            self.outbox.on_disk(changes)
        self.publisher.wake()

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.save()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(self.publisher.run())
            beat = tasks.create_task(self.beat())
            yield
            self.publisher.leave()
            await run
            beat.cancel()
        self.save()
        self.file.close()


class TestPublisher:
    async def test_what_the_platform_forgets_is_sent_until_it_is_receipted(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        peer.loss = 0.4
        pen = Pen(tmp_path, broker.add_device("pump-1"), around(broker, HurriedClock()))
        async with pen.running():
            pen.write(100)
            await until(lambda: set(peer.numbers("pump-1")) == set(range(1, 101)))
            peer.loss = 0.0
            await until(lambda: pen.outbox.pending == 0)
        assert read_report(tmp_path / OUTBOX).publishers[0].receipted_through == 100

    async def test_a_killed_broker_costs_nothing_and_the_birth_says_where_numbers_begin(
        self, broker: Broker, tmp_path: Path
    ) -> None:
        pen = Pen(tmp_path, broker.add_device("pump-1"), around(broker, SystemClock()))
        async with pen.running():
            async with (peer := ReceiptPeer(broker.service_url)).listening():
                pen.write(50)
                await until(lambda: pen.outbox.pending == 0)
            pen.write(50)  # taken by the broker, and nobody listens
            await asyncio.to_thread(broker.kill)
            pen.write(50)
            await asyncio.to_thread(broker.start)
            async with (later := ReceiptPeer(broker.service_url)).listening():
                await until(lambda: pen.outbox.pending == 0)
        assert peer.births[0][1]["oldest_seq"] == 1
        assert later.births[-1][1]["oldest_seq"] == 51
        assert set(later.numbers("pump-1")) == set(range(51, 151))

    async def test_it_leaves_without_a_will(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        pen = Pen(tmp_path, broker.add_device("pump-1"), around(broker, SystemClock()))
        async with pen.running():
            pen.write(3)
            await until(lambda: pen.outbox.pending == 0)
        assert peer.deaths == []


class TestFaults:
    async def send_under(
        self, kind: FaultKind, broker: Broker, peer: ReceiptPeer, folder: Path
    ) -> list[int]:
        plan = FaultPlan([Fault(kind=kind, on="pump-1", duration=1e9)])
        pen = Pen(
            folder, broker.add_device("pump-1"), around(broker, SystemClock(), plan)
        )
        async with pen.running():
            pen.write(6)
            await until(lambda: set(peer.numbers("pump-1")) == set(range(1, 7)))
        return peer.numbers("pump-1")

    async def test_every_message_twice(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        numbers = await self.send_under(FaultKind.DUPLICATE, broker, peer, tmp_path)
        assert numbers[:4] == [1, 1, 2, 2]

    async def test_neighbours_swapped(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        numbers = await self.send_under(FaultKind.OUT_OF_ORDER, broker, peer, tmp_path)
        assert numbers[:4] == [2, 1, 4, 3]

    async def test_a_dropped_connection_looks_like_a_death_and_comes_back(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        clock, plan = SystemClock(), FaultPlan()
        surroundings = around(broker, clock, plan)
        pen = Pen(tmp_path, broker.add_device("pump-1"), surroundings)
        async with pen.running():
            pen.write(3)
            await until(lambda: pen.outbox.pending == 0)
            now = surroundings.elapsed()
            plan.add(
                Fault(
                    kind=FaultKind.DROP_CONNECTION, on="pump-1", start=now, duration=0.5
                )
            )
            await until(lambda: peer.deaths == [("pump-1", {})])
            pen.write(3)
            await until(lambda: len(peer.births) == 2 and pen.outbox.pending == 0)
        assert peer.births[1][1]["oldest_seq"] == 4


@dataclass
class Stage:
    folder: Path

    async def ask(self, request: Request) -> Answer:
        return await asyncio.to_thread(ask, self.folder, request)


class TestSimulator:
    @asynccontextmanager
    async def playing(
        self, city: City, broker: Broker, folder: Path
    ) -> AsyncIterator[Stage]:
        """A few of the city's publishers, ten times as often as usual."""
        surroundings = around(broker, SystemClock())
        plan = Plan(city, broker.add_devices(list(SOME)), folder, rate_factor=10)
        cast = assemble(plan, surroundings, lambda _connected: None)
        simulator, stop = Simulator(cast, surroundings), asyncio.Event()
        async with (
            listening(folder, Desk(cast, surroundings).respond),
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(simulator.run(stop))
            try:
                yield Stage(folder)
            finally:
                stop.set()

    async def test_it_plays_an_incident_and_leaves_in_order(
        self, city: City, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        def current() -> float:
            return next(
                (
                    float(item["values"]["current_l1"])
                    for _, message in reversed(peer.data)
                    for item in items_of(message)
                    if item.get("device") == "arna-10-feeder-07"
                ),
                0.0,
            )

        async with self.playing(city, broker, tmp_path) as stage:
            await until(lambda: 0 < current() < 150)
            standing = await stage.ask(TellStanding())
            assert standing.detail.startswith(
                f"{len(SOME)} of {len(SOME)} publishers connected"
            )
            wrong = await stage.ask(StartIncident(IncidentKind.BURST_MAIN, "arna-t-1"))
            assert not wrong.ok
            started = await stage.ask(
                StartIncident(
                    IncidentKind.OVERLOADED_FEEDER, "arna-10-feeder-07", duration=15
                )
            )
            assert started.ok
            await until(lambda: current() > 480)
        with pytest.raises(NotRunningError):
            await stage.ask(TellStanding())
        assert peer.deaths == []
        self.check_messages(city, peer)
        self.check_report(peer, read_report(tmp_path / OUTBOX))

    def check_messages(self, city: City, peer: ReceiptPeer) -> None:
        """Hosted devices are born and named; the simple counter numbers nothing; a round is one message."""
        born = {
            (publisher, birth.get("device", publisher))
            for publisher, birth in peer.births
        }
        assert {(publisher, publisher) for publisher in SOME} <= born
        assert {("arna-rtu-a", "arna-10-feeder-07"), ("dc-07-1", "meter-07-01")} <= born
        assert all(
            "seq" not in message for key, message in peer.data if key == "a3-counter-01"
        )
        for publisher, message in peer.data:
            for item in items_of(message):
                device = city.devices[item.get("device", publisher)]
                kind = city.device_types[device.type or ""]
                assert item["values"].keys() == {
                    channel.name for channel in kind.channels
                }
                assert publisher == device.key or publisher in device.hosted_by
        rounds = [
            len(m["items"]) for key, m in peer.data if key == "dc-07-1" and "items" in m
        ]
        assert set(rounds) <= {10, 11}  # one more may be due with the round

    def check_report(self, peer: ReceiptPeer, report: Report) -> None:
        """What the publishers believe is what arrived."""
        assert {each.publisher for each in report.publishers} == set(SOME) - {
            "a3-counter-01"
        }
        for each in report.publishers:
            pending = {
                n for first, last in each.pending for n in range(first, last + 1)
            }
            arrived = set(peer.numbers(each.publisher))
            assert set(range(each.first_seq, each.last_seq + 1)) == arrived | pending
            assert {epoch for key, epoch in peer.settled if key == each.publisher} == {
                each.epoch
            }

    async def test_a_silent_device_says_nothing_and_its_gateway_goes_on(
        self, city: City, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        def devices(since: int) -> set[str | None]:
            return {
                item.get("device")
                for _, message in peer.data[since:]
                for item in items_of(message)
            }

        async with self.playing(city, broker, tmp_path) as stage:
            await until(lambda: "arna-t-1" in devices(0))
            fault = Fault(kind=FaultKind.SILENCE, on="arna-t-1", duration=1e9)
            assert (await stage.ask(AddFault(fault))).ok
            since = len(peer.data)
            await until(lambda: len(peer.data) > since + 300)
        # One sample may have been under way.
        assert "arna-t-1" not in devices(since + 20)
        assert "arna-t-2" in devices(since + 20)

    async def test_what_died_just_now_goes_on_with_its_incident_and_what_stopped_does_not(
        self, city: City, broker: Broker, tmp_path: Path
    ) -> None:
        surroundings = around(broker, SystemClock())
        plan = Plan(city, {}, tmp_path)
        cast = assemble(plan, surroundings, lambda _connected: None)
        wanted = StartIncident(IncidentKind.JAMMED_OVERPASS, "gate-overpass-1", after=5)
        Desk(cast, surroundings).respond(wanted)
        simulator, stop = Simulator(cast, surroundings), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(simulator.run(stop))
            await until(lambda: cast.file.recall("incidents") not in {None, b"[]"})
            again = assemble(plan, surroundings, lambda _connected: None)
            stop.set()
        assert again.resumed
        assert again.world.incidents == cast.world.incidents
        again.file.close()
        stopped = assemble(plan, surroundings, lambda _connected: None)
        assert not stopped.resumed
        assert stopped.world.incidents == []
        stopped.file.close()

    def test_a_folder_has_one_simulator(self, tmp_path: Path) -> None:
        with locked(tmp_path), pytest.raises(FolderTakenError), locked(tmp_path):
            pass


class TestKilled:
    def start(self, home: Path, broker: Broker) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(sys.executable).with_name("alatau"))]
        command += [
            "sim",
            "--home",
            str(home),
            "--credentials",
            str(home / "devices.csv"),
        ]
        command += ["--broker", broker.device_url, "--rate-factor", "10"]
        with (home / "log").open("ab") as log:
            return subprocess.Popen(
                command, stderr=log, env={**os.environ, "ALATAU_LOG_LEVEL": "error"}
            )

    async def test_kill_9_loses_nothing_and_uses_no_number_twice(
        self, broker: Broker, peer: ReceiptPeer, tmp_path: Path
    ) -> None:
        secrets = broker.add_devices(list(SOME))
        with (tmp_path / "devices.csv").open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("device", "secret"), *secrets.items()])
        peer.loss = 0.3
        for _ in range(2):
            simulator = self.start(tmp_path, broker)
            since = len(peer.data)
            await until(lambda since=since: len(peer.data) > since + 150)  # type: ignore[misc]
            simulator.kill()
            simulator.wait()
        file = tmp_path / "simulator" / OUTBOX
        killed = {
            each.publisher: each.last_seq for each in read_report(file).publishers
        }
        peer.loss = 0.0
        simulator = self.start(tmp_path, broker)
        await until(
            lambda: all(
                set(range(1, last + 1)) <= set(peer.numbers(publisher))
                for publisher, last in killed.items()
            ),
        )
        simulator.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(simulator.wait) == 0
        self.check(peer, read_report(file))

    def check(self, peer: ReceiptPeer, report: Report) -> None:
        contents: dict[tuple[str, int, int], object] = {}
        for publisher, message in peer.data:
            if "seq" in message:
                key = publisher, message["epoch"], message["seq"]
                assert contents.setdefault(key, message) == message
        for each in report.publishers:
            numbers = {
                seq
                for key, epoch, seq in contents
                if (key, epoch) == (each.publisher, each.epoch)
            }
            pending = {
                n for first, last in each.pending for n in range(first, last + 1)
            }
            assert numbers | pending == set(range(1, each.last_seq + 1))
            assert each.dropped == 0
