"""`alatau bench city` at a thousandth of the city: all of it is stored, and what trips is an alert."""

import pytest

from services.cli.benches.city import CityOptions, bench_city
from services.cli.benches.city_words import in_words
from services.core.clock import SystemClock


async def run(options: CityOptions) -> None:
    result = await bench_city(options, SystemClock(), print)
    told = in_words(result)
    print(told)
    assert (result["lost"], result["duplicates"], result["not_receipted"]) == (0, 0, 0)
    assert result["wrong_receipts"] == 0
    ledger = result["ledger"]
    assert (ledger["rejected"], ledger["rejected_values"]) == (0, 0)
    assert ledger["stored"] == result["stored_rows"] > 0
    alerts = result["alert_latency_ms"]
    assert alerts["alerts"] > 0
    assert (alerts["missing"], alerts["unasked_for"]) == (0, 0)
    assert 0 < alerts["to_write"]["p50"] < alerts["p50"]
    assert 0 < alerts["from_write"]["p50"] < alerts["p50"]
    assert f"{result['datastreams']:,} datastreams" in told
    assert {"ingest", "rules", "history", "api", "together"} <= result[
        "resident_mib"
    ].keys()


@pytest.mark.integration
async def test_a_thousandth_of_the_city_is_kept_up_with() -> None:
    await run(CityOptions(speed=100, seconds=4, scale=0.001))


@pytest.mark.benchmark
async def test_a_tenth_of_the_city_ten_times_faster() -> None:
    await run(CityOptions(speed=10, seconds=60, scale=0.1))
