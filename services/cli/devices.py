"""`alatau devices`: devices of the registry, who may publish, and their secrets."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.device_add import add_devices
from services.cli.device_ask import ask_device
from services.cli.device_certificate import certify_device
from services.cli.device_file import device_rows
from services.cli.device_secrets import (
    ACTOR,
    new_secrets,
    show_secrets,
    write_secrets,
)
from services.cli.device_show import credentials_state, show_device
from services.cli.device_watch import watch_device
from services.cli.device_webhook import issue_webhook
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
    devices.command("certificate")(certify_device)
    devices.command("webhook")(issue_webhook)
    devices.command("revoke")(revoke_devices)
    app.add_typer(devices, name="devices")


def rotate_devices(
    keys: Keys = None,
    from_file: FromFile = None,
    now: bool = typer.Option(
        False,
        "--now",
        help="For a device that cannot take it from us: the old secret ends at once, and you are shown the new one.",
    ),
    out: OutFile = None,
    home: HomeOption = None,
) -> None:
    """Send devices new secrets; an old one ends when its device has come back with the new one."""
    if now:
        _rotate(home, _keys(keys, from_file), out)
        return
    if out is not None:
        raise typer.BadParameter(
            "--out is for --now: a secret that is sent is told nobody else"
        )
    _begin(home, _keys(keys, from_file))


def revoke_devices(
    keys: Keys = None,
    from_file: FromFile = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            "--certificate", help="Only the one with this serial, of one device."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Take secrets and certificates away: sessions end within five seconds."""
    wanted = _keys(keys, from_file)
    if certificate is not None and len(wanted) != 1:
        raise typer.BadParameter("--certificate is of one device")
    on_database(home, lambda connection: _revoke(connection, wanted, certificate))
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


async def _revoke(
    connection: "Connection", keys: list[str], certificate: str | None
) -> None:
    from services.core.clock import SystemClock
    from services.core.storage.certificates import revoke_certificate
    from services.core.storage.credentials import revoke

    now = SystemClock().now()
    if certificate is None:
        await revoke(connection, keys, actor=ACTOR, now=now)
    else:
        await revoke_certificate(connection, keys[0], certificate, actor=ACTOR, now=now)


def _begin(home: Path | None, keys: list[str]) -> None:
    from services.core.clock import SystemClock
    from services.core.storage.rotations import begin_rotations

    secrets, hashes = new_secrets(keys)

    async def work(connection: "Connection") -> None:
        now = SystemClock().now()
        await begin_rotations(connection, secrets, hashes, actor=ACTOR, now=now)

    on_database(home, work)
    typer.echo(
        f"on their way: {len(keys)}; `alatau devices show ID` says how it stands"
    )


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
        "certificates": publisher.certificates,
        "issued_at": publisher.issued_at and publisher.issued_at.isoformat(),
        "revoked_at": publisher.revoked_at and publisher.revoked_at.isoformat(),
    }


def _state(publisher: "Publisher") -> str:
    if publisher.certificates and not publisher.has_secret:
        return "certificate"
    return credentials_state(publisher.issued_at, publisher.revoked_at, "%Y-%m-%d")


def _table(publishers: "list[Publisher]", width: int) -> Table:
    rows = [
        [
            entry.key,
            entry.device_type or "",
            entry.thing or "",
            str(entry.hosts or ""),
            _state(entry),
        ]
        for entry in publishers
    ]
    return key_table(["device", "type", "thing"], ["hosts", "credentials"], rows, width)
