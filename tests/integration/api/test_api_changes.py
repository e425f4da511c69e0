"""What was known before a value was merged or corrected."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import HOUR, NOW, frame_of

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
PATH = "/api/v1/datastreams/air-1.pm25/changes"
DURING = {"start": NOW.isoformat(), "end": (NOW + HOUR).isoformat()}


async def change(api: CityApi, slot: int, old: float | None, new: float) -> None:
    await api.database.execute(
        """
        INSERT INTO observation_changes (frame_id, slot, phenomenon_time, old, new, known_at, who, why)
        VALUES ($1, $2, $3, $4, $5, $6, 'air-1-dev', $7)
        """,
        await frame_of(api.database, "air-1-dev"),
        slot,
        NOW,
        old,
        new,
        NOW + HOUR,
        "corrected" if old else "merged",
    )


async def test_the_values_before_are_told_in_the_order_of_knowing(api: CityApi) -> None:
    await change(api, 0, None, 12.5)
    await change(api, 1, 1.0, 2.0)  # of another datastream
    await change(api, 0, 12.5, 13.0)
    pages = await api.pages(PATH, await api.session(), **DURING, limit=1)
    told = [item for page in pages for item in page["items"]]
    assert [(item["old"], item["new"], item["why"]) for item in told] == [
        (None, 12.5, "merged"),
        (12.5, 13.0, "corrected"),
    ]
    assert told[1]["known_at"] == "2026-11-22T05:00:00.000Z"
    assert told[1]["who"] == "air-1-dev"


async def test_only_who_sees_the_datastream_sees_its_past(api: CityApi) -> None:
    await change(api, 0, 1.0, 2.0)
    water = await api.session(Role.ADMIN, domains=["water"])
    assert (await api.get(PATH, water, **DURING)).status_code == 404
