"""Observations over time: raw by pages, added up in buckets, within limits."""

import datetime as dt
from typing import Any

import pytest

from services.api.series.schemas import BucketPage, SeriesPage
from services.core.city.quality import ALL_GOOD, Quality, pack
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.seed import DAY, HOUR, MINUTE, NOW, SECOND, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PUMP = f"pump-{SECRET}"
RAW = "/api/v1/observations"
BUCKETS = "/api/v1/observations/buckets"


def span(start: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}


async def air(api: CityApi, count: int, start: dt.datetime = NOW) -> None:
    """A minute each: pm25 0, 1, 2, …; rain rising by a half."""
    await seed.store(
        api.database,
        "air-1-dev",
        [(start + i * MINUTE, (float(i), i / 2, None)) for i in range(count)],
    )


async def test_raw_observations_carry_value_quality_and_both_times(
    api: CityApi,
) -> None:
    suspect = pack(Quality.GOOD, Quality.SUSPECT)
    await seed.store(
        api.database,
        "air-1-dev",
        [(NOW, (12.5, 1.0, None))],
        quality=[suspect, ALL_GOOD, ALL_GOOD],
    )
    page = await api.read(
        RAW, await api.session(), datastream="air-1.pm25", **span(NOW, NOW + SECOND)
    )
    SeriesPage.model_validate(page)
    (series,) = page["series"]
    assert (series["unit"], series["thing"]) == ("ug/m3", "air-1")
    assert series["observations"] == [
        {
            "phenomenon_time": "2026-11-22T04:00:00.000Z",
            "result": 12.5,
            "quality": "suspect",
            "source_quality": "good",
            "check_quality": "suspect",
            "ingested_at": "2026-11-22T04:00:01.000Z",
        }
    ]


async def test_the_range_begins_inclusive_and_ends_exclusive(api: CityApi) -> None:
    await air(api, 5)
    page = await api.read(
        RAW,
        await api.session(),
        datastream="air-1.pm25",
        **span(NOW + MINUTE, NOW + 3 * MINUTE),
    )
    assert [o["result"] for o in page["series"][0]["observations"]] == [1.0, 2.0]


async def test_pages_of_several_datastreams_join_without_gaps_or_repeats(
    api: CityApi,
) -> None:
    await air(api, 25)
    admin = await api.session()
    asked = ["air-1.rain", "air-1.pm25", f"{PUMP}.state"]
    query: dict[str, Any] = {"datastream": asked, **span(NOW - DAY, NOW + DAY)}
    pages = await api.pages(RAW, admin, limit=7, **query)
    found = [
        (series["datastream"], o["phenomenon_time"], o["result"])
        for page in pages
        for series in page["series"]
        for o in series["observations"]
    ]
    whole = await api.read(RAW, admin, **query)
    expected = [
        (series["datastream"], o["phenomenon_time"], o["result"])
        for series in whole["series"]
        for o in series["observations"]
    ]
    assert found == expected
    assert len(found) == 50
    assert len(pages) == 8
    # One that has nothing is there all the same, once.
    assert [s["datastream"] for s in whole["series"]].count(f"{PUMP}.state") == 1


async def test_a_datastream_keeps_its_history_when_its_device_is_exchanged(
    own_api: CityApi,
) -> None:
    await air(own_api, 3)
    exchanged = NOW + 10 * MINUTE
    await seed.exchange_air(own_api.database, exchanged)
    await seed.store(
        own_api.database, "air-1-new", [(exchanged + MINUTE, (99.0, 0.0, None))]
    )
    admin = await own_api.session()
    for limit in (1, 10):
        pages = await own_api.pages(
            RAW,
            admin,
            datastream="air-1.pm25",
            limit=limit,
            **span(NOW - HOUR, NOW + HOUR),
        )
        results = [
            o["result"]
            for page in pages
            for s in page["series"]
            for o in s["observations"]
        ]
        assert results == [0.0, 1.0, 2.0, 99.0]


async def test_states_and_bits_come_as_numbers_with_their_words(api: CityApi) -> None:
    await seed.store(api.database, f"{PUMP}-dev", [(NOW, (9.0, 3.0, 4.5))])
    page = await api.read(
        RAW,
        await api.session(),
        datastream=[f"{PUMP}.state", f"{PUMP}.alarms"],
        lang="ru",
        **span(NOW, NOW + SECOND),
    )
    state, alarms = page["series"]
    assert state["observations"][0]["result"] == 9
    assert state["observations"][0]["codes"] == ["fault"]
    assert alarms["observations"][0]["codes"] == ["door", "flood"]
    assert state["codes"][2]["name"] == "fault рус"


async def test_a_datastream_may_be_named_by_its_id(api: CityApi) -> None:
    await air(api, 1)
    admin = await api.session()
    found = await api.read("/api/v1/datastreams/air-1.pm25", admin)
    page = await api.read(
        RAW, admin, datastream=found["datastream_id"], **span(NOW, NOW + SECOND)
    )
    assert page["series"][0]["datastream"] == "air-1.pm25"


async def test_what_cannot_be_seen_is_named_in_the_refusal(api: CityApi) -> None:
    viewer = await api.session(domains=["environment"])
    answer = await api.get(
        RAW,
        viewer,
        datastream=["air-1.pm25", f"{PUMP}.state", "none.such"],
        **span(NOW, NOW + HOUR),
    )
    assert answer.status_code == 404
    assert f"'{PUMP}.state', 'none.such'" in answer.json()["detail"]


async def test_raw_ranges_are_bounded(api: CityApi) -> None:
    admin = await api.session()
    for start, end in ((NOW, NOW), (NOW, NOW - HOUR), (NOW - 32 * DAY, NOW)):
        answer = await api.get(RAW, admin, datastream="air-1.pm25", **span(start, end))
        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/bad-range"


async def test_a_time_that_is_none_is_named(api: CityApi) -> None:
    answer = await api.get(
        RAW, await api.session(), datastream="a.b", start="yesterday", end="2026-11-22"
    )
    assert answer.status_code == 422
    assert [fault["where"] for fault in answer.json()["errors"]] == [
        "query start",
        "query end",
    ]


async def test_a_plus_sign_that_was_not_escaped_still_means_plus(api: CityApi) -> None:
    await air(api, 1)
    path = f"{RAW}?datastream=air-1.pm25&start=2026-11-22T09:00:00+05:00&end=2026-11-22T09:00:01+05:00"
    page = await api.read(path, await api.session())
    assert len(page["series"][0]["observations"]) == 1


async def test_buckets_are_whole_labelled_by_start_and_leave_gaps_out(
    api: CityApi,
) -> None:
    await air(api, 12, start=NOW + 3 * MINUTE)
    page = await api.read(
        BUCKETS,
        await api.session(),
        datastream="air-1.pm25",
        bucket="5m",
        **span(NOW + 4 * MINUTE, NOW + 31 * MINUTE),
    )
    BucketPage.model_validate(page)
    assert (page["start"], page["end"]) == (
        "2026-11-22T04:00:00.000Z",
        "2026-11-22T04:35:00.000Z",
    )
    (series,) = page["series"]
    assert [b["start"][11:16] for b in series["buckets"]] == ["04:00", "04:05", "04:10"]
    assert [b["count"] for b in series["buckets"]] == [2, 5, 5]
    assert series["buckets"][1] == {
        "start": "2026-11-22T04:05:00.000Z",
        "end": "2026-11-22T04:10:00.000Z",
        "count": 5,
        "excluded": 0,
        "coverage": 1.0,
        "avg": 4.0,
        "min": 2.0,
        "max": 6.0,
    }


async def test_days_begin_at_midnight_in_the_city(api: CityApi) -> None:
    midnight = dt.datetime(
        2026, 11, 21, 19, 0, tzinfo=dt.UTC
    )  # 00:00 of the 22nd in Almaty
    await seed.store(
        api.database,
        "air-1-dev",
        [(midnight - SECOND, (1.0, None, None)), (midnight, (5.0, None, None))],
    )
    page = await api.read(
        BUCKETS,
        await api.session(),
        datastream="air-1.pm25",
        bucket="1d",
        aggregation="max",
        **span(midnight - HOUR, midnight + HOUR),
    )
    assert page["time_zone"] == "Asia/Almaty"
    found = [(b["start"], b["max"]) for b in page["series"][0]["buckets"]]
    assert found == [
        ("2026-11-20T19:00:00.000Z", 1.0),
        ("2026-11-21T19:00:00.000Z", 5.0),
    ]
    assert "avg" not in page["series"][0]["buckets"][0]


async def test_failed_observations_do_not_count(api: CityApi) -> None:
    await air(api, 2)
    failed = pack(Quality.FAIL, Quality.GOOD)
    await seed.store(
        api.database,
        "air-1-dev",
        [(NOW + 2 * MINUTE, (9000.0, None, None))],
        quality=[failed, ALL_GOOD, ALL_GOOD],
    )
    page = await api.read(
        BUCKETS,
        await api.session(),
        datastream="air-1.pm25",
        bucket="5m",
        **span(NOW, NOW + 5 * MINUTE),
    )
    (bucket,) = page["series"][0]["buckets"]
    assert (bucket["count"], bucket["excluded"], bucket["max"]) == (2, 1, 1.0)


async def test_too_many_or_too_long_buckets_are_refused_with_the_way_out(
    api: CityApi,
) -> None:
    admin = await api.session()
    long = await api.get(
        BUCKETS,
        admin,
        datastream="air-1.pm25",
        bucket="1m",
        **span(NOW - 3 * DAY, NOW),
    )
    assert long.status_code == 400
    assert "at most 2 days" in long.json()["detail"]
    dear = await api.get(
        BUCKETS,
        admin,
        datastream=["substation.frequency", "feeder.frequency"],
        bucket="1h",
        **span(NOW - 90 * DAY, NOW),
    )
    assert dear.status_code == 400
    assert dear.json()["type"] == "/problems/too-much"
