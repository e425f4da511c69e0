"""`alatau devices watch`: one device's messages through every stage, live, and a report for its maker."""

import contextlib
import getpass
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.span import span_of
from services.cli.target import HomeOption, on_database
from services.core.city.language import LANGUAGES
from services.core.clock import SystemClock, from_milliseconds

if TYPE_CHECKING:
    from services.core.conformance.checks import Check
    from services.core.storage.pool import Connection

_LOOK_SECONDS: Final = 0.3
_DECODED: Final = ("seq", "epoch", "oldest_seq", "firmware", "device", "reason")
_FATES: Final = ("stored", "merged", "duplicate", "rejected")


def watch_device(
    key: Annotated[str, typer.Argument(help="The device id.")],
    span: Annotated[
        str | None,
        typer.Option("--for", help="How long, e.g. 60s.", show_default="until Ctrl-C"),
    ] = None,
    report: bool = typer.Option(
        False, "--report", help="Then print a conformance report for its maker."
    ),
    lang: Annotated[str, typer.Option(help="Of the report: kk, ru or en.")] = "en",
    as_json: bool = typer.Option(
        False, "--json", help="Print stable JSON, a line for each event."
    ),
    home: HomeOption = None,
) -> None:
    """What becomes of each of its messages: received, decoded, checked, committed, receipted."""
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is not one of {', '.join(LANGUAGES)}")
    seconds = span_of(span).total_seconds() if span else None
    seen: list[dict[str, Any]] = []

    def tell(told: dict[str, Any]) -> None:
        seen.append(told)
        typer.echo(json.dumps(told) if as_json else say(told))

    with contextlib.suppress(KeyboardInterrupt):
        on_database(home, lambda connection: _follow(connection, key, seconds, tell))
    if report:
        checks = on_database(home, lambda connection: _judge(connection, key, seen))
        _print_report(key, checks, lang, as_json=as_json)


async def _follow(
    connection: "Connection",
    key: str,
    seconds: float | None,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    from services.core.storage.watches import (
        RENEW_SECONDS,
        newest_report,
        read_reports,
        watch,
    )

    clock, who = SystemClock(), getpass.getuser()
    started = clock.monotonic()
    renewed = started - RENEW_SECONDS
    newest = await newest_report(connection, key)
    while seconds is None or clock.monotonic() - started < seconds:
        if clock.monotonic() - renewed >= RENEW_SECONDS:
            renewed = clock.monotonic()
            await watch(connection, key, by=who, now=clock.now())
        for report_id, told in await read_reports(connection, key, newest):
            newest = report_id
            tell(told)
        await clock.sleep(_LOOK_SECONDS)


async def _judge(
    connection: "Connection", key: str, seen: list[dict[str, Any]]
) -> "list[Check]":
    from services.core.conformance.checks import judge
    from services.core.storage.watches import read_declared

    return judge(await read_declared(connection, key), seen)


def _print_report(key: str, checks: "list[Check]", lang: Any, *, as_json: bool) -> None:
    from services.core.conformance.words import CHECKS, write_report

    if not as_json:
        typer.echo(f"\n{write_report(key, checks, lang)}")
        return
    told = [
        {
            "check": check.key,
            "title": CHECKS[check.key][lang],
            "verdict": check.verdict.value,
            "numbers": dict(check.numbers),
        }
        for check in checks
    ]
    typer.echo(json.dumps({"kind": "report", "device": key, "checks": told}))


def say(told: dict[str, Any]) -> str:
    """One event in a line; refusals in lines of their own."""
    if told["kind"] == "receipt":
        return f"{_clock(told['at_ms'])}  receipt  {json.dumps(told['receipt'])}"
    received, decoded = told["received"], told["decoded"]
    facts = [f"{name} {decoded[name]}" for name in _DECODED if decoded.get(name)]
    done = told.get("committed", {})
    fates = [f"{fate} {done[fate]}" for fate in _FATES if done.get(fate)]
    parts = [
        f"{_clock(received['at_ms'])}  {received['message'] or received['topic']}",
        f"{received['bytes']} B, QoS {received['qos']}",
        f"{decoded['as']} {', '.join(facts)}".strip(),
        f"{decoded['items']} items" if "items" in decoded else "",
        f"batch {done.get('batch')} after {done.get('latency_ms')} ms",
        ", ".join(fates),
    ]
    line = " ▸ ".join(part for part in parts if part)
    refused = [
        f"              ✗ {one['scope']} {one['reason']}: {one['detail']}"
        for one in told["refused"]
    ]
    return "\n".join([line, *refused])


def _clock(milliseconds: int) -> str:
    return from_milliseconds(milliseconds).strftime("%H:%M:%S.%f")[:-3]
