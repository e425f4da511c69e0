"""What buckets add up: rises of counters, time in states, values over a period; wherever ranges are cut."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from services.api.series.aggregates_store import add_rises, add_stays
from services.api.series.model import Piece, SumsByBucket
from services.core.storage.pool import Connection
from tests.integration.api import seed
from tests.integration.api.city_api import CityApi
from tests.integration.api.explained import Explained
from tests.integration.api.seed import DAY, HOUR, MINUTE, NOW, SECOND, SECRET

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PUMP = f"pump-{SECRET}"
ALMATY = ZoneInfo("Asia/Almaty")
QUARTER = 15 * MINUTE
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


async def rain(
    api: CityApi,
    shown: Sequence[tuple[dt.datetime, float]],
    device: str = "air-1-dev",
) -> None:
    """What the counter of rain shows, by time."""
    await seed.store(
        api.database, device, [(at, (None, value, None)) for at, value in shown]
    )


async def buckets(
    api: CityApi,
    datastream: str,
    bucket: str,
    start: dt.datetime,
    end: dt.datetime,
    **query: Any,
) -> list[Any]:
    page = await api.read(
        "/api/v1/observations/buckets",
        await api.session(),
        datastream=datastream,
        bucket=bucket,
        start=start.isoformat(),
        end=end.isoformat(),
        **query,
    )
    found: list[Any] = page["series"][0]["buckets"]
    return found


async def rises(
    api: CityApi, bucket: str, start: dt.datetime, end: dt.datetime
) -> dict[str, float]:
    """What the counter of rain rose by, by the bucket's day and time."""
    found = await buckets(api, "air-1.rain", bucket, start, end, aggregation="delta")
    return {
        one["start"][8:16]: one["delta"] for one in found if one["delta"] is not None
    }


async def test_a_counter_rises_from_the_value_before_the_range_and_survives_a_reset(
    api: CityApi,
) -> None:
    shown = enumerate([10.0, 12.0, 15.0, 1.0, 4.0])
    await rain(api, [(NOW + (i - 0.5) * MINUTE, value) for i, value in shown])
    found = await rises(api, "5m", NOW, NOW + 5 * MINUTE)
    assert found == {"22T04:00": 2.0 + 3.0 + 1.0 + 3.0}


@pytest.mark.parametrize(
    ("register", "shown", "risen"),
    [
        (100, [97.0, 99.0, 2.0, 5.0, 1.0], 2.0 + 3.0 + 3.0 + 1.0),  # then set back
        # It shows more than its register was said to hold: what looks like a rise over the end is a fall.
        (10_000, [54_000.0, 54_321.0, 3.0, 4.0], 321.0 + 3.0 + 1.0),
    ],
)
async def test_a_counter_that_rolls_over_goes_on_rising(
    api: CityApi, register: int, shown: list[float], risen: float
) -> None:
    await api.database.execute(
        """
        UPDATE device_type_channels SET rolls_over_at = $1 / factor
        FROM observed_properties p
        WHERE p.observed_property_id = device_type_channels.observed_property_id AND p.kind = 'counter'
        """,
        register,
    )
    times = [NOW + (i - 0.5) * MINUTE for i in range(len(shown))]
    await rain(api, list(zip(times, shown, strict=True)))
    found = await rises(api, "5m", NOW, NOW + 5 * MINUTE)
    assert found == {"22T04:00": risen}


async def test_what_is_shown_on_the_hour_was_used_in_the_hour_before(
    api: CityApi,
) -> None:
    await rain(api, [(NOW + i * QUARTER, float(i * i)) for i in range(9)])
    whole = await rises(api, "1h", NOW, NOW + 2 * HOUR)
    assert whole == {"22T04:00": 16.0, "22T05:00": 48.0}
    assert await rises(api, "1h", NOW, NOW + HOUR) == {"22T04:00": 16.0}
    last = await rises(api, "15m", NOW + HOUR + 3 * QUARTER, NOW + 2 * HOUR)
    assert last == {"22T05:45": 15.0}


async def test_what_was_used_in_a_long_silence_is_in_one_bill_wherever_time_is_cut(
    api: CityApi,
) -> None:
    january, february, march = (
        dt.datetime(2026, month, 1, tzinfo=ALMATY) for month in (1, 2, 3)
    )
    silent_from = dt.datetime(2026, 1, 30, 10, tzinfo=dt.UTC)
    heard_again = dt.datetime(2026, 2, 2, 6, tzinfo=dt.UTC)
    shown = {
        silent_from - HOUR: 990.0,
        silent_from: 1000.0,
        heard_again: 1068.0,
        heard_again + HOUR: 1070.0,
    }
    await rain(api, list(shown.items()))
    assert sum((await rises(api, "1d", january, march)).values()) == 80.0
    for cut in (february, *shown):
        bills = [
            sum((await rises(api, "1h", *ends)).values())
            for ends in ((january, cut), (cut, march))
        ]
        known = [value for at, value in shown.items() if at <= cut]
        assert bills == [known[-1] - 990.0, 1070.0 - known[-1]]


async def test_nothing_is_billed_that_a_meter_showed_before_it_was_the_datastreams(
    own_api: CityApi,
) -> None:
    await rain(own_api, [(NOW - DAY, 100.0), (NOW + MINUTE, 103.0)])
    exchanged = NOW + 10 * MINUTE
    await seed.exchange_air(own_api.database, exchanged)
    bench = [(NOW - HOUR, 4000.0), (exchanged - SECOND, 5000.0)]
    own = [(exchanged, 5001.0), (exchanged + MINUTE, 5003.0)]
    later = (NOW + 40 * MINUTE, 5006.0)
    await rain(own_api, [*bench, *own, later], "air-1-new")
    assert await rises(own_api, "1h", NOW, NOW + HOUR) == {"22T04:00": 3.0 + 2.0 + 3.0}
    half = await rises(own_api, "15m", NOW + 30 * MINUTE, NOW + HOUR)
    assert half == {"22T04:30": 3.0}


async def test_the_last_value_before_a_silence_is_found_without_reading_on(
    own_api: CityApi,
) -> None:
    database = own_api.database
    frame = await seed.frame_of(database, "air-1-dev")
    await database.execute(
        """
        INSERT INTO observations
        SELECT $1, at, ARRAY[1, 7, 1]::float8[], NULL, at
        FROM generate_series($2::timestamptz - interval '8 days', $2::timestamptz - interval '4 days', '1 minute') at
        """,
        frame,
        NOW,
    )
    await rain(own_api, [(NOW + HOUR, 10.0)])
    await database.execute("ANALYZE observations; SET enable_seqscan = off")
    piece = Piece(1, frame, 1, NOW, NOW + DAY, EPOCH)
    explained, sums = Explained(database), SumsByBucket()
    await add_rises(cast("Connection", explained), [piece], [NOW, NOW + DAY], sums)
    assert sums[1, 0].delta == 3.0
    assert explained.rows == 2


async def test_a_state_fills_its_buckets_from_before_the_range_to_three_periods_of_silence(
    api: CityApi,
) -> None:
    # Period 10 s: a state is believed for 30 s without being said again.
    said = [(-5, 1.0), (10, 1.0), (20, 0.0), (130, 1.0)]
    await seed.store(
        api.database,
        f"{PUMP}-dev",
        [(NOW + at * SECOND, (state, None, None)) for at, state in said],
    )
    api.clock.advance(3600)
    told = await buckets(api, f"{PUMP}.state", "1m", NOW, NOW + 3 * MINUTE)
    found = {one["start"][14:16]: (one["count"], one["duration"]) for one in told}
    assert found == {
        "00": (2, {"stopped": 30.0, "running": 20.0}),
        "02": (1, {"running": 30.0}),
    }


async def test_a_state_does_not_reach_into_the_future(api: CityApi) -> None:
    await seed.store(
        api.database, f"{PUMP}-dev", [(NOW - 3 * SECOND, (1.0, None, None))]
    )
    (bucket,) = await buckets(api, f"{PUMP}.state", "1h", NOW - HOUR, NOW + HOUR)
    assert bucket["duration"] == {"running": 3.0}


async def test_a_state_is_believed_from_as_long_ago_as_it_lasts(
    own_api: CityApi,
) -> None:
    """A valve that reports twice a day: its state is believed for 36 hours."""
    await own_api.database.execute(
        "UPDATE datastreams SET period_ms = 12 * 3600000 WHERE key = $1",
        f"{PUMP}.state",
    )
    await seed.store(
        own_api.database, f"{PUMP}-dev", [(NOW - 30 * HOUR, (1.0, None, None))]
    )
    own_api.clock.advance(24 * 3600)
    found = await buckets(own_api, f"{PUMP}.state", "1h", NOW, NOW + DAY)
    assert [one["duration"] for one in found] == [{"running": 3600.0}] * 6


async def test_a_state_from_before_the_slot_was_the_datastreams_is_not_its_own(
    api: CityApi,
) -> None:
    await seed.store(
        api.database, f"{PUMP}-dev", [(NOW - 5 * SECOND, (1.0, None, None))]
    )
    frame = await seed.frame_of(api.database, f"{PUMP}-dev")
    for since, expected in ((EPOCH, [{1: 55.0}]), (NOW, [])):
        sums = SumsByBucket()
        await add_stays(
            api.database,
            [Piece(1, frame, 0, NOW, NOW + HOUR, since)],
            [NOW, NOW + HOUR],
            sums,
            holds_ms={1: 60_000},
            now=NOW + DAY,
        )
        assert [one.durations for one in sums.values()] == expected


async def test_counts_stamped_at_their_periods_end_add_up_as_in_dashboards(
    own_api: CityApi,
) -> None:
    await own_api.database.execute(
        """
        UPDATE datastreams SET sampling = 'period_end', sampling_ms = 900000 WHERE key = 'air-1.pm25';
        UPDATE observed_properties SET aggregations = '{sum,last,max}' WHERE key = 'pm25'
        """
    )
    await seed.store(
        own_api.database,
        "air-1-dev",
        [(NOW + i * QUARTER, (float(i), None, None)) for i in range(9)],
    )
    found = await buckets(own_api, "air-1.pm25", "1h", NOW, NOW + 2 * HOUR)
    said = [(one["count"], one["sum"], one["last"], one["max"]) for one in found]
    assert said == [(4, 1.0 + 2 + 3 + 4, 4.0, 4.0), (4, 5.0 + 6 + 7 + 8, 8.0, 8.0)]
    drawn = await own_api.database.fetch(
        """
        SELECT "time", value FROM dashboards.summed(
            ARRAY(SELECT datastream_id FROM datastreams WHERE key = 'air-1.pm25'), $1, $2, '1 hour')
        ORDER BY 1
        """,
        NOW,
        NOW + 2 * HOUR,
    )
    assert [tuple(row) for row in drawn] == [(NOW, 10.0), (NOW + HOUR, 26.0)]
    averaged = await own_api.database.fetch(
        """
        SELECT "time", average, lowest, highest FROM dashboards.averaged(
            ARRAY(SELECT datastream_id FROM datastreams WHERE key = 'air-1.pm25'), $1, $2, '1 hour')
        ORDER BY 1
        """,
        NOW,
        NOW + 2 * HOUR,
    )
    assert [tuple(row) for row in averaged] == [
        (NOW, 2.5, 1.0, 4.0),
        (NOW + HOUR, 6.5, 5.0, 8.0),
    ]
