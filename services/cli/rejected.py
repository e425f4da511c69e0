"""`alatau rejected`: what could not be used, why, and how to have it read again."""

import dataclasses
import datetime as dt
import getpass
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from services.cli.key_table import key_table
from services.cli.rejected_choice import (
    Channels,
    Devices,
    Publishers,
    Reasons,
    Since,
    choice_of,
)
from services.cli.rejected_fix import fix
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.core.storage.pool import Connection
    from services.core.storage.rejections import Choice, Replay, Row

_JSON: Any = typer.Option(False, "--json", help="Print stable JSON.")
Ids = Annotated[list[int] | None, typer.Argument(help="Ids, as in the list.")]
_MINUTE: Final = "%m-%d %H:%M:%S"
_LOOK_SECONDS: Final = 0.3


def register(app: typer.Typer) -> None:
    rejected = typer.Typer(
        help="What could not be used, and why: list, mend, read again.",
        no_args_is_help=True,
    )
    rejected.command("list")(list_rejected)
    rejected.command("count")(count_rejected)
    rejected.command("show")(show_rejected)
    rejected.command("fix")(fix)
    rejected.command("replay")(replay_rejected)
    rejected.command("dismiss")(dismiss_rejected)
    app.add_typer(rejected, name="rejected")


def list_rejected(  # noqa: PLR0913, PLR0917 # one for each option
    reason: Reasons = None,
    publisher: Publishers = None,
    device: Devices = None,
    channel: Channels = None,
    since: Since = "24h",
    everything: bool = typer.Option(False, "--all", help="Also what is settled."),
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: bool = _JSON,
    home: HomeOption = None,
) -> None:
    """Refusals, newest first."""
    from services.core.storage.rejections import list_rejections

    choice = choice_of(since, reason, publisher, device, channel)
    if not everything:
        choice = replace(choice, states=["open"])
    rows = on_database(home, partial(list_rejections, choice=choice, limit=limit))
    if as_json:
        typer.echo(json.dumps([dict(row) for row in rows], default=_plain))
        return
    if not rows:
        typer.echo(_nothing(since, "" if everything else "open "))
        return
    table = key_table(
        ["id", "received", "device", "channel", "detail"],
        ["reason", "state"],
        [_line(row) for row in rows],
        (console := Console()).width,
    )
    console.print(table)


def _nothing(since: str, kind: str = "") -> str:
    return f"No {kind}refusals of the last {since} fit; --since looks further back."


def _line(row: "Row") -> list[str]:
    return [
        str(row["rejected_id"]),
        row["received_at"].strftime(_MINUTE),
        row["device"] or row["publisher"],
        row["channel"] or "",
        row["detail"],
        row["reason"],
        row["state"] + (f" ({row['attempts']})" if row["attempts"] else ""),
    ]


def count_rejected(  # noqa: PLR0913, PLR0917 # one for each option
    reason: Reasons = None,
    publisher: Publishers = None,
    device: Devices = None,
    channel: Channels = None,
    since: Since = "24h",
    as_json: bool = _JSON,
    home: HomeOption = None,
) -> None:
    """How many, by reason, device and channel; most open first."""
    from services.core.storage.rejections import count_rejections

    choice = choice_of(since, reason, publisher, device, channel)
    groups, floods = on_database(home, partial(count_rejections, choice=choice))
    if as_json:
        told = {"groups": list(map(dict, groups)), "floods": list(map(dict, floods))}
        typer.echo(json.dumps(told, default=_plain))
        return
    _show_groups(groups, since)
    for row in floods:
        typer.echo(
            f"{row['publisher']}: {row['refused']} more for {row['reason']}, counted and not kept",
            err=True,
        )


def _show_groups(groups: "Sequence[Row]", since: str) -> None:
    if not groups:
        typer.echo(_nothing(since))
        return
    rows = [
        [
            row["reason"],
            row["device"],
            row["channel"] or "",
            str(row["open"]),
            str(row["refused"]),
        ]
        for row in groups
    ]
    console = Console()
    console.print(
        key_table(["reason", "device", "channel"], ["open", "all"], rows, console.width)
    )


def show_rejected(
    rejected_id: Annotated[int, typer.Argument(help="As in the list.")],
    raw: bool = typer.Option(False, "--raw", help="The raw bytes alone."),
    as_json: bool = _JSON,
    home: HomeOption = None,
) -> None:
    """One refusal with its raw message, and what would mend it."""
    from services.core.storage.rejections import find_payload, find_rejection
    from services.core.storage.remedies import find_remedy

    async def work(connection: "Connection") -> "tuple[Row, bytes | None, Any]":
        row = await find_rejection(connection, rejected_id)
        if row is None:
            raise typer.BadParameter(f"there is no refusal {rejected_id}")
        payload = await find_payload(connection, row)
        return row, payload, await find_remedy(connection, row)

    row, payload, remedy = on_database(home, work)
    if raw:
        typer.get_binary_stream("stdout").write(payload or b"")
        return
    text = None if payload is None else payload.decode("utf-8", "replace")
    mended = {"kind": remedy.kind, **remedy.facts} if remedy.kind else None
    if as_json:
        told = {**row, "payload": text, "remedy": mended}
        typer.echo(json.dumps(told, default=_plain))
        return
    for name, value in row.items():
        if value is not None:
            typer.echo(f"{name:>14}  {value}")
    typer.echo("")
    typer.echo("the raw message is no longer kept" if text is None else text)
    if mended:
        typer.echo(f"\n`alatau rejected fix {rejected_id}` mends it: {mended}")


def replay_rejected(  # noqa: PLR0913, PLR0917 # one for each option
    ids: Ids = None,
    reason: Reasons = None,
    publisher: Publishers = None,
    device: Devices = None,
    channel: Channels = None,
    since: Since = "30d",
    wait: bool = typer.Option(True, "--wait/--no-wait", help="Until it is done."),
    as_json: bool = _JSON,
    home: HomeOption = None,
) -> None:
    """Have ingest read open refusals again. What is stored already is not stored twice."""
    if not (ids or reason or publisher or device or channel):
        raise typer.BadParameter("name ids, a --reason, --publisher, --device …")
    choice = choice_of(since, reason, publisher, device, channel)
    replay_choice(replace(choice, ids=ids or None), home, wait=wait, as_json=as_json)


def replay_choice(
    choice: "Choice", home: Any, *, wait: bool = True, as_json: bool = False
) -> None:
    """Ask for it, and tell how it went."""
    from services.core.clock import SystemClock
    from services.core.storage.rejections import ask_replay, read_replay

    clock = SystemClock()

    async def work(connection: "Connection") -> "Replay":
        who = getpass.getuser()
        replay = await ask_replay(connection, choice, by=who, now=clock.now())
        while wait and replay.finished_at is None:
            await clock.sleep(_LOOK_SECONDS)
            replay = await read_replay(connection, replay.replay_id)
        return replay

    replay = on_database(home, work)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(replay), default=_plain))
    elif replay.finished_at is None:
        typer.echo(f"replay {replay.replay_id} is asked for; ingest carries it out")
    else:
        typer.echo(
            f"{replay.messages} messages read again: {replay.mended} refusals mended,"
            f" {replay.refused} refused again, {replay.lost} cannot be read"
        )


def dismiss_rejected(  # noqa: PLR0913, PLR0917 # one for each option
    ids: Ids = None,
    reason: Reasons = None,
    publisher: Publishers = None,
    device: Devices = None,
    channel: Channels = None,
    since: Since = "30d",
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    home: HomeOption = None,
) -> None:
    """Take refusals that nothing will mend off the open list; they stay until they are old."""
    from services.core.clock import SystemClock
    from services.core.storage.rejections import dismiss

    if not (ids or reason or publisher or device or channel):
        raise typer.BadParameter("name ids, a --reason, --publisher, --device …")
    chosen = choice_of(since, reason, publisher, device, channel)
    choice = replace(chosen, ids=ids or None)

    async def work(connection: "Connection") -> int:
        now = SystemClock().now()
        who = getpass.getuser()
        return await dismiss(connection, choice, by=who, note=note, now=now)

    typer.echo(f"dismissed: {on_database(home, work)}")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
