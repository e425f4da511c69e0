"""`alatau devices add`: registers devices that the registry does not have, and gives publishers their first secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import track

from services.cli.device_file import Wanted, device_of, read_device_file
from services.cli.device_secrets import (
    ACTOR,
    new_secrets,
    show_secrets,
    write_secrets,
)
from services.cli.target import HomeOption, on_database
from services.core.city.diff import Action
from services.core.city.records import Section

if TYPE_CHECKING:
    from services.core.storage.credentials import Publisher
    from services.core.storage.pool import Connection

_MANY: Final = 1000  # secrets, from which on progress is shown
_ERRORS: Final = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """created, restored: how many devices. revoked: registered publishers that may not connect."""

    created: int
    restored: int
    secrets: dict[str, str]
    revoked: list[str]


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
    external_id: Annotated[
        list[str] | None,
        typer.Option(
            "--external-id",
            help="What others call it, as scheme=value; again for a further one.",
        ),
    ] = None,
    credentials: bool = typer.Option(
        True, "--credentials/--no-credentials", help="Whether publishers get a secret."
    ),
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="CSV with the columns device[,type,thing,gateway,external_ids].",
        ),
    ] = None,
    every: bool = typer.Option(
        False, "--all", help="Every publisher that never had credentials."
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
    facts = (device_type, thing, tuple(hosted_by or ()), tuple(external_id or ()))
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
    facts: tuple[str | None, str | None, tuple[str, ...], tuple[str, ...]],
    from_file: Path | None,
) -> Wanted:
    device_type, thing, gateways, external_ids = facts
    if from_file is not None:
        if keys or any(facts):
            raise typer.BadParameter("--from names the devices and their facts alone")
        return read_device_file(from_file)
    if not any(facts):
        return Wanted(keys=tuple(dict.fromkeys(keys)))
    if thing is None:
        raise typer.BadParameter("--type, --hosted-by, --external-id need --thing too")
    if external_ids and len(keys) > 1:
        raise typer.BadParameter("an external id is of one device: name one")
    try:
        return Wanted(
            tuple(
                device_of(key, device_type, thing, gateways, external_ids)
                for key in keys
            )
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


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
        # Who was revoked stays out until somebody names it; who has a certificate needs no secret.
        return [
            entry.key
            for entry in publishers
            if entry.issued_at is None and not entry.certificates
        ]
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
