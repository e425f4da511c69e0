"""`city apply` on a real database: what it writes, keeps, retires and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.city import register
from services.core.city.datastreams import datastreams
from services.core.city.diff import Action
from services.core.city.entities import City
from services.core.city.records import Section
from services.core.city_folder import load_city
from services.core.errors import CityFileError
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import Applied, apply_city
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration

ALATAU = Path(__file__).parents[2] / "deploy/city/alatau.yaml"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, "test")
    yield connection
    await connection.close()


async def put(
    connection: Connection, city: City, *, retire: bool = False, dry_run: bool = False
) -> Applied:
    return await apply_city(
        connection, city, retire=retire, actor="tester", dry_run=dry_run
    )


async def revision(connection: Connection) -> int:
    number: int = await connection.fetchval("SELECT revision FROM registry_state")
    return number


async def ties(connection: Connection, datastream: str) -> list[tuple[int, int, bool]]:
    """(frame, slot, open) of a datastream, oldest first."""
    rows = await connection.fetch(
        """SELECT frame_id, slot, valid_to = 'infinity' AS open FROM datastream_slots
           JOIN datastreams USING (datastream_id) WHERE key = $1 ORDER BY valid_from""",
        datastream,
    )
    return [(row["frame_id"], row["slot"], row["open"]) for row in rows]


async def datastream_id(connection: Connection, key: str) -> int:
    number: int = await connection.fetchval(
        "SELECT datastream_id FROM datastreams WHERE key = $1", key
    )
    return number


class TestAlatau:
    async def test_a_second_apply_changes_nothing(self, connection: Connection) -> None:
        city = load_city(ALATAU)
        first = await put(connection, city)
        second = await put(connection, city)
        assert first.revision == 1
        assert second.diff.changes == ()
        assert second.revision == await revision(connection) == 1

    async def test_every_datastream_has_one_slot_in_its_devices_open_frame(
        self, connection: Connection
    ) -> None:
        city = load_city(ALATAU)
        await put(connection, city)
        found = await connection.fetch(
            """SELECT s.key, d.key AS device, c.channel
               FROM datastreams s
               JOIN datastream_slots l USING (datastream_id)
               JOIN frames f USING (frame_id)
               JOIN devices d USING (device_id)
               JOIN device_type_channels c ON c.device_type_id = f.device_type_id AND c.slot = l.slot
               WHERE f.closed_at IS NULL AND l.valid_from = '-infinity' AND l.valid_to = 'infinity'"""
        )
        wanted = {
            (stream.key, stream.device, stream.channel.name)
            for stream in datastreams(city)
        }
        assert len(found) == len(wanted)
        assert {(row["key"], row["device"], row["channel"]) for row in found} == wanted

    async def test_public_datastreams_are_numbered_from_one_and_others_far_above(
        self, connection: Connection
    ) -> None:
        await put(connection, load_city(ALATAU))
        rows = await connection.fetch(
            """SELECT p.privacy = 'public' AS public, min(datastream_id), max(datastream_id), count(*)
               FROM datastreams JOIN observed_properties p USING (observed_property_id) GROUP BY 1"""
        )
        found = {row["public"]: row for row in rows}
        assert (found[True]["min"], found[True]["max"]) == (1, found[True]["count"])
        assert found[False]["min"] == 1 << 20


def drop_tank(file: dict[str, Any]) -> None:
    del file["things"]["tank"]


def exchange_logger(file: dict[str, Any]) -> None:
    """Another device, of another type, at the same tank."""
    file["things"]["tank"]["devices"] = {"tank-station": {"type": "station"}}


def change_type(file: dict[str, Any]) -> None:
    file["things"]["tank"]["devices"]["tank-logger"]["type"] = "station"


def move_logger(file: dict[str, Any]) -> None:
    file["things"]["main"]["devices"] = file["things"]["tank"].pop("devices")


def send_flow_in_cubic_metres(file: dict[str, Any]) -> None:
    file["device_types"]["logger"]["channels"]["flow"] = "flow"


def insert_channel(file: dict[str, Any]) -> None:
    """A new channel, written before the others."""
    channels = file["device_types"]["logger"]["channels"]
    file["device_types"]["logger"]["channels"] = {"pump": "pump", **channels}


class TestSmallCity:
    async def test_a_dry_run_tells_and_writes_nothing(
        self, connection: Connection
    ) -> None:
        applied = await put(connection, small_city(), dry_run=True)
        assert "tank.flow" in applied.diff.keys(Section.DATASTREAM, Action.CREATED)
        written = await connection.fetchval(
            """SELECT (SELECT count(*) FROM districts) + (SELECT count(*) FROM things) + (SELECT count(*) FROM frames)
                    + (SELECT count(*) FROM datastreams) + (SELECT count(*) FROM audit)"""
        )
        assert written == 0
        assert await revision(connection) == 0

    async def test_what_vanished_stays_until_retire_is_said(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        kept = await put(connection, small_city(drop_tank))
        assert "tank" in kept.diff.keys(Section.THING, Action.VANISHED)
        assert kept.revision == 1
        gone = await put(connection, small_city(drop_tank), retire=True)
        assert gone.revision == 2
        assert {"tank-logger"} == set(gone.diff.keys(Section.DEVICE, Action.RETIRED))
        left = await connection.fetchval(
            """SELECT (SELECT count(*) FROM things WHERE key = 'tank' AND retired_at IS NULL)
                    + (SELECT count(*) FROM devices WHERE key = 'tank-logger' AND retired_at IS NULL)
                    + (SELECT count(*) FROM datastreams WHERE retired_at IS NULL)
                    + (SELECT count(*) FROM frames WHERE closed_at IS NULL)"""
        )
        assert left == 0
        assert [tie[2] for tie in await ties(connection, "tank.flow")] == [False]

    async def test_what_comes_back_is_what_it_was(self, connection: Connection) -> None:
        await put(connection, small_city())
        before = await datastream_id(connection, "tank.flow")
        await put(connection, small_city(drop_tank), retire=True)
        back = await put(connection, small_city())
        assert "tank" in back.diff.keys(Section.THING, Action.RESTORED)
        assert await datastream_id(connection, "tank.flow") == before
        assert [tie[2] for tie in await ties(connection, "tank.flow")] == [False, True]
        again = await put(connection, small_city())
        assert again.diff.changes == ()

    async def test_an_exchanged_device_continues_the_datastream_in_another_frame(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        before = await datastream_id(connection, "tank.level")
        await put(connection, small_city(exchange_logger), retire=True)
        assert await datastream_id(connection, "tank.level") == before
        (old_frame, old_slot, old_open), (new_frame, new_slot, new_open) = await ties(
            connection, "tank.level"
        )
        assert (old_open, new_open) == (False, True)
        assert old_frame != new_frame
        assert (old_slot, new_slot) == (1, 1)
        sensor = await connection.fetchval(
            "SELECT i.key FROM datastreams JOIN sensors i USING (sensor_id) WHERE datastream_id = $1",
            before,
        )
        assert sensor == "better_probe"

    async def test_the_slots_of_an_exchange_meet_without_a_gap(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        await put(connection, small_city(exchange_logger), retire=True)
        rows = await connection.fetch(
            """SELECT valid_from, valid_to FROM datastream_slots JOIN datastreams USING (datastream_id)
               WHERE key = 'tank.level' ORDER BY valid_from"""
        )
        assert rows[0]["valid_to"] == rows[1]["valid_from"]

    async def test_a_device_of_another_type_opens_another_frame(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        await put(connection, small_city(change_type))
        frames = await connection.fetch(
            """SELECT t.key, f.closed_at IS NULL AS open FROM frames f JOIN device_types t USING (device_type_id)
               ORDER BY frame_id"""
        )
        assert [tuple(row) for row in frames] == [("logger", False), ("station", True)]
        assert await ties(connection, "tank.pump") == [(2, 0, True)]

    async def test_a_moved_device_opens_another_frame_and_other_datastreams(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        await put(connection, small_city(move_logger))
        assert [tie[2] for tie in await ties(connection, "tank.flow")] == [False]
        assert [tie[2] for tie in await ties(connection, "main.flow")] == [True]
        assert (await ties(connection, "main.flow"))[0][0] != (
            await ties(connection, "tank.flow")
        )[0][0]

    async def test_another_unit_opens_another_datastream_in_a_new_slot(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        before = await datastream_id(connection, "tank.flow")
        applied = await put(connection, small_city(send_flow_in_cubic_metres))
        assert applied.diff.keys(Section.DATASTREAM, Action.REPLACED) == ["tank.flow"]
        after = await datastream_id(connection, "tank.flow")
        assert after != before
        old_key = await connection.fetchval(
            "SELECT key FROM datastreams WHERE datastream_id = $1 AND retired_at IS NOT NULL",
            before,
        )
        assert old_key == f"tank.flow.retired-{before}"
        assert [tie[1:] for tie in await ties(connection, old_key)] == [(0, False)]
        assert [tie[1:] for tie in await ties(connection, "tank.flow")] == [(2, True)]
        again = await put(connection, small_city(send_flow_in_cubic_metres))
        assert again.diff.changes == ()

    async def test_a_unit_that_comes_back_opens_a_third_datastream(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        await put(connection, small_city(send_flow_in_cubic_metres))
        await put(connection, small_city())
        slots = await connection.fetch(
            """SELECT slot, c.retired_at IS NULL AS live FROM device_type_channels c
               JOIN device_types USING (device_type_id) WHERE key = 'logger' AND channel = 'flow' ORDER BY slot"""
        )
        assert [tuple(row) for row in slots] == [(0, False), (2, False), (3, True)]

    async def test_slots_are_appended_wherever_a_channel_is_written(
        self, connection: Connection
    ) -> None:
        await put(connection, small_city())
        await put(connection, small_city(insert_channel))
        slots = await connection.fetch(
            """SELECT channel, slot FROM device_type_channels JOIN device_types USING (device_type_id)
               WHERE key = 'logger' ORDER BY slot"""
        )
        assert [tuple(row) for row in slots] == [("flow", 0), ("level", 1), ("pump", 2)]
        assert await ties(connection, "tank.pump") == [(1, 2, True)]

    async def test_a_public_property_keeps_its_datastreams_when_it_becomes_internal(
        self, connection: Connection
    ) -> None:
        def hide(file: dict[str, Any]) -> None:
            file["catalogue"]["level"]["privacy"] = "internal"

        await put(connection, small_city())
        before = await datastream_id(connection, "tank.level")
        applied = await put(connection, small_city(hide))
        assert [change.new for change in applied.diff.changes] == [
            {"privacy": "internal"}
        ]
        assert await datastream_id(connection, "tank.level") == before == 1

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (
                lambda file: file["catalogue"]["level"].update(unit="cm"),
                "level: its unit is m",
            ),
            (
                lambda file: file["catalogue"]["pump"]["codes"][1].update(value=2),
                "code 1 means 'running'",
            ),
            (
                lambda file: file["city"].update(key="other"),
                "the registry holds 'small'",
            ),
        ],
    )
    async def test_what_is_stored_gets_no_other_meaning(
        self,
        connection: Connection,
        change: Callable[[dict[str, Any]], None],
        reason: str,
    ) -> None:
        await put(connection, small_city())
        with pytest.raises(CityFileError, match=reason):
            await put(connection, small_city(change))
        assert await revision(connection) == 1

    async def test_every_write_is_in_the_audit_with_old_and_new(
        self, connection: Connection
    ) -> None:
        def rename(file: dict[str, Any]) -> None:
            file["things"]["tank"]["kind"] = "tower"

        first = await put(connection, small_city())
        created = await connection.fetchval(
            "SELECT count(*) FROM audit WHERE action = 'create' AND actor = 'tester'"
        )
        await put(connection, small_city(rename))
        row = await connection.fetchrow(
            "SELECT * FROM audit ORDER BY audit_id DESC LIMIT 1"
        )
        assert created == len(first.diff.changes)
        assert (row["action"], row["entity"], row["entity_key"]) == (
            "change",
            "things",
            "tank",
        )
        assert (row["old"], row["new"]) == ({"kind": "reservoir"}, {"kind": "tower"})

    async def test_two_at_once_write_once(self, database_url: str) -> None:
        one, other = (
            await connect(database_url, "test"),
            await connect(database_url, "test"),
        )
        async with asyncio.TaskGroup() as group:
            both = [group.create_task(put(each, small_city())) for each in (one, other)]
        assert sorted(task.result().diff.writes for task in both) == [False, True]
        assert {task.result().revision for task in both} == {1}
        await one.close()
        await other.close()

    async def test_listeners_are_told_the_new_revision(
        self, connection: Connection
    ) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        await connection.add_listener(
            "registry", lambda *notice: heard.put_nowait(notice[3])
        )
        await put(connection, small_city())
        assert await asyncio.wait_for(heard.get(), 5) == "1"


class TestCommand:
    def run(
        self, monkeypatch: pytest.MonkeyPatch, database_url: str, *words: str
    ) -> Any:
        monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
        app = typer.Typer()
        register(app)
        result = CliRunner().invoke(app, ["city", *words], catch_exceptions=False)
        assert result.exit_code == 0
        return json.loads(result.stdout) if "--json" in words else result.stdout

    def test_apply_then_show(
        self, monkeypatch: pytest.MonkeyPatch, database_url: str
    ) -> None:
        tried = self.run(
            monkeypatch, database_url, "apply", str(ALATAU), "--dry-run", "--json"
        )
        assert (tried["revision"], tried["written"]) == (0, False)
        applied = self.run(monkeypatch, database_url, "apply", str(ALATAU), "--json")
        assert (applied["revision"], applied["written"]) == (1, True)
        assert applied["counts"] == tried["counts"]
        shown = self.run(monkeypatch, database_url, "show", "--json")
        assert shown["city"]["key"] == "alatau"
        assert (
            shown["counts"]["datastream"]["live"]
            == applied["counts"]["datastream"]["created"]
        )
        assert "nothing to change" in self.run(
            monkeypatch, database_url, "apply", str(ALATAU)
        )

    def test_the_difference_is_readable(
        self, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
    ) -> None:
        for file in ALATAU.parent.iterdir():
            if file.is_file():
                text = file.read_text(encoding="utf-8")
                text = text.replace(
                    'unit: "[pH]"\n',
                    'unit: "[pH]"\n    definition: http://example.org/[pH]\n',
                )
                (tmp_path / file.name).write_text(text, encoding="utf-8")
        self.run(monkeypatch, database_url, "apply", str(ALATAU))
        told = self.run(
            monkeypatch,
            database_url,
            "apply",
            str(tmp_path / "alatau.yaml"),
            "--dry-run",
        )
        assert (
            "~ observed_property water_ph\n    definition: None → 'http://example.org/[pH]'"
            in told
        )
        assert "dry run: nothing written, registry revision stays 1" in told
