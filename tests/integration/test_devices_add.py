"""`alatau devices add` and `show` on a real database: what is registered, kept the same, and refused."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli.devices import register
from services.core.city.entities import City
from services.core.errors import PlatformError
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_snapshot import RegistrySnapshot
from services.core.storage.registry_store import RegistrationError, apply_city
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration

T = TypeVar("T")
AT_MAIN = ("--type", "logger", "--thing", "main")


class Installation:
    """A database with the small city, and the command."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._app = typer.Typer()
        register(self._app)

    def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def on_connection() -> T:
            connection = await connect(self._dsn, "test")
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(on_connection())

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        return self.run(lambda one: _rows(one, query))

    def apply(self, city: City, *, retire: bool = False) -> Any:
        return self.run(
            lambda one: apply_city(
                one, city, retire=retire, actor="test", dry_run=False
            )
        )

    def devices(self, *arguments: str) -> Result:
        result = CliRunner().invoke(self._app, ["devices", *arguments])
        if isinstance(result.exception, PlatformError):
            raise result.exception
        return result

    def add(self, *arguments: str) -> dict[str, str]:
        """The secrets that it printed, by device."""
        result = self.devices("add", *arguments)
        assert result.exit_code == 0, result.output
        rows = csv.DictReader(io.StringIO(result.stdout))
        return {row["device"]: row["secret"] for row in rows}

    def revision(self) -> int:
        return int(self.fetch("SELECT revision FROM registry_state")[0][0])


async def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query)]


@pytest.fixture
def city(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("ALATAU_DATABASE_URL", database_url)
    made = Installation(database_url)
    made.apply(small_city())
    return made


def test_a_new_publisher_has_its_datastreams_and_one_secret(city: Installation) -> None:
    secrets = city.add("new-logger", *AT_MAIN)
    assert len(secrets["new-logger"]) > 40
    assert city.fetch(
        """SELECT s.key, l.slot FROM datastreams s JOIN datastream_slots l USING (datastream_id)
           JOIN frames f USING (frame_id) JOIN devices d USING (device_id)
           WHERE d.key = 'new-logger' AND l.valid_from = '-infinity' ORDER BY l.slot"""
    ) == [("main.flow", 0), ("main.level", 1)]
    device = city.run(RegistrySnapshot.load).device("new-logger")
    assert device is not None
    assert device.publishes
    assert device.frame_id is not None


def test_every_write_is_in_the_audit(city: Installation) -> None:
    city.add("new-logger", *AT_MAIN)
    rows = city.fetch(
        "SELECT actor, action, entity, entity_key FROM audit WHERE actor = 'cli' ORDER BY 3, 4"
    )
    assert rows == [
        ("cli", "create", "credentials", "new-logger"),
        ("cli", "create", "datastreams", "main.flow"),
        ("cli", "create", "datastreams", "main.level"),
        ("cli", "create", "devices", "new-logger"),
    ]


def test_the_same_call_again_changes_nothing_and_says_so(city: Installation) -> None:
    city.add("new-logger", *AT_MAIN)
    before = city.revision()
    again = city.devices("add", "new-logger", *AT_MAIN)
    assert again.exit_code == 0
    assert again.stdout == ""
    assert "nothing to change" in again.stderr
    assert city.revision() == before


@pytest.mark.parametrize(
    ("facts", "difference"),
    [
        (("--type", "station", "--thing", "main"), "type is logger, not station"),
        (("--type", "logger", "--thing", "tank"), "thing is main, not tank"),
        ((*AT_MAIN, "--hosted-by", "gateway"), "gateways are none, not gateway"),
    ],
)
def test_other_facts_are_refused_and_named(
    city: Installation, facts: tuple[str, ...], difference: str
) -> None:
    city.add("new-logger", *AT_MAIN)
    before = city.revision()
    with pytest.raises(RegistrationError, match=difference):
        city.add("new-logger", *facts)
    assert city.revision() == before


def test_a_hosted_device_has_no_credentials_and_its_gateway_may_speak_for_it(
    city: Installation,
) -> None:
    assert city.add("new-logger", *AT_MAIN, "--hosted-by", "gateway") == {}
    assert city.fetch("SELECT * FROM credentials") == []
    snapshot = city.run(RegistrySnapshot.load)
    device, gateway = snapshot.device("new-logger"), snapshot.device("gateway")
    assert device is not None
    assert gateway is not None
    assert device.device_id in gateway.hosts
    with pytest.raises(PlatformError, match="Hosted"):
        city.add("new-logger")


def test_registering_can_leave_credentials_for_later(city: Installation) -> None:
    assert city.add("new-logger", *AT_MAIN, "--no-credentials") == {}
    assert list(city.add("new-logger")) == ["new-logger"]


def test_revoked_credentials_do_not_come_back_by_registering_again(
    city: Installation,
) -> None:
    city.add("new-logger", *AT_MAIN)
    city.devices("revoke", "new-logger")
    assert city.add("new-logger", *AT_MAIN) == {}
    assert list(city.add("new-logger")) == ["new-logger"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("new", "--type", "loger", "--thing", "main"), "did you mean 'logger'"),
        (("new", "--type", "logger", "--thing", "mian"), "did you mean 'main'"),
        (("new", *AT_MAIN, "--hosted-by", "gatewy"), "did you mean 'gateway'"),
        (("new", *AT_MAIN, "--hosted-by", "tank-logger"), "does not publish"),
        (("new", *AT_MAIN, "--hosted-by", "new"), "cannot host itself"),
        (("new", "--type", "logger", "--thing", "tank"), "reported by tank-logger"),
        (("a", "b", *AT_MAIN), "flow, level of main: reported by a"),
        (("gatewai",), "did you mean 'gateway'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    city: Installation, arguments: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(PlatformError, match=reason):
        city.add(*arguments)
    assert city.revision() == 1


def test_what_others_call_a_device(city: Installation, tmp_path: Path) -> None:
    hosted = (*AT_MAIN, "--hosted-by", "gateway")
    city.add("new-logger", *hosted, "--external-id", "dev_eui=01ab", "--external-id", "serial=A=7")  # fmt: skip
    snapshot = city.run(RegistrySnapshot.load)
    logger = snapshot.device("new-logger")
    assert logger is not None
    assert snapshot.named("dev_eui:01ab") == snapshot.named("serial:A=7") == logger
    city.add("new-logger", *hosted)  # says nothing of them
    with pytest.raises(PlatformError, match=r"external ids are dev_eui=01ab, serial"):
        city.add("new-logger", *hosted, "--external-id", "dev_eui=01ac")
    city.devices("add", "sparkplug:a/b/Pump 7", "--thing", "main")
    pump = city.run(RegistrySnapshot.load).named("sparkplug:a/b/Pump 7")
    assert pump is not None
    assert pump.key == "pump-7"
    file = tmp_path / "new.csv"
    file.write_text("device,thing,external_ids\nnew-gate,main,dev_eui\n")
    with pytest.raises(PlatformError, match="not scheme=value"):
        city.devices("add", "--from", str(file))


class TestFile:
    def test_many_are_registered_in_one_transaction_with_gateways_among_them(
        self, city: Installation, tmp_path: Path
    ) -> None:
        file, out = tmp_path / "new.csv", tmp_path / "secrets.csv"
        file.write_text(
            "device,type,thing,gateway,note\n"
            "new-gate,,main,,a gateway\n"
            "new-logger,logger,main,new-gate gateway,\n"
            "gateway,,,,registered already\n"
        )
        city.devices("add", "--from", str(file), "--out", str(out))
        with out.open() as table:
            assert [row["device"] for row in csv.DictReader(table)] == [
                "gateway",
                "new-gate",
            ]
        assert out.stat().st_mode & 0o777 == 0o600
        assert city.fetch(
            """SELECT g.key FROM device_hosts JOIN devices g ON g.device_id = gateway_id
               JOIN devices d ON d.device_id = device_hosts.device_id WHERE d.key = 'new-logger' ORDER BY 1"""
        ) == [("gateway",), ("new-gate",)]

    def test_all_problems_are_named_and_nothing_is_written(
        self, city: Installation, tmp_path: Path
    ) -> None:
        file = tmp_path / "new.csv"
        file.write_text(
            "device,type,thing\ngood,logger,main\nbad-1,loger,main\nbad-2,logger,mian\n"
        )
        with pytest.raises(RegistrationError) as refused:
            city.devices("add", "--from", str(file))
        assert [text.split(":")[0] for text in refused.value.problems] == [
            "bad-1",
            "bad-2",
        ]
        assert city.fetch("SELECT key FROM devices WHERE key = 'good'") == []

    def test_lines_that_cannot_be_read_are_named(
        self, city: Installation, tmp_path: Path
    ) -> None:
        file = tmp_path / "new.csv"
        file.write_text("device,type,thing\nBAD,logger,main\nno-thing,logger,\n")
        with pytest.raises(PlatformError) as refused:
            city.devices("add", "--from", str(file))
        assert str(refused.value).splitlines() == [
            "new.csv:2: 'BAD' is not a device id",
            "new.csv:3: no-thing: needs a thing",
        ]

    def test_a_mistyped_column_is_refused(
        self, city: Installation, tmp_path: Path
    ) -> None:
        file = tmp_path / "new.csv"
        file.write_text("device,typ,thing\nx,logger,main\n")
        with pytest.raises(PlatformError, match="did you mean 'type'"):
            city.devices("add", "--from", str(file))


class TestCityApply:
    """What a later `city apply` does to a device that is not in its file."""

    def test_it_is_reported_and_left_as_it_is(self, city: Installation) -> None:
        city.add("new-logger", *AT_MAIN, "--hosted-by", "gateway")
        before = self._held(city)
        applied = city.apply(small_city())
        told = {(str(change.action), change.key) for change in applied.diff.changes}
        assert told == {
            ("vanished", "new-logger"),
            ("vanished", "gateway hosts new-logger"),
            ("vanished", "main.flow"),
            ("vanished", "main.level"),
        }
        assert self._held(city) == before

    def test_it_stays_in_step_with_its_type(self, city: Installation) -> None:
        """A channel that is new or means something else is that device's too."""

        def change(file: dict[str, Any]) -> None:
            file["device_types"]["logger"]["channels"].update(flow="flow", pump="pump")

        city.add("new-logger", *AT_MAIN)
        city.apply(small_city(change))
        assert self._held(city) == [
            ("main.flow", 2),
            ("main.level", 1),
            ("main.pump", 3),
        ]
        again = city.apply(small_city(change))
        assert not again.diff.writes

    def test_it_goes_only_when_told_to_and_comes_back_as_it_was(
        self, city: Installation
    ) -> None:
        city.add("new-logger", *AT_MAIN)
        city.apply(small_city(), retire=True)
        assert self._held(city) == []
        assert city.add("new-logger", *AT_MAIN) == {}
        assert self._held(city) == [("main.flow", 0), ("main.level", 1)]

    def _held(self, city: Installation) -> list[tuple[Any, ...]]:
        return city.fetch(
            """SELECT s.key, l.slot FROM datastreams s JOIN datastream_slots l USING (datastream_id)
               JOIN frames f USING (frame_id) JOIN devices d USING (device_id)
               WHERE d.key = 'new-logger' AND d.retired_at IS NULL AND s.retired_at IS NULL
                 AND f.closed_at IS NULL AND l.valid_to = 'infinity' ORDER BY s.key"""
        )


class TestShow:
    def test_json_tells_what_a_maker_needs(self, city: Installation) -> None:
        city.add("new-logger", *AT_MAIN)
        told = json.loads(city.devices("show", "new-logger", "--json").stdout)
        assert (told["device_type"], told["thing"]) == ("logger", "main")
        assert told["may_connect"] is True
        assert told["last_seen"] is None
        flow = told["channels"][0]
        assert (flow["channel"], flow["unit"], flow["canonical_unit"]) == (
            "flow",
            "L/s",
            "m3/h",
        )
        assert (flow["hard_min"], flow["hard_max"]) == (0, 5000)
        assert flow["datastream"] == "main.flow"

    def test_text_tells_units_codes_and_hosting(self, city: Installation) -> None:
        city.add(
            "new-station", "--type", "station", "--thing", "main",
            "--hosted-by", "gateway",
        )  # fmt: skip
        told = city.devices("show", "new-station").stdout
        assert "stopped (0), running (1)" in told
        assert "0 to 10 m" in told
        assert "its gateway publishes for it" in told
        assert "gateway" in told

    def test_an_unknown_device_gets_a_near_name(self, city: Installation) -> None:
        with pytest.raises(PlatformError, match="did you mean 'tank-logger'"):
            city.devices("show", "tank-loger")
