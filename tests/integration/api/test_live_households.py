"""Newest values of households: not held, until somebody who may see them names them."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from services.api.live.feeds import LatestFeed
from services.api.live.latest_table import Selection
from services.core.clock import SystemClock
from services.core.storage.pool import Connection, connect
from services.core.storage.registry_store import apply_city
from tests.fleet_cities import city_with, households

pytestmark = pytest.mark.integration


def flow_is_private(file: dict[str, Any]) -> None:
    file["catalogue"]["flow"]["privacy"] = "household"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    opened = await connect(database_url, "test")
    city = city_with(households(1, 2), fleet=True, change=flow_is_private)
    await apply_city(opened, city, retire=False, actor="test", dry_run=False)
    await opened.execute(
        """INSERT INTO latest_observations (frame_id, results, times, quality, updated_at)
           SELECT frame_id, ARRAY[frame_id, 1, 2], array_fill(now(), ARRAY[3]), ARRAY[17, 17, 17], now() FROM frames"""
    )
    yield opened
    await opened.close()


def held(feed: LatestFeed, *things: str) -> list[tuple[str, float]]:
    selection = Selection(things=things or None, household=True)
    table = feed.table
    return [
        (value.datastream, value.result)
        for value in table.values(table.known(table.select(selection)))
        if value.observed_property == "flow"
    ]


@pytest.mark.parametrize("way", ["thing", "datastream", "id"])
async def test_a_named_household_is_held_with_its_newest_values(
    connection: Connection, way: str
) -> None:
    feed = LatestFeed(SystemClock())
    await feed.prepare(connection)
    row = await connection.fetchrow(
        """SELECT datastream_id, s.key, t.key AS thing, frame_id FROM datastreams s JOIN things t USING (thing_id)
           JOIN datastream_slots USING (datastream_id) WHERE s.key = 'home-01-1.flow'"""
    )
    names = {
        "thing": row["thing"],
        "datastream": row["key"],
        "id": str(row["datastream_id"]),
    }
    assert held(feed) == []
    feed.name([names[way]])
    await feed._refresh(connection, 1)
    assert (
        held(feed, "home-01-1") == held(feed) == [("home-01-1.flow", row["frame_id"])]
    )
    again = LatestFeed(SystemClock())
    await again.prepare(connection)
    assert held(again) == []


async def test_values_of_households_that_nobody_named_do_not_wait_for_a_datastream(
    connection: Connection,
) -> None:
    """Such batches would be kept, and tried again and again."""
    feed = LatestFeed(SystemClock())
    await feed.prepare(connection)
    frames = [
        row["frame_id"] for row in await connection.fetch("SELECT frame_id FROM frames")
    ]
    assert not feed.table._to_come(
        _int32([f for f in frames if not feed.table._held[f]])
    )
    assert feed.table._to_come(_int32([max(frames) + 1]))


def _int32(numbers: list[int]) -> Any:
    return np.array(numbers, np.int32)
