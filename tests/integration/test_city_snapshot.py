"""The registry snapshot: what ingest sees of the registry, and how it keeps up."""

import math
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from services.core.city.catalogue import Kind
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_snapshot import (
    Profile,
    RegisteredDevice,
    RegistrySnapshot,
)
from services.core.storage.registry_store import apply_city
from tests.unit.city.small_city import small_city

pytestmark = pytest.mark.integration


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await connect(database_url, "test")
    await apply_city(
        connection, small_city(), retire=False, actor="tester", dry_run=False
    )
    yield connection
    await connection.close()


async def change(connection: Connection, city: Any) -> None:
    await apply_city(connection, city, retire=True, actor="tester", dry_run=False)


def found(snapshot: RegistrySnapshot, key: str) -> RegisteredDevice:
    device = snapshot.device(key)
    assert device is not None
    return device


def profile_of(snapshot: RegistrySnapshot, key: str) -> Profile:
    profile = found(snapshot, key).profile
    assert profile is not None
    return profile


async def test_a_profile_has_everything_by_slot(connection: Connection) -> None:
    snapshot = await RegistrySnapshot.load(connection)
    profile = profile_of(snapshot, "tank-logger")
    assert profile.channels == {"flow": 0, "level": 1}
    assert profile.kinds == (Kind.MEASUREMENT, Kind.MEASUREMENT)
    assert (profile.period_ms, profile.max_age_ms, profile.server_time) == (
        5_000,
        35 * 86_400_000,
        False,
    )
    np.testing.assert_array_equal(
        profile.factor, [3.6, 1.0]
    )  # litres a second to cubic metres an hour
    np.testing.assert_array_equal(profile.hard_max, [5_000, 10])
    np.testing.assert_array_equal(profile.plausible_min, [-math.inf, 1])
    assert profile.codes == (None, None)


async def test_a_publisher_declares_what_it_and_its_hosted_devices_send(
    connection: Connection,
) -> None:
    snapshot = await RegistrySnapshot.load(connection)
    gateway, logger = found(snapshot, "gateway"), found(snapshot, "tank-logger")
    assert snapshot.declared_rate(gateway) == snapshot.declared_rate(logger) == 0.2
    assert logger.device_id in gateway.hosts
    assert list(gateway.hosts) == [logger.device_id]


async def test_gateways_know_whom_they_host(connection: Connection) -> None:
    snapshot = await RegistrySnapshot.load(connection)
    gateway, logger = found(snapshot, "gateway"), found(snapshot, "tank-logger")
    assert gateway.hosts == {logger.device_id}
    assert (gateway.publishes, gateway.frame_id, gateway.profile) == (True, None, None)
    assert (logger.publishes, logger.retired, logger.hosts) == (
        False,
        False,
        frozenset(),
    )
    assert snapshot.by_id(logger.device_id) is logger
    assert snapshot.device("nobody") is snapshot.by_id(0) is snapshot.by_id(99) is None


async def test_refresh_does_nothing_until_the_revision_moves(
    connection: Connection,
) -> None:
    snapshot = await RegistrySnapshot.load(connection)
    before = found(snapshot, "gateway")
    assert not await snapshot.refresh(connection)
    assert snapshot.device("gateway") is before


async def test_refresh_brings_new_devices_hosts_and_states(
    connection: Connection,
) -> None:
    def add(file: dict[str, Any]) -> None:
        file["things"]["main"]["devices"] = {
            "main-station": {"type": "station", "hosted_by": ["gateway"]}
        }

    snapshot = await RegistrySnapshot.load(connection)
    await change(connection, small_city(add))
    assert await snapshot.refresh(connection)
    station = found(snapshot, "main-station")
    assert station.device_id in found(snapshot, "gateway").hosts
    assert profile_of(snapshot, "main-station").codes[0] == {"stopped": 0, "running": 1}
    assert profile_of(snapshot, "main-station").code_values[0] == frozenset({0, 1})
    assert len(snapshot) == 3


async def test_refresh_sees_a_retired_device_and_an_ended_hosting(
    connection: Connection,
) -> None:
    def drop(file: dict[str, Any]) -> None:
        del file["things"]["tank"]["devices"]

    snapshot = await RegistrySnapshot.load(connection)
    await change(connection, small_city(drop))
    await snapshot.refresh(connection)
    assert (
        found(snapshot, "tank-logger").retired,
        found(snapshot, "tank-logger").frame_id,
    ) == (True, None)
    assert found(snapshot, "gateway").hosts == frozenset()


async def test_refresh_sees_another_frame_after_an_exchange_of_type(
    connection: Connection,
) -> None:
    def exchange(file: dict[str, Any]) -> None:
        file["things"]["tank"]["devices"]["tank-logger"]["type"] = "station"

    snapshot = await RegistrySnapshot.load(connection)
    before = found(snapshot, "tank-logger")
    await change(connection, small_city(exchange))
    await snapshot.refresh(connection)
    assert found(snapshot, "tank-logger").frame_id != before.frame_id
    assert profile_of(snapshot, "tank-logger").key == "station"


async def test_a_rescaled_channel_keeps_its_slot_and_loses_its_name(
    connection: Connection,
) -> None:
    def rescale(file: dict[str, Any]) -> None:
        file["device_types"]["logger"]["channels"]["flow"] = "flow"

    snapshot = await RegistrySnapshot.load(connection)
    await change(connection, small_city(rescale))
    await snapshot.refresh(connection)
    profile = profile_of(snapshot, "tank-logger")
    assert profile.channels == {"level": 1, "flow": 2}
    np.testing.assert_array_equal(profile.factor, [3.6, 1.0, 1.0])


async def test_a_loaded_snapshot_is_a_refreshed_one(connection: Connection) -> None:
    def more(file: dict[str, Any]) -> None:
        file["devices"]["gateway-2"] = {}
        file["things"]["tank"]["devices"]["tank-logger"]["hosted_by"] = ["gateway-2"]

    refreshed = await RegistrySnapshot.load(connection)
    await change(connection, small_city(more))
    await refreshed.refresh(connection)
    loaded = await RegistrySnapshot.load(connection)
    assert refreshed.revision == loaded.revision == 2
    for key in ("gateway", "gateway-2", "tank-logger"):
        one, other = found(refreshed, key), found(loaded, key)
        assert (one.device_id, one.frame_id, one.hosts) == (
            other.device_id,
            other.frame_id,
            other.hosts,
        )
