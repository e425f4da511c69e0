"""Watching one device: what is told of its messages, to the command line and over the API, and to nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.api.auth.permissions import Role
from services.cli.devices import register
from services.core.storage.watches import read_reports, watch
from tests.ingest_city import apply_ingest_city
from tests.integration.api.serving import served
from tests.integration.ingest_stage import (
    CLOCK,
    T0,
    Speaker,
    Stage,
    ingest_stage,
    until,
)
from tests.stack_fixtures import Broker

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest.fixture
async def stage(
    broker: Broker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    async with ingest_stage(broker, database_url) as stage:
        await apply_ingest_city(stage.database)
        yield stage


async def told(stage: Stage, device: str) -> list[dict[str, Any]]:
    return [report for _, report in await read_reports(stage.database, device, 0)]


async def send_until_told(stage: Stage, device: Speaker, watched: str) -> None:
    """Ingest looks once a second who is watched."""
    for seq in range(1, 1000):
        await device.send(
            {"seq": seq, "epoch": 1, "time": T0 + seq, "values": {"voltage": 230 + seq}}
        )
        if await told(stage, watched):
            return
        await asyncio.sleep(0.05)


async def test_every_stage_of_a_watched_message_is_told_and_nothing_of_others(
    stage: Stage,
) -> None:
    async with (
        stage.ingest(),
        stage.device("feeder-1") as feeder,
        stage.device("probe-1") as probe,
    ):
        await watch(stage.database, "feeder-1", by="tester", now=CLOCK.now())
        await send_until_told(stage, feeder, "feeder-1")
        await probe.values(T0, voltage=230)
        before = len(await told(stage, "feeder-1"))
        no_text = {"\ud800": 1, "a\x00b": 1}  # is no reason not to tell
        message = {
            "time": T0,
            "values": {"voltage": 9999, "current": 5, "U": 1, **no_text},
        }
        await feeder.send({**message, "seq": 5000, "epoch": 1})

        async def both_told() -> bool:
            reports = (await told(stage, "feeder-1"))[before:]
            return {"message", "receipt"} <= {one["kind"] for one in reports}

        await until(both_told)
        assert await told(stage, "probe-1") == []
        reports = await told(stage, "feeder-1")
    (last,) = [r for r in reports if r.get("decoded", {}).get("seq") == 5000]
    assert last["received"]["publisher"] == "feeder-1"
    assert json.loads(last["received"]["payload"])["seq"] == 5000
    assert last["checked"]["channels"] == {
        "feeder-1": ["U", "\\ud800", "a\\0b", "current", "voltage"]
    }
    assert {(one["reason"], one["channel"]) for one in last["refused"]} == {
        ("range", "voltage"),
        ("unknown_channel", "U"),
        ("unknown_channel", "\\ud800"),
        ("unknown_channel", "a\\0b"),
    }
    assert last["committed"]["stored"] == 1
    assert last["committed"]["batch"] > 0
    assert last["committed"]["latency_ms"] >= 0


async def test_the_command_follows_and_reports(stage: Stage) -> None:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    words = ["devices", "watch", "meter-1", "--for", "3s", "--report", "--json"]
    async with stage.ingest(), stage.device("gw-1") as gateway:
        asked = asyncio.get_running_loop().run_in_executor(
            None, CliRunner().invoke, app, words
        )
        for number in range(1000):
            if asked.done():
                break
            item = {"time": T0 + number, "device": "meter-1", "values": {"voltage": 1}}
            await gateway.send(item)
            await asyncio.sleep(0.05)
        result = await asked
    assert result.exit_code == 0, result.output
    said = [line for line in result.output.splitlines() if line.startswith("{")]
    *events, report = map(json.loads, said)
    assert len(events) > 5
    assert report["kind"] == "report"
    verdicts = {check["check"]: check["verdict"] for check in report["checks"]}
    assert verdicts["channels"] == "failed"
    assert verdicts["sequence"] == "not_seen"
    assert verdicts["qos"] == "passed"


async def test_the_api_streams_it_to_engineers(stage: Stage, database_url: str) -> None:
    path = "/api/v1/devices/feeder-1/watch"
    async with served(database_url) as server, asyncio.TaskGroup() as group:

        async def let_time_pass() -> None:
            while True:
                server.api.clock.advance(0.1)
                await asyncio.sleep(0.02)

        operator = await server.api.session(Role.OPERATOR)
        assert (await server.api.get(path, operator)).status_code == 403
        elsewhere = await server.api.session(Role.ENGINEER, domains=["water"])
        assert (await server.api.get(path, elsewhere)).status_code == 404
        engineer = await server.api.session(Role.ENGINEER)
        passing = group.create_task(let_time_pass())
        async with (
            stage.ingest(),
            stage.device("feeder-1") as feeder,
            server.stream(path, engineer) as stream,
        ):
            assert (await stream.next()).name == "hello"
            await watch(stage.database, "feeder-1", by="tester", now=CLOCK.now())
            await send_until_told(stage, feeder, "feeder-1")
            event = await stream.next("report")
            while event.data["kind"] != "message":
                event = await stream.next("report")
            assert event.data["received"]["publisher"] == "feeder-1"
            assert event.id is not None
            report = await server.api.read(
                "/api/v1/devices/feeder-1/conformance", engineer, lang="ru"
            )
        passing.cancel()
    assert report["title"] == "Отчёт о соответствии протоколу"
    assert report["messages"] >= 1
