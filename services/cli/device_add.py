"""`alatau devices add`: registers devices that the registry does not have, and gives publishers their first secrets."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import track

from services.cli.device_secrets import (
    ACTOR,
    new_secrets,
    show_secrets,
    write_secrets,
)
from services.cli.target import HomeOption, on_database
from services.core.city.diff import Action
from services.core.city.entities import Device
from services.core.city.near import near
from services.core.city.records import Section
from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from services.core.storage.credentials import Publisher
    from services.core.storage.pool import Connection

_COLUMNS: Final = ("device", "type", "thing", "gateway")
_MANY: Final = 1000  # secrets, from which on progress is shown
_ERRORS: Final = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """devices: to be in the registry, with these facts. keys: registered publishers that want credentials."""

    devices: tuple[Device, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """created, restored: how many devices. revoked: registered publishers that may not connect."""

    created: int
    restored: int
    secrets: dict[str, str]
    revoked: list[str]


class DeviceFileError(ConfigurationError):
    """The file of devices cannot be used."""

    remedy = "Columns: device[,type,thing,gateway]; several gateways with spaces between. Nothing was written."


def add_devices(  # noqa: PLR0913, PLR0917 # one for each option
    keys: Annotated[list[str] | None, typer.Argument(help="Device ids.")] = None,
    device_type: Annotated[
        str | None,
        typer.Option("--type", help="Register them as devices of this type."),
    ] = None,
    thing: Annotated[
        str | None, typer.Option("--thing", help="The thing that they observe.")
    ] = None,
    hosted_by: Annotated[
        list[str] | None,
        typer.Option(
            "--hosted-by",
            help="A gateway that speaks for them; again for a further one.",
        ),
    ] = None,
    credentials: bool = typer.Option(
        True, "--credentials/--no-credentials", help="Whether publishers get a secret."
    ),
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from", help="CSV with the columns device[,type,thing,gateway]."
        ),
    ] = None,
    every: bool = typer.Option(
        False, "--all", help="Every publisher that has no secret yet."
    ),
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Write `device,secret` as CSV here, readable by you alone."
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Register devices (with --type and --thing) and give publishers their first credentials.

    Without --type and --thing the devices must be registered. Each secret is shown once. The same call again
    changes nothing.
    """
    facts = (device_type, thing, tuple(hosted_by or ()))
    wanted = _wanted(keys or [], facts, from_file)
    if every == bool(wanted.devices or wanted.keys):
        raise typer.BadParameter("name device ids, or say --all")
    if not credentials and (every or wanted.keys):
        raise typer.BadParameter(
            "--no-credentials registers only: it needs --type and --thing"
        )
    outcome = _add(home, wanted, every=every, credentials=credentials, out=out)
    _tell(wanted, outcome, out)


def _wanted(
    keys: Sequence[str],
    facts: tuple[str | None, str | None, tuple[str, ...]],
    from_file: Path | None,
) -> Wanted:
    device_type, thing, gateways = facts
    if from_file is not None:
        if keys or any(facts):
            raise typer.BadParameter("--from names the devices and their facts alone")
        return read_device_file(from_file)
    if not any(facts):
        return Wanted(keys=tuple(dict.fromkeys(keys)))
    if thing is None:
        raise typer.BadParameter("--type and --hosted-by need --thing too")
    try:
        return Wanted(tuple(_device(key, device_type, thing, gateways) for key in keys))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _device(
    key: str, device_type: str | None, thing: str | None, gateways: tuple[str, ...]
) -> Device:
    """As in a city file: what a gateway hosts does not publish."""
    return Device(
        key=key,
        type=device_type,
        thing=thing,
        publishes=not gateways,
        hosted_by=gateways,
    )


def read_device_file(path: Path) -> Wanted:
    """The rows of a CSV file; with a type or a thing a row says what to register, without it names a publisher.

    Raises:
        DeviceFileError: it cannot be read, or rows are wrong; it names every one.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeviceFileError(f"{path}: {error}") from error
    rows = [(n, row) for n, row in enumerate(csv.reader(lines), 1) if any(row)]
    head: tuple[str, ...] = ("device",)
    if rows and "device" in (cells := _stripped(rows[0][1])):
        head, rows = tuple(cells), rows[1:]
    problems = [
        f"{path.name}: column {column!r} is not one of {', '.join(_COLUMNS)}{near(column, _COLUMNS)}"
        for column in head
        if column not in _COLUMNS
    ]
    devices: list[Device] = []
    keys: dict[str, None] = {}
    for number, row in rows if not problems else ():
        try:
            _read_row(dict(zip(head, _stripped(row), strict=False)), devices, keys)
        except ValueError as error:
            problems.append(f"{path.name}:{number}: {error}")
    if problems:
        raise DeviceFileError("\n".join(problems))
    return Wanted(tuple(devices), tuple(keys))


def _stripped(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _read_row(
    row: dict[str, str], devices: list[Device], keys: dict[str, None]
) -> None:
    key, device_type, thing = row["device"], row.get("type"), row.get("thing")
    gateways = tuple(row.get("gateway", "").split())
    if not (device_type or thing or gateways):
        keys[key] = None
    elif not thing:
        raise ValueError(f"{key}: needs a thing")
    else:
        devices.append(_device(key, device_type or None, thing, gateways))


def _add(
    home: Path | None,
    wanted: Wanted,
    *,
    every: bool,
    credentials: bool,
    out: Path | None,
) -> _Outcome:
    """One transaction; the secrets are in their file before it ends."""
    from services.core.storage.credentials import list_publishers
    from services.core.storage.registry_store import register_devices

    async def work(connection: "Connection") -> _Outcome:
        async with connection.transaction():
            created = restored = 0
            if wanted.devices:
                with _ERRORS.status(f"registering {len(wanted.devices)} devices"):
                    applied = await register_devices(
                        connection, wanted.devices, actor=ACTOR
                    )
                created = len(applied.diff.keys(Section.DEVICE, Action.CREATED))
                restored = len(applied.diff.keys(Section.DEVICE, Action.RESTORED))
            publishers = await list_publishers(connection) if credentials else []
            keys = _lacking(wanted, publishers, every=every)
            secrets = await _issue(connection, keys, out)
        return _Outcome(created, restored, secrets, _revoked(wanted, publishers))

    return on_database(home, work)


async def _issue(
    connection: "Connection", keys: Sequence[str], out: Path | None
) -> dict[str, str]:
    from services.core.clock import SystemClock
    from services.core.storage.credentials import issue

    if not keys:
        return {}
    shown = track(keys, "making secrets", console=_ERRORS, transient=True)
    secrets, hashes = new_secrets(shown if len(keys) >= _MANY else keys)
    if out is not None:
        write_secrets(secrets, out)
    now = SystemClock().now()
    await issue(connection, hashes, replace=False, actor=ACTOR, now=now)
    return secrets


def _lacking(
    wanted: Wanted, publishers: "Sequence[Publisher]", *, every: bool
) -> list[str]:
    """Who gets a secret: who is asked for by key alone, and who is registered here and never had one."""
    if every:
        return [entry.key for entry in publishers if not entry.may_connect]
    never = {entry.key for entry in publishers if entry.issued_at is None}
    registered = [device.key for device in wanted.devices if device.key in never]
    return list(dict.fromkeys([*wanted.keys, *registered]))


def _revoked(wanted: Wanted, publishers: "Sequence[Publisher]") -> list[str]:
    revoked = {entry.key for entry in publishers if entry.revoked_at is not None}
    return [device.key for device in wanted.devices if device.key in revoked]


def _tell(wanted: Wanted, outcome: _Outcome, out: Path | None) -> None:
    """Secrets on standard output and first, for they are told only once; all else beside it."""
    if outcome.secrets:
        show_secrets(outcome.secrets, out)
    if wanted.devices:
        same = (
            len({device.key for device in wanted.devices})
            - outcome.created
            - outcome.restored
        )
        told = {
            "registered": outcome.created,
            "taken into service again": outcome.restored,
            "registered so already": same,
        }
        typer.echo(
            ", ".join(f"{word}: {count}" for word, count in told.items() if count),
            err=True,
        )
    for key in outcome.revoked:
        typer.echo(
            f"{key}: its credentials are revoked; `alatau devices add {key}` gives new ones",
            err=True,
        )
    if not outcome.secrets and not outcome.created + outcome.restored:
        typer.echo("nothing to change; no new secrets", err=True)
