"""`alatau rejected`: list, count, show, mend and read again, from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.city import _kept_changes
from services.cli.rejected import register
from services.core.city.catalogue import Span
from services.core.city.entities import City
from services.core.storage.registry_store import apply_city
from tests.ingest_city import ingest_city
from tests.integration.ingest_stage import T0, Stage, ingest_stage
from tests.stack_fixtures import Broker

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@pytest.fixture
async def stage(
    broker: Broker, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    async with ingest_stage(broker, database_url) as stage:
        await apply_city(
            stage.database,
            city_with_yard(),
            retire=False,
            actor="tester",
            dry_run=False,
        )
        yield stage


async def run(*words: str, code: int = 0) -> str:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    asked = partial(CliRunner().invoke, app, ["rejected", *words])
    result = await asyncio.get_running_loop().run_in_executor(None, asked)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


async def read(*words: str) -> Any:
    return json.loads(await run(*words, "--json"))


async def test_the_three_mendings_and_what_city_apply_does_with_them(
    stage: Stage,
) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.values(T0, voltage=1200, current=1)
        await feeder.values(T0 + 1, U=231.5, current=1)
        async with stage.device("gw-1") as gateway:
            await gateway.send(
                {"time": T0, "device": "meter-9", "values": {"voltage": 230.0}}
            )
            await gateway.send(
                {"time": T0, "device": "meter-2", "values": {"voltage": 230.0}}
            )
        await stage.settled(4)
        rows = {row["reason"]: row for row in await read("list")}
        assert rows["unknown_channel"]["channel"] == "U"
        counted = await read("count", "--device", "feeder-1")
        assert {row["reason"]: row["open"] for row in counted["groups"]} == {
            "range": 1,
            "unknown_channel": 1,
        }

        async def fix(reason: str, *words: str) -> str:
            return await run("fix", str(rows[reason]["rejected_id"]), *words)

        offered = await fix("unknown_channel")
        assert "--channel NAME" in offered
        assert "voltage, current" in offered
        assert "1 refusals mended" in await fix(
            "unknown_channel", "--channel", "voltage", "--replay"
        )
        assert "0.0 to 1000.0" in await fix("range")
        assert "1 refusals mended" in await fix("range", "--high", "1500", "--replay")
        made = await fix("unknown_device", "--type", "meter", "--thing", "yard")
        assert "--reason unknown_device --device meter-9" in made
        assert "1 refusals mended" in await run("replay", "--device", "meter-9")
        assert "1 refusals mended" in await fix("not_hosted", "--tie", "--replay")
        assert await read("list") == []
    assert (await stage.rows("feeder-1"))[0][:2] == [1200, 0.001]
    assert (await stage.rows("feeder-1"))[1][:2] == [231.5, 0.001]
    assert (await stage.rows("meter-9"))[0][0] == 230
    assert (await stage.rows("meter-2"))[0][0] == 230
    audited = await stage.database.fetch(
        "SELECT entity, entity_key FROM audit WHERE actor <> 'tester' ORDER BY audit_id"
    )
    assert ("channel_aliases", "meter.U") in [tuple(row) for row in audited]
    assert ("observed_properties", "voltage") in [tuple(row) for row in audited]

    assert await apply_again(stage) == (1500, ["hard_max"])
    assert await apply_again(stage, voltage=Span(0, 1100)) == (1100, [])
    assert await apply_again(stage) == (1000, [])
    assert await stage.database.fetchval("SELECT count(*) FROM channel_aliases") == 1


async def apply_again(
    stage: Stage, voltage: Span | None = None
) -> tuple[float, list[str]]:
    """The hard range's end after the city file came again, and which changes were kept."""
    city = city_with_yard()
    if voltage is not None:
        wider = replace(city.catalogue["voltage"], hard=voltage)
        city = replace(city, catalogue={**city.catalogue, "voltage": wider})
    kept = await _kept_changes(stage.database, city)
    await apply_city(stage.database, city, retire=False, actor="tester", dry_run=False)
    high = await stage.database.fetchval(
        "SELECT hard_max FROM observed_properties WHERE key = 'voltage'"
    )
    return high, [change.field for change in kept]


def city_with_yard() -> City:
    city = ingest_city()
    yard = replace(city.things["hut"], key="yard")
    return replace(city, things={**city.things, "yard": yard})


async def test_what_is_shown_dismissed_and_cannot_be_mended(stage: Stage) -> None:
    async with stage.ingest(), stage.device("feeder-1") as feeder:
        await feeder.send(b'{"values": {"voltage": NaN')
        await stage.settled(1)
    (row,) = await read("list")
    shown = await read("show", str(row["rejected_id"]))
    assert shown["payload"] == '{"values": {"voltage": NaN'
    assert shown["remedy"] is None
    assert shown["payload_bytes"] == len(shown["payload"])
    assert "Nothing in the registry" in await run("fix", str(row["rejected_id"]))
    assert "dismissed: 1" in await run("dismiss", str(row["rejected_id"]))
    assert await read("list") == []
    (row,) = await read("list", "--all")
    assert row["state"] == "dismissed"
    await run("replay", code=2)
    await run("list", "--since", "1y", code=2)
