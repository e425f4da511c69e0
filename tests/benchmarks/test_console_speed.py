"""The console's map with 2,000 posts and 5,000 value changes a second: frames, input delay, memory.

ALATAU_MINUTES (2 here; 30 for the long run) says how long its memory is watched; ALATAU_RATE another rate.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, CDPSession, Page
from typing_extensions import override

from services.core.broker.client import BrokerClient, ClientOptions
from services.core.clock import SystemClock
from tests.benchmarks.crowded_city import GATEWAY, Crowd, write_crowded_city
from tests.browser.chromium import running_chromium
from tests.browser.console_page import Console, Doorway
from tests.browser.guard import closed_gate
from tests.installation import Installation, installation

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(4_000)]

MINUTES = int(os.environ.get("ALATAU_MINUTES", "2"))
RATE = float(os.environ.get("ALATAU_RATE", "5000"))
WARM_UP_SECONDS = 20.0
FRAMES_A_SECOND = 30
MOST_DELAY_MS = 100
MOST_GROWTH = 1.25
MEGABYTE = 1_000_000
# Time stamps of frames; how long each input waited for its handler (delays) and for what it drew (events).
WATCH = """
() => {
  window.watched = { frames: [], delays: [], events: [] };
  const frame = (at) => { watched.frames.push(at); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  for (const kind of ["pointermove", "keydown", "wheel", "click"])
    addEventListener(kind, (event) => watched.delays.push(performance.now() - event.timeStamp), { capture: true, passive: true });
  new PerformanceObserver((list) => watched.events.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "event", durationThreshold: 16 });
}
"""
TAKE = "() => { const taken = window.watched; window.watched = { frames: [], delays: [], events: [] }; return taken; }"


@dataclass(frozen=True)
class Memory:
    """Megabytes; nodes of the document."""

    heap: float
    renderer: float
    api: float
    nodes: int

    @override
    def __str__(self) -> str:
        return f"heap {self.heap:6.1f} MB, renderer {self.renderer:6.0f} MB, API {self.api:6.0f} MB, nodes {self.nodes}"


@dataclass(frozen=True)
class Minute:
    frames_a_second: float
    longest_frame: float
    delays: list[float]
    changes_a_second: float
    memory: Memory

    @override
    def __str__(self) -> str:
        p50, p95, p99 = (quantile(self.delays, part) for part in (0.5, 0.95, 0.99))
        return (
            f"{self.changes_a_second:6.0f} changes/s, {self.frames_a_second:5.1f} frames/s"
            f" (longest {self.longest_frame:4.0f} ms), input delay p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f}"
            f" max {max(self.delays):.0f} ms of {len(self.delays)}; {self.memory}"
        )


def quantile(figures: list[float], part: float) -> float:
    return sorted(figures)[int(part * (len(figures) - 1))]


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / MEGABYTE
    return 0


@asynccontextmanager
async def crowd(city: Installation, folder: Path) -> AsyncIterator[Crowd]:
    root = await asyncio.to_thread(write_crowded_city, folder)
    await asyncio.to_thread(city.command, "city", "apply", str(root))
    printed = await asyncio.to_thread(city.command, "devices", "add", GATEWAY)
    secret = printed.split(f"{GATEWAY},")[1].splitlines()[0]
    url = f"mqtt://{GATEWAY}:{secret}@127.0.0.1:{city.port_base + 1}"
    async with BrokerClient(ClientOptions(url)) as client:
        await client.wait_connected()
        speaking = Crowd(client, RATE, SystemClock())
        task = asyncio.create_task(speaking.publish())
        try:
            yield speaking
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def use(page: Page, seconds: float, clock: SystemClock) -> None:
    """As an operator who looks around: ten inputs a second, over the map and in the search field."""
    end = clock.monotonic() + seconds
    turn = 0
    await page.focus("#map-search")
    while clock.monotonic() < end:
        turn += 1
        await page.mouse.move(700 + turn * 37 % 500, 200 + turn * 53 % 500)
        if turn % 20 == 0:
            await page.mouse.wheel(0, 240 if turn % 40 else -240)
        if turn % 5 == 0:
            await page.keyboard.press("a" if turn % 10 else "Backspace")
        await clock.sleep(0.1)


class Observer:
    """What the page, its process and the API take."""

    def __init__(self, page: Page, devtools: CDPSession, pids: tuple[int, int]) -> None:
        self._page = page
        self._devtools = devtools
        self._renderer, self._api = pids

    async def memory(self) -> Memory:
        await self._devtools.send("HeapProfiler.collectGarbage")
        answer = await self._devtools.send("Performance.getMetrics")
        figures = {one["name"]: one["value"] for one in answer["metrics"]}
        return Memory(
            figures["JSHeapUsedSize"] / MEGABYTE,
            resident(self._renderer),
            resident(self._api),
            int(figures["Nodes"]),
        )

    async def minute(self, speaking: Crowd, clock: SystemClock) -> Minute:
        await self._page.evaluate(TAKE)
        sent, began = speaking.sent, clock.monotonic()
        await use(self._page, 60, clock)
        seconds = clock.monotonic() - began
        taken: dict[str, list[float]] = await self._page.evaluate(TAKE)
        frames = taken["frames"]
        gaps = [later - one for one, later in pairwise(frames)]
        return Minute(
            1_000 * len(gaps) / (frames[-1] - frames[0]),
            max(gaps),
            taken["delays"],
            (speaking.sent - sent) / seconds,
            await self.memory(),
        )


async def observed(browser: Browser, page: Page, api: int) -> Observer:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    whole = await browser.new_browser_cdp_session()
    processes = (await whole.send("SystemInfo.getProcessInfo"))["processInfo"]
    renderers = [int(one["id"]) for one in processes if one["type"] == "renderer"]
    return Observer(page, devtools, (max(renderers, key=resident), api))


async def token_of(city: Installation) -> str:
    login = {"name": "operator", "password": city.operator_password}
    url = f"http://127.0.0.1:{city.port_base}/api/v1/login"
    async with httpx2.AsyncClient(timeout=30) as web:
        return str((await web.post(url, json=login)).raise_for_status().json()["token"])


async def watch(
    console: Console, browser: Browser, city: Installation, speaking: Crowd
) -> list[Minute]:
    clock = SystemClock()
    await console.enter()
    await console.map_is_drawn()
    await clock.sleep(WARM_UP_SECONDS)
    await console.page.evaluate(WATCH)
    observer = await observed(browser, console.page, city.service("api")["pid"])
    minutes = []
    for number in range(1, MINUTES + 1):
        minutes.append(await observer.minute(speaking, clock))
        print(f"minute {number:2}: {minutes[-1]}", flush=True)
    return minutes


async def test_the_map_under_five_thousand_changes_a_second(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled(), installation("console-speed") as city:
        await asyncio.to_thread(city.up, "--no-sim")
        async with (
            closed_gate() as gate,
            running_chromium(f"http://127.0.0.1:{gate.port}") as browser,
            crowd(city, tmp_path) as speaking,
        ):
            url = f"http://127.0.0.1:{city.port_base}"
            doorway = Doorway(browser, gate, url, await token_of(city))
            async with doorway.console() as console:
                minutes = await watch(console, browser, city, speaking)
    judge(minutes)


def judge(minutes: list[Minute]) -> None:
    delays = [delay for minute in minutes for delay in minute.delays]
    frames = sum(minute.frames_a_second for minute in minutes) / len(minutes)
    assert frames >= FRAMES_A_SECOND or quantile(delays, 0.95) <= MOST_DELAY_MS
    third = max(1, len(minutes) // 3)
    for measure in ("heap", "renderer"):
        first, last = (
            sum(getattr(minute.memory, measure) for minute in some) / third
            for some in (minutes[:third], minutes[-third:])
        )
        assert last <= MOST_GROWTH * first, (
            f"{measure}: {first:.0f} MB, then {last:.0f}"
        )
