"""Foreign edge nodes, unchanged: Eclipse Tahu's for Node and pysparkplug, with ingest killed in between."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.core.broker.client import BrokerClient, ClientOptions
from services.core.city.entities import Device
from services.core.storage import log_batch
from services.core.storage.event_log import Cursor, read
from tests.foreign_packages import npm_packages, python_packages
from tests.ingest_city import apply_ingest_city
from tests.integration.ingest_stage import PATIENCE, Stage, ingest_stage, until
from tests.integration.test_ingest_killed import child
from tests.stack_fixtures import Broker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
NODE = "feeder-1"
PUMP = Device(
    "pump-7",
    "probe",
    "post-7",
    publishes=False,
    hosted_by=(NODE,),
    external_ids=({"scheme": "sparkplug", "value": f"city/{NODE}/Pump 7"},),
)


@pytest.fixture
async def stage(broker: Broker, database_url: str) -> AsyncIterator[Stage]:
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database, 1, PUMP)
        yield stage


@pytest.fixture(params=["node", "python"])
def library(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[str, list[str], dict[str, str]]:
    """(name, command, environment) of an edge node."""
    if request.param == "node":
        found = npm_packages(HERE / "node", tmp_path / "log")
        script = str(HERE / "node/edge_node.cjs")
        return "node", [str(found.folder / "node"), script], {}
    packages = python_packages(HERE / "sparkplug-client.txt", tmp_path / "log")
    command = ["/usr/bin/python3", str(HERE / "edge_node.py")]
    return "python", command, {"PYTHONPATH": str(packages)}


class Edge:
    """A running edge node, and what it was asked."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[str] = []

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.heard.append(line.decode().strip())

    async def hears(self, word: str) -> None:
        async def has_heard() -> bool:
            return word in self.heard

        await until(has_heard)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def edge_node(
    stage: Stage, command: Sequence[str], environment: dict[str, str]
) -> AsyncIterator[Edge]:
    secret = stage.broker.secrets.get(NODE) or stage.broker.add_device(NODE)
    process = await asyncio.create_subprocess_exec(
        *command,
        str(stage.broker.port),
        NODE,
        secret,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    edge = Edge(process)
    listening = asyncio.create_task(edge.listen())
    try:
        yield edge
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        listening.cancel()


@asynccontextmanager
async def host_state(stage: Stage) -> AsyncIterator[BrokerClient]:
    """Who waits for the platform to be there, as an edge node with a primary host does."""
    secret = stage.broker.add_device("probe-1")
    url = f"mqtt://probe-1:{secret}@127.0.0.1:{stage.broker.port}"
    async with BrokerClient(ClientOptions(url)) as client:
        await client.subscribe(["spBv1.0/STATE/alatau"])
        yield client


async def is_said(client: BrokerClient, *, online: bool) -> int:
    """The time stamp of the first word that says so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            (message,) = await client.receive(1)
            said = json.loads(message.payload)
            if said["online"] is online:
                return int(said["timestamp"])


async def values(stage: Stage, device: str) -> set[float | None]:
    return {results[0] for results in (await stage.rows(device)).values()}


async def refuses(stage: Stage, channel: str) -> None:
    async def has_refused() -> bool:
        return ("item", "no_birth", channel, 0) in await stage.rejected()

    await until(has_refused)


async def stores(stage: Stage, device: str, value: float) -> None:
    async def has_it() -> bool:
        return value in await values(stage, device)

    await until(has_it)


async def notices(stage: Stage) -> list[tuple[str, str]]:
    rows = await stage.database.fetch("SELECT device_id, key FROM devices")
    keys = {row["device_id"]: row["key"] for row in rows}
    entries = await read(stage.database, "observations", Cursor(), 10_000)
    batches = [log_batch.decode(entry.body) for entry in entries]
    return [(n.kind, keys[n.device_id]) for batch in batches for n in batch.notices]


async def tells(stage: Stage, kind: str, device: str, times: int = 1) -> None:
    async def has_told() -> bool:
        return (await notices(stage)).count((kind, device)) >= times

    await until(has_told)


async def test_a_foreign_edge_node(
    stage: Stage, library: tuple[str, list[str], dict[str, str]]
) -> None:
    _, command, environment = library
    async with host_state(stage) as state:
        async with child(stage, "never", 0):
            since = await is_said(state, online=True)
            async with edge_node(stage, command, environment) as edge:
                await edge.hears("born")
                await stores(stage, NODE, 230.4)
                await stores(stage, "pump-7", 12.5)
                edge.say("data 231.5")
                edge.say("device 13.25")
                await stores(stage, NODE, 231.5)
                await stores(stage, "pump-7", 13.25)
                edge.say("device-death")
                await tells(stage, "death", "pump-7")
                edge.say("device-birth")
                await tells(stage, "birth", "pump-7", 2)
            await tells(stage, "death", NODE)
            assert (await notices(stage))[-2:] == [("death", NODE), ("death", "pump-7")]
        assert await is_said(state, online=False) >= since
    assert (await stage.ledger()).balanced
    assert [row for row in await stage.rejected() if row[0] == "item"] == []


async def test_after_a_kill_of_ingest_a_birth_is_asked_for(
    stage: Stage, library: tuple[str, list[str], dict[str, str]]
) -> None:
    """What was said at QoS 0 just then may be lost, and the birth brings the state of now."""
    name, command, environment = library
    async with (
        host_state(stage) as state,
        edge_node_after_a_kill(stage, state, command, environment) as edge,
    ):
        edge.say("data 233.5")
        await edge.hears("asked")
        if name == "node":  # its data names an alias alone
            await refuses(stage, "alias 1")
        await tells(stage, "birth", NODE, 2)
        edge.say("data 234.5")
        await stores(stage, NODE, 234.5)


@asynccontextmanager
async def edge_node_after_a_kill(
    stage: Stage,
    state: BrokerClient,
    command: Sequence[str],
    environment: dict[str, str],
) -> AsyncIterator[Edge]:
    """An edge node that ingest knows from before it was killed."""
    async with edge_node(stage, command, environment) as edge:
        await edge.hears("born")
        async with child(stage, "never", 0):
            await is_said(state, online=True)
            edge.say("data 232.5")
            await stores(stage, NODE, 232.5)
            await tells(stage, "birth", NODE)  # it waited at the broker, at QoS 0
            assert "asked" not in edge.heard
        await is_said(state, online=False)
        async with child(stage, "never", 0):
            await is_said(state, online=True)
            yield edge
