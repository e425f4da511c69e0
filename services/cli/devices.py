"""`alatau devices`: who may publish, and their secrets."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.cli.target import HomeOption, on_database
from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from services.core.storage.credentials import Publisher
    from services.core.storage.pool import Connection

T = TypeVar("T")
ACTOR: Final = "cli"

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
        help="Who may publish, and their secrets.", no_args_is_help=True
    )
    devices.command("add")(add_devices)
    devices.command("list")(show_devices)
    devices.command("rotate")(rotate_devices)
    devices.command("revoke")(revoke_devices)
    app.add_typer(devices, name="devices")


def add_devices(
    keys: Keys = None,
    from_file: FromFile = None,
    every: bool = typer.Option(
        False, "--all", help="Every publisher that has none yet."
    ),
    out: OutFile = None,
    home: HomeOption = None,
) -> None:
    """Give publishers of the registry their first credentials. Each secret is shown once."""
    wanted = _keys(keys, from_file)
    if every == bool(wanted):
        raise typer.BadParameter("name device ids, or say --all")
    if every:
        publishers = on_database(home, _list)
        wanted = [entry.key for entry in publishers if not entry.may_connect]
    _issue(home, wanted, replace=False, out=out)


def rotate_devices(
    keys: Keys = None,
    from_file: FromFile = None,
    out: OutFile = None,
    home: HomeOption = None,
) -> None:
    """Replace secrets: the old ones end at once. Each new secret is shown once."""
    _issue(home, _keys(keys, from_file), replace=True, out=out)


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


def show_devices(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """Every publisher of the registry and whether it may connect."""
    publishers = on_database(home, _list)
    if as_json:
        typer.echo(json.dumps([_as_json(entry) for entry in publishers]))
    else:
        Console().print(_table(publishers))


def new_secrets(keys: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(secrets, hashes) by device id."""
    from services.core.broker.passwords import hash_secret, new_secret

    secrets = {key: new_secret() for key in keys}
    return secrets, {key: hash_secret(secret) for key, secret in secrets.items()}


def write_secrets(secrets: dict[str, str], out: Path) -> None:
    """A CSV for its owner alone; an existing file is replaced in one step."""
    draft = out.with_name(f".{out.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["device", "secret"])
        writer.writerows(sorted(secrets.items()))
    draft.replace(out)


def _issue(
    home: Path | None, keys: list[str], *, replace: bool, out: Path | None
) -> None:
    from services.core.clock import SystemClock
    from services.core.storage.credentials import issue

    secrets, hashes = new_secrets(keys)

    async def work(connection: "Connection") -> None:
        now = SystemClock().now()
        await issue(connection, hashes, replace=replace, actor=ACTOR, now=now)

    on_database(home, work)
    if out is not None:
        write_secrets(secrets, out)
        typer.echo(f"{len(secrets)} secrets in {out}")
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["device", "secret"])
    writer.writerows(sorted(secrets.items()))


def _keys(keys: list[str] | None, from_file: Path | None) -> list[str]:
    named = list(keys or [])
    if from_file is not None:
        named += _read_keys(from_file)
    return list(dict.fromkeys(named))


def _read_keys(path: Path) -> list[str]:
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    cells = [row for row in rows if row and row[0].strip()]
    column = cells[0].index("device") if cells and "device" in cells[0] else None
    if column is None:
        return [row[0].strip() for row in cells]
    return [row[column].strip() for row in cells[1:]]


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


def _table(publishers: "list[Publisher]") -> Table:
    table = Table("device", "type", "thing", "hosts", "credentials")
    for entry in publishers:
        if entry.issued_at is None:
            state = "none"
        elif entry.revoked_at is not None:
            state = f"revoked {entry.revoked_at:%Y-%m-%d %H:%M} UTC"
        else:
            state = f"since {entry.issued_at:%Y-%m-%d %H:%M} UTC"
        kind, thing = entry.device_type or "", entry.thing or ""
        table.add_row(entry.key, kind, thing, str(entry.hosts or ""), state)
    return table
