"""Thousands of values a second: at last every one of them is what the screen says; how fast: tests/benchmarks."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.console_page import Console
from tests.browser.live_city import LiveCity

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

STATIONS = ("air-golden-1", "air-golden-2", "air-golden-3", "air-growing-1")
ROUNDS = 400
CHANNELS = ("pm10", "no2", "so2", "co", "o3", "temperature", "humidity")


async def flood(city: LiveCity, station: str, last: float) -> None:
    for back in range(ROUNDS, -1, -1):
        values = dict.fromkeys(CHANNELS, last - back % 10)
        await city.report(station, **values)


async def test_the_last_value_of_a_flood_is_shown(
    console: Console, city: LiveCity
) -> None:
    await console.enter(f"/?thing={STATIONS[0]}")
    await console.map_is_drawn()
    async with asyncio.TaskGroup() as group:
        for number, station in enumerate(STATIONS):
            group.create_task(flood(city, station, 20.25 + number))
    for number, station in enumerate(STATIONS):
        await console.go(f"/assets/{station}")
        for channel in CHANNELS:
            value = console.part("asset-value", datastream=f"{station}.{channel}")
            await expect(value).to_contain_text(f"{20.25 + number}")
