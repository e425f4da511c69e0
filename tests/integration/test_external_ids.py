"""Devices by the names that others give them."""

import copy
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.core.city.entities import City
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_snapshot import RegistrySnapshot
from services.core.storage.registry_store import apply_city
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, "test")
    yield connection
    await connection.close()


def city(**names: dict[str, str]) -> City:
    """The small city, its devices with external ids."""
    made = copy.copy(small_city())
    devices = dict(made.devices)
    for key, ids in names.items():
        listed = tuple({"scheme": s, "value": v} for s, v in ids.items())
        device = key.replace("_", "-")
        devices[device] = replace(devices[device], external_ids=listed)
    return replace(made, devices=devices)


async def apply(connection: Connection, wanted: City) -> None:
    await apply_city(connection, wanted, retire=True, actor="tester", dry_run=False)


def found(snapshot: RegistrySnapshot, name: str) -> str | None:
    device = snapshot.named(name)
    return None if device is None else device.key


async def test_a_device_is_found_by_each_of_its_names(connection: Connection) -> None:
    await apply(connection, city(tank_logger={"dev_eui": "01ab", "serial": "A:7/x"}))
    snapshot = await RegistrySnapshot.load(connection)
    names = ("tank-logger", "dev_eui:01ab", "serial:A:7/x", "any:tank-logger", "any:a/b/tank-logger")  # fmt: skip
    assert {found(snapshot, name) for name in names} == {"tank-logger"}
    for name in ("dev_eui:01AB", "serial:01ab", "01ab", "dev_eui:", ":", "x:"):
        assert found(snapshot, name) is None


async def test_names_that_changed_are_followed(connection: Connection) -> None:
    await apply(connection, city(tank_logger={"a": "1"}, gateway={"a": "2"}))
    snapshot = await RegistrySnapshot.load(connection)
    await apply(connection, city(tank_logger={"a": "3"}))
    assert await snapshot.refresh(connection)
    assert [found(snapshot, f"a:{value}") for value in "123"] == [
        None,
        None,
        "tank-logger",
    ]
    await apply(connection, city(gateway={"b": "1"}))
    await snapshot.refresh(connection)
    assert found(snapshot, "a:3") is None
    assert found(snapshot, "b:1") == "gateway"


async def test_of_two_that_have_a_name_the_one_in_service_has_it(
    connection: Connection,
) -> None:
    await apply(connection, city(tank_logger={"a": "1"}, gateway={"a": "1"}))
    snapshot = await RegistrySnapshot.load(connection)
    first = found(snapshot, "a:1")
    assert first is not None
    await connection.execute(
        "UPDATE devices SET retired_at = now(), revision = 9 WHERE key = $1", first
    )
    await connection.execute("UPDATE registry_state SET revision = 9")
    await snapshot.refresh(connection)
    assert {first, found(snapshot, "a:1")} == {"tank-logger", "gateway"}
