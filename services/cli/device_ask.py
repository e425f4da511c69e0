"""`alatau devices ask`: ask a device to send again, to announce itself, to take settings; and hear what it says."""

import asyncio
import dataclasses
import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.commands import AskedCommand, NewCommand
    from services.core.storage.pool import Connection

ACTOR: Final = "cli"
_POLL_SECONDS: Final = 0.2


def ask_device(  # noqa: PLR0913, PLR0917 # one for each option
    key: Annotated[str, typer.Argument(help="The device id of a publisher.")],
    name: Annotated[str, typer.Argument(help="replay, rebirth or configure.")],
    epoch: Annotated[int | None, typer.Option(help="Of a replay: boot epoch.")] = None,
    first: Annotated[
        int | None, typer.Option("--from", help="Of a replay: first number.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", help="Of a replay: last number.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of configure: NAME=VALUE; may be repeated."),
    ] = None,
    expires: Annotated[
        float, typer.Option(help="Seconds until it is given up.")
    ] = 3600.0,
    wait: bool = typer.Option(False, "--wait", help="Until it is answered or expires."),
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
    home: HomeOption = None,
) -> None:
    """Ask a device something over its own connection. There is no plant control."""
    from services.core.storage.commands import CommandName, NewCommand

    if name not in set(CommandName):
        raise typer.BadParameter(f"{name}: there are replay, rebirth and configure")
    span = {"epoch": epoch, "from": first, "to": last}
    given = {argument: value for argument, value in span.items() if value is not None}
    for setting in settings or []:
        given |= _setting(setting)
    command = NewCommand(key, CommandName(name), given, dt.timedelta(seconds=expires))
    asked = on_database(home, lambda connection: _ask(connection, command, wait=wait))
    _show(asked, as_json=as_json)
    if wait and not asked.ok:
        raise typer.Exit(1)


async def _ask(
    connection: "Connection", command: "NewCommand", *, wait: bool
) -> "AskedCommand":
    from services.core.clock import SystemClock
    from services.core.storage.commands import ask_for_a_person, read_command

    now = SystemClock().now()
    command_id = await ask_for_a_person(connection, command, actor=ACTOR, now=now)
    deadline = time.monotonic() + command.expires_in.total_seconds() + 5
    while True:
        asked = await read_command(connection, command_id)
        if asked is None:
            raise typer.Abort
        if not (wait and asked.is_open and time.monotonic() < deadline):
            return asked
        await asyncio.sleep(_POLL_SECONDS)


def _setting(text: str) -> dict[str, Any]:
    """NAME=VALUE; a value that reads as JSON's number, true or false is one, all else is text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text}: it is NAME=VALUE")
    try:
        read = json.loads(value)
    except ValueError:
        read = value
    return {name: read if isinstance(read, int | float | bool) else value}


def _show(asked: "AskedCommand", *, as_json: bool) -> None:
    if as_json:
        told = {**dataclasses.asdict(asked), "state": asked.state}
        typer.echo(json.dumps(told, default=dt.datetime.isoformat))
        return
    said = f": {asked.detail}" if asked.detail else ""
    typer.echo(f"c-{asked.command_id} {asked.name} {asked.device}: {asked.state}{said}")
