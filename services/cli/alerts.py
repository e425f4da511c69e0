"""`alatau alerts`: what wants an operator, as a live table in the terminal; `alatau alerts ack` acknowledges."""

import getpass
import json
import zoneinfo
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from services.cli.target import HomeOption, on_database
from services.core.city.language import LANGUAGES, Language

if TYPE_CHECKING:
    import datetime as dt

    from services.cli.alert_table import Screen
    from services.core.alerting.alert import Alert
    from services.core.storage.pool import Connection

_REFRESH_SECONDS: Final = 1.0
_SHOWN: Final = 200  # the newest
_JSON: Any = typer.Option(False, "--json", help="Print stable JSON, once.")


def register(app: typer.Typer) -> None:
    alerts = typer.Typer(help="What wants an operator.")
    alerts.callback(invoke_without_command=True)(show)
    alerts.command("ack")(acknowledge)
    app.add_typer(alerts, name="alerts")


def show(
    context: typer.Context,
    everything: bool = typer.Option(
        False, "--all", help="Also what is pending, and what is over and acknowledged."
    ),
    once: bool = typer.Option(False, "--once", help="Print the table once and end."),
    as_json: bool = _JSON,
    lang: Annotated[str, typer.Option(help="kk, ru or en.")] = "en",
    home: HomeOption = None,
) -> None:
    """Alerts that fire, and those that ended before anybody acknowledged them; a live table until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is not one of {', '.join(LANGUAGES)}")
    if as_json:
        alerts = on_database(home, partial(_read, everything=everything))
        typer.echo(json.dumps([_as_json(alert) for alert in alerts]))
        return
    if once:
        from services.cli.alert_table import screen

        shown = on_database(home, partial(_screen, lang=lang, everything=everything))
        console = Console()
        console.print(screen(shown, console.width))
        return
    try:
        on_database(home, partial(_watch, lang=lang, everything=everything))
    except KeyboardInterrupt:
        return


def acknowledge(
    alert_id: Annotated[int, typer.Argument(help="As in the table.")],
    version: Annotated[int, typer.Option(help="The alert's version as you saw it.")],
    note: Annotated[str | None, typer.Option(help="For those who come after.")] = None,
    who: Annotated[
        str | None, typer.Option(help="Who acknowledges.", show_default="login name")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Say that an operator has seen the alert. Refused when it has changed since that version."""
    from services.core.clock import SystemClock
    from services.core.storage import alerts

    name = who or getpass.getuser()
    now = SystemClock().now()

    async def work(connection: "Connection") -> "Alert":
        return await alerts.acknowledge(connection, alert_id, version, name, note, now)

    try:
        alert = on_database(home, work)
    except (alerts.AlertNotFoundError, ValueError) as error:
        typer.secho(f"alert {alert_id}: {error}", fg="red", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"alert {alert_id}: acknowledged by {name}, version {alert.version}")


async def _read(connection: "Connection", *, everything: bool) -> "list[Alert]":
    from services.core.storage.alerts import AlertFilter, list_alerts

    chosen = AlertFilter(inbox=not everything)
    return await list_alerts(connection, chosen, limit=_SHOWN)


async def _screen(
    connection: "Connection", *, lang: Language, everything: bool
) -> "Screen":
    from services.cli.alert_table import Screen
    from services.core.clock import SystemClock
    from services.core.storage.alert_names import alert_names, city_time_zone

    alerts = await _read(connection, everything=everything)
    return Screen(
        alerts,
        await alert_names(connection, [alert.alert_id or 0 for alert in alerts]),
        SystemClock().now(),
        await city_time_zone(connection),
        lang,
        everything,
    )


async def _watch(connection: "Connection", *, lang: Language, everything: bool) -> None:
    """Reads every second, so the table shows what is true now even if a notice is lost."""
    from services.cli.alert_table import screen
    from services.core.clock import SystemClock

    clock, console = SystemClock(), Console()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            shown = await _screen(connection, lang=lang, everything=everything)
            live.update(
                Group(_caption(shown), screen(shown, console.width)), refresh=True
            )
            await clock.sleep(_REFRESH_SECONDS)


def _caption(shown: "Screen") -> Text:
    local = shown.now.astimezone(zoneinfo.ZoneInfo(shown.time_zone))
    return Text(f"{local:%H:%M:%S} {shown.time_zone}, Ctrl-C ends\n", style="dim")


def _as_json(alert: "Alert") -> dict[str, Any]:
    subject, held = alert.subject, alert.acknowledgement
    return {
        "alert_id": alert.alert_id,
        "version": alert.version,
        "state": alert.state,
        "severity": alert.severity,
        "class": subject.alert_class,
        "rule": subject.rule_key,
        "labels": dict(subject.labels),
        "domain": subject.domain,
        "district": subject.district,
        "value": alert.value,
        "starts_at": _moment(alert.starts_at),
        "detected_at": _moment(alert.detected_at),
        "ends_at": _moment(alert.ends_at),
        "acknowledged_by": held.by if held else None,
        "acknowledged_at": _moment(held.at) if held else None,
        "in_inbox": alert.in_inbox,
        "cause": subject.annotations.cause.as_dict(),
        "consequence": subject.annotations.consequence.as_dict(),
        "action": subject.annotations.action.as_dict(),
    }


def _moment(moment: "dt.datetime | None") -> str | None:
    return None if moment is None else moment.isoformat()
