"""The guard of all other tests can fail: whatever goes elsewhere, or wrong, is seen."""

import pytest
from playwright.async_api import Browser

from tests.browser.console_page import Console
from tests.browser.guard import Gate, Guard

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

ELSEWHERE = "http://tiles.example"
ORIGIN = "http://127.0.0.1:9"  # nobody answers there
FROM_A_WORKER = """
(url) => new Promise((resolve) => {
  const source = `fetch("${url}").catch(() => 0).then(() => postMessage(0))`;
  const worker = new Worker(URL.createObjectURL(new Blob([source])));
  worker.onmessage = resolve;
})
"""


@pytest.mark.parametrize(
    "work",
    [
        "(url) => fetch(url).catch(() => 0)",
        "(url) => new Promise((told) => { const image = new Image(); image.onerror = told; image.src = url; })",
        "(url) => new Promise((told) => { new WebSocket(url.replace('http', 'ws')).onerror = told; })",
        FROM_A_WORKER,
    ],
    ids=["fetch", "image", "websocket", "worker"],
)
async def test_a_request_to_another_host_is_seen(browser: Browser, work: str) -> None:
    guard = Guard(ORIGIN, Gate())
    context = await browser.new_context()
    await guard.watch(context)
    page = await context.new_page()
    await page.evaluate(work, ELSEWHERE)
    await context.close()
    assert any(ELSEWHERE.split("//")[1] in offence for offence in guard.offences)


async def test_what_leaves_the_machine_comes_to_the_gate(
    browser: Browser, gate: Gate
) -> None:
    page = await browser.new_page()
    await page.evaluate("(url) => fetch(url, {mode: 'no-cors'})", ELSEWHERE)
    await page.close()
    assert ELSEWHERE.split("//")[1] in gate.wanted.pop()


async def test_the_consoles_policy_lets_nothing_out_and_that_is_seen(
    console: Console,
) -> None:
    await console.open()
    await console.page.evaluate("(url) => fetch(url).catch(() => 0)", ELSEWHERE)
    await console.page.evaluate("document.body.setAttribute('style', 'color: red')")
    await console.page.evaluate("new Promise(requestAnimationFrame)")
    told = "\n".join(console.guard.offences)
    assert "against its policy: connect-src" in told
    assert "against its policy: style-src" in told
    console.guard.forgive()


async def test_an_error_in_the_page_is_seen(console: Console) -> None:
    await console.open()
    await console.page.evaluate(
        "console.error('oh'); setTimeout(() => { throw 'no'; })"
    )
    await console.page.evaluate("new Promise(requestAnimationFrame)")
    told = "\n".join(console.guard.offences)
    assert "console error: oh" in told
    assert "uncaught: no" in told
    console.guard.forgive()
