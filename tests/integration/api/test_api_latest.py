"""Newest values."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import DAY, MINUTE, NOW, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/api/v1/latest"


async def test_the_newest_value_has_its_age_and_its_words(api: CityApi) -> None:
    admin = await api.session()
    pump = f"pump-{SECRET}"
    await seed.store_latest(api.database, f"{pump}-dev", NOW - MINUTE, (9.0, 1.0, None))
    page = await api.read(PATH, admin, thing=pump, lang="en")
    by_key = {item["datastream"]: item for item in page["items"]}
    state, alarms, pressure = (
        by_key[f"{pump}.{channel}"] for channel in ("state", "alarms", "pressure")
    )
    assert (state["result"], state["codes"], state["quality"]) == (9, ["fault"], "good")
    assert state["age_seconds"] == 60.0
    assert state["stale"] is True
    assert alarms["codes"] == ["door"]
    assert (pressure["result"], pressure["phenomenon_time"], pressure["stale"]) == (
        None,
        None,
        True,
    )


async def test_a_device_that_said_it_is_gone_has_stale_values(api: CityApi) -> None:
    """A value from after its death shows that it is back."""
    admin = await api.session()
    for died_before, stale in ((-1, True), (1, False)):
        await seed.store_latest(api.database, "air-1-dev", NOW, (5.0, 0.0))
        await api.database.execute(
            """
            INSERT INTO device_status (device_id, online, online_since)
            SELECT device_id, false, $1 FROM devices WHERE key = 'air-1-dev'
            ON CONFLICT (device_id) DO UPDATE SET online = false, online_since = excluded.online_since
            """,
            NOW - died_before * MINUTE,
        )
        page = await api.read(PATH, admin, datastream="air-1.pm25")
        assert [item["stale"] for item in page["items"]] == [stale]


async def test_newest_values_are_filtered_by_where_and_what(api: CityApi) -> None:
    admin = await api.session()

    async def found(**query: object) -> list[str]:
        page = await api.read(PATH, admin, **query)
        return [item["datastream"] for item in page["items"]]

    assert len(await found()) == 12
    assert await found(domain="environment", observed_property="pm25") == ["air-1.pm25"]
    assert await found(datastream=["air-1.rain", "none.such"]) == ["air-1.rain"]
    assert len(await found(district="golden")) == 3


async def test_newest_values_keep_to_the_scope_and_to_households(api: CityApi) -> None:
    energy = f"house-{SECRET}.energy"
    for role, seen in ((Role.VIEWER, False), (Role.OPERATOR, True)):
        session = await api.session(role, domains=["power"])
        page = await api.read(PATH, session)
        names = [item["datastream"] for item in page["items"]]
        assert (energy in names) is seen
        assert "air-1.pm25" not in names


async def test_a_value_from_before_the_slot_was_the_datastreams_is_not_its_own(
    own_api: CityApi,
) -> None:
    await seed.store_latest(own_api.database, "air-1-dev", NOW - DAY, (5.0, None, None))
    await own_api.database.execute(
        """
        UPDATE datastream_slots SET valid_from = $1
        WHERE datastream_id = (SELECT datastream_id FROM datastreams WHERE key = 'air-1.pm25')
        """,
        NOW - MINUTE,
    )
    page = await own_api.read(PATH, await own_api.session(), datastream="air-1.pm25")
    assert page["items"][0]["result"] is None
