"""`alatau devices`: devices of the registry, who may publish, and their secrets."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.device_add import add_devices
from services.cli.device_ask import ask_device
from services.cli.device_file import device_rows
from services.cli.device_secrets import (
    ACTOR,
    new_secrets,
    show_secrets,
    write_secrets,
)
from services.cli.device_show import credentials_state, show_device
from services.cli.device_watch import watch_device
from services.cli.key_table import key_table
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.credentials import Publisher
    from services.core.storage.pool import Connection


Keys = Annotated[list[str] | None, typer.Argument(help="Device ids.")]
FromFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="CSV or plain list; the first column (or the column `device`) holds the device ids.",
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Write `device,secret` as CSV here, readable by you alone."
    ),
]


def register(app: typer.Typer) -> None:
    devices = typer.Typer(
        help="Devices of the registry: add, show; who may publish, and their secrets.",
        no_args_is_help=True,
    )
    devices.command("add")(add_devices)
    devices.command("list")(list_devices)
    devices.command("show")(show_device)
    devices.command("watch")(watch_device)
    devices.command("ask")(ask_device)
    devices.command("rotate")(rotate_devices)
    devices.command("revoke")(revoke_devices)
    app.add_typer(devices, name="devices")


def rotate_devices(
    keys: Keys = None,
    from_file: FromFile = None,
    out: OutFile = None,
    home: HomeOption = None,
) -> None:
    """Replace secrets: the old ones end at once. Each new secret is shown once."""
    _rotate(home, _keys(keys, from_file), out)


def revoke_devices(
    keys: Keys = None, from_file: FromFile = None, home: HomeOption = None
) -> None:
    """Take credentials away: sessions end within two seconds."""
    from services.core.clock import SystemClock
    from services.core.storage.credentials import revoke

    wanted = _keys(keys, from_file)

    async def work(connection: "Connection") -> None:
        await revoke(connection, wanted, actor=ACTOR, now=SystemClock().now())

    on_database(home, work)
    typer.echo(f"revoked: {len(wanted)}")


def list_devices(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """Every publisher of the registry and whether it may connect."""
    publishers = on_database(home, _list)
    if as_json:
        typer.echo(json.dumps([_as_json(entry) for entry in publishers]))
    else:
        console = Console()
        console.print(_table(publishers, console.width))


def _rotate(home: Path | None, keys: list[str], out: Path | None) -> None:
    """The new secrets are in their file before the old ones end."""
    from services.core.clock import SystemClock
    from services.core.storage.credentials import issue

    secrets, hashes = new_secrets(keys)

    async def work(connection: "Connection") -> None:
        now = SystemClock().now()
        async with connection.transaction():
            await issue(connection, hashes, replace=True, actor=ACTOR, now=now)
            if out is not None:
                write_secrets(secrets, out)

    on_database(home, work)
    show_secrets(secrets, out)


def _keys(keys: list[str] | None, from_file: Path | None) -> list[str]:
    named = list(keys or [])
    if from_file is not None:
        named += [row.get("device", "") for _, row in device_rows(from_file)]
    return list(dict.fromkeys(named))


async def _list(connection: "Connection") -> "list[Publisher]":
    from services.core.storage.credentials import list_publishers

    return await list_publishers(connection)


def _as_json(publisher: "Publisher") -> dict[str, object]:
    return {
        "device": publisher.key,
        "device_type": publisher.device_type,
        "thing": publisher.thing,
        "hosts": publisher.hosts,
        "may_connect": publisher.may_connect,
        "issued_at": publisher.issued_at and publisher.issued_at.isoformat(),
        "revoked_at": publisher.revoked_at and publisher.revoked_at.isoformat(),
    }


def _table(publishers: "list[Publisher]", width: int) -> Table:
    rows = [
        [
            entry.key,
            entry.device_type or "",
            entry.thing or "",
            str(entry.hosts or ""),
            credentials_state(entry.issued_at, entry.revoked_at, "%Y-%m-%d"),
        ]
        for entry in publishers
    ]
    return key_table(["device", "type", "thing"], ["hosts", "credentials"], rows, width)
