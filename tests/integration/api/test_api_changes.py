"""What was known before a value was merged or corrected."""

import pytest

from services.api.auth.permissions import Role
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import HOUR, NOW, frame_of, store

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
PATH = "/api/v1/datastreams/air-1.pm25/changes"
DURING = {"start": NOW.isoformat(), "end": (NOW + HOUR).isoformat()}


async def change(
    api: CityApi,
    slot: int,
    old: float | None,
    new: float,
    qualities: tuple[int | None, int | None] = (None, None),
) -> None:
    await api.database.execute(
        """
        INSERT INTO observation_changes (frame_id, slot, phenomenon_time, old, new, known_at, who, why, old_quality, new_quality)
        VALUES ($1, $2, $3, $4, $5, $6, 'air-1-dev', $7, $8, $9)
        """,
        await frame_of(api.database, "air-1-dev"),
        slot,
        NOW,
        old,
        new,
        NOW + HOUR,
        "corrected" if old else "merged",
        *qualities,
    )


async def test_the_values_before_are_told_in_the_order_of_knowing(api: CityApi) -> None:
    await change(api, 0, None, 12.5)
    await change(api, 1, 1.0, 2.0)  # of another datastream
    await change(api, 0, 12.5, 13.0, (3 + 16, 1 + 16 * 4))
    pages = await api.pages(PATH, await api.session(), **DURING, limit=1)
    told = [item for page in pages for item in page["items"]]
    assert [(item["old"], item["new"], item["why"]) for item in told] == [
        (None, 12.5, "merged"),
        (12.5, 13.0, "corrected"),
    ]
    assert told[1]["known_at"] == "2026-11-22T05:00:00.000Z"
    assert told[1]["who"] == "air-1-dev"
    assert (told[0]["old_quality"], told[0]["new_quality"]) == (None, None)
    assert told[1]["old_quality"] == {
        "quality": "suspect",
        "source_quality": "suspect",
        "check_quality": "good",
    }
    assert told[1]["new_quality"] == {
        "quality": "fail",
        "source_quality": "good",
        "check_quality": "fail",
    }


async def test_only_who_sees_the_datastream_sees_its_past(api: CityApi) -> None:
    await change(api, 0, 1.0, 2.0)
    water = await api.session(Role.ADMIN, domains=["water"])
    assert (await api.get(PATH, water, **DURING)).status_code == 404


async def test_an_engineer_corrects_what_is_stored(api: CityApi) -> None:
    await store(api.database, "air-1-dev", [(NOW, (12.5, 1.0, None))])
    path = PATH.replace("changes", "corrections")
    word = {"time": NOW.isoformat(), "value": 13.0, "reason": "calibration"}
    engineer = await api.session(Role.ENGINEER, user="asel")
    answer = await api.web.post(path, json=word, headers=engineer)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["value"], told["asked_by"], told["outcome"]) == (13.0, "asel", None)
    again = f"{path}/{told['correction_id']}"
    assert await api.read(again, engineer) == told
    elsewhere = again.replace("air-1.pm25", "air-1.rain")
    assert (await api.get(elsewhere, engineer)).status_code == 404
    audited = "SELECT old FROM audit WHERE entity = 'corrections'"
    assert (await api.database.fetchval(audited))["value"] == 12.5
    operator = await api.session(Role.OPERATOR)
    refused = await api.web.post(path, json=word, headers=operator)
    assert refused.status_code == 403
    nothing = {**word, "time": (NOW + HOUR).isoformat()}
    assert (await api.web.post(path, json=nothing, headers=engineer)).status_code == 404
    empty = {"time": word["time"], "reason": "because"}
    assert (await api.web.post(path, json=empty, headers=engineer)).status_code == 422
