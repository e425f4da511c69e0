"""Plays a newcomer: `make demo`, the first alert, acknowledged, resolved; stopped and started again (standard library only).

Run in a checkout as `python3 -m deploy.native.try_demo`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
ALATAU = CHECKOUT / ".venv/bin/alatau"
SITE = "http://127.0.0.1:8620"
FIRST_START_SECONDS = 300.0
SECOND_START_SECONDS = 15.0
ALERT_SECONDS = 180.0
RESOLVE_SECONDS = 900.0


class UnexpectedError(Exception):
    """The demo did not do what it promises."""


class Demo:
    """`make demo` in the foreground, its words in a file."""

    def __init__(self, output: Path) -> None:
        self._output = output
        with output.open("wb") as said:
            self._process = subprocess.Popen(
                ["make", "demo"],  # noqa: S607 - as a newcomer types it
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def until_table(self, seconds: float) -> float:
        def shown() -> bool:
            if self._process.poll() is not None:
                raise UnexpectedError(f"make demo ended:\n{self.said()}")
            return "Ctrl-C" in self.said()

        return until(shown, seconds, "the table")

    def press_ctrl_c(self) -> float:
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(timeout=90)
        return time.monotonic() - began


def until(condition: Callable[[], object], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise UnexpectedError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began


def ask(path: str, token: str = "", body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(SITE + path, data, headers)  # noqa: S310 - our own http URL
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def main() -> int:
    output = CHECKOUT / ".tools/demo.log"
    output.parent.mkdir(exist_ok=True)
    try:
        live_a_day(output)
    except (UnexpectedError, urllib.error.URLError) as error:
        tell(f"FAILED: {error}")
        return 1
    return 0


def live_a_day(output: Path) -> None:
    demo = Demo(output)
    tell(f"first start: table after {demo.until_table(FIRST_START_SECONDS):.1f} s")
    sys.stdout.write(demo.said())
    try:
        ask("/health/ready")
        tell("/health/ready is 200")
        see_the_console()
        see_an_alert()
    finally:
        tell(f"Ctrl-C: all stopped after {demo.press_ctrl_c():.1f} s")
    demo = Demo(output)
    tell(f"second start: table after {demo.until_table(SECOND_START_SECONDS):.1f} s")
    tell(f"Ctrl-C: all stopped after {demo.press_ctrl_c():.1f} s")


def see_the_console() -> None:
    """Its page, and every file that the page names."""
    page = fetch("/").decode()
    files = re.findall(r'(?:src|href)="(/console/[^"]+)"', page)
    if not any(name.endswith(".js") for name in files):
        raise UnexpectedError(f"the console's page names no script:\n{page}")
    size = sum(len(fetch(name)) for name in files)
    tell(f"the console is served: {len(files)} files, {size / 1024:.0f} KB")


def fetch(path: str) -> bytes:
    with urllib.request.urlopen(SITE + path, timeout=10) as answer:  # noqa: S310 - our own http URL
        content: bytes = answer.read()
        return content


def see_an_alert() -> None:
    token = log_in()
    took = until(lambda: firing(token), ALERT_SECONDS, "an alert")
    alert = firing(token)[0]
    tell(f"an alert fires after {took:.0f} s: {alert['rule']} on {alert['thing']}")
    shown = subprocess.run(  # noqa: S603 - our own command
        [ALATAU, "alerts", "--once"], capture_output=True, text=True, check=False
    )
    sys.stdout.write(shown.stdout + shown.stderr)
    path = f"/api/v1/alerts/{alert['alert_id']}"
    word = {"version": alert["version"], "note": "seen"}
    ask(f"{path}/acknowledge", token, word)
    tell(f"acknowledged: {ask(path, token)['acknowledged']}")
    took = until(
        lambda: ask(path, token)["state"] == "resolved", RESOLVE_SECONDS, "resolved"
    )
    tell(f"resolved after {took:.0f} s more")


def firing(token: str) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = ask("/api/v1/alerts?state=firing", token)["items"]
    return [alert for alert in alerts if alert["class"] == "process"]


def log_in() -> str:
    password = (CHECKOUT / ".alatau/secrets/operator").read_text().strip()
    word = {"name": "operator", "password": password}
    token: str = ask("/api/v1/login", body=word)["token"]
    return token


def tell(text: str) -> None:
    sys.stdout.write(f"== {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
