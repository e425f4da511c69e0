"""`alatau devices show`: one device with its hosting, credentials, channels and what they mean."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.device_access import Access, read_access
from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.pool import Connection
    from services.core.storage.registry_device import Channel, Device

_MINUTE: Final = "%Y-%m-%d %H:%M UTC"


def show_device(
    key: Annotated[str, typer.Argument(help="The device id.")],
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
    home: HomeOption = None,
) -> None:
    """What the registry holds of a device: what it may send, in which units and ranges, and what that becomes."""
    device, access = on_database(home, partial(_read, key=key))
    if as_json:
        document = _as_json(device) | access.as_json()
        document["may_connect"] = document["may_connect"] or access.may_connect
        typer.echo(json.dumps(document))
        return
    console = Console(highlight=False)
    facts = Table.grid("", "", padding=(0, 2))
    for name, told in _facts(device):
        facts.add_row(Text(name, style="dim"), told)
    for name, told in access.facts():
        facts.add_row(Text(name, style="dim"), told)
    console.print(facts)
    for channel in device.channels:
        console.print(_channel(channel))


async def _read(connection: "Connection", *, key: str) -> "tuple[Device, Access]":
    from services.core.storage.registry_device import read_device

    return await read_device(connection, key), await read_access(connection, key)


def credentials_state(
    issued_at: "dt.datetime | None",
    revoked_at: "dt.datetime | None",
    form: str = _MINUTE,
) -> str:
    if issued_at is None:
        return "none"
    if revoked_at is not None:
        return f"revoked {revoked_at:{form}}"
    return f"since {issued_at:{form}}"


def _minute(moment: "dt.datetime") -> str:
    return f"{moment:{_MINUTE}}"


def _facts(device: "Device") -> Iterator[tuple[str, str]]:
    yield "device", device.key
    if device.retired_at:
        yield "retired", _minute(device.retired_at)
    yield "type", device.device_type or "none: a gateway that measures nothing itself"
    name = device.thing_name["en"] if device.thing_name else ""
    yield "thing", f"{device.thing or 'none'}  {name}".rstrip()
    if device.hosted_by:
        yield "hosted by", ", ".join(device.hosted_by)
    if device.hosts:
        yield "hosts", ", ".join(device.hosts)
    if device.publishes:
        yield "credentials", credentials_state(device.issued_at, device.revoked_at)
    else:
        yield "credentials", "none: its gateway publishes for it"
    seen = _minute(device.last_seen) if device.last_seen else "never"
    yield "last seen", seen + {True: ", online", False: ", offline", None: ""}[device.online]  # fmt: skip
    if device.period_ms is not None:
        yield "sends every", _duration(device.period_ms)
    if device.max_age_ms is not None and device.max_ahead_ms is not None:
        window = f"up to {_duration(device.max_age_ms)} ago, {_duration(device.max_ahead_ms)} ahead"
        yield "times", window + (", or without" if device.server_time else "")


def _channel(channel: "Channel") -> Text:
    """A paragraph: what is sent under the key, and what it becomes."""
    told = Text.assemble(("\n" + channel.channel, "bold"), f"  {channel.kind}")
    if channel.codes:
        codes = ", ".join(f"{code['key']} ({code['value']})" for code in channel.codes)
        told.append(f"\n  codes       {codes}")
    else:
        inside = channel.canonical_unit
        stored = "" if channel.unit == inside else f", stored in {inside}"
        told.append(f"\n  unit        {channel.unit}{stored}")
        for word, low, high in (
            ("accepted", channel.hard_min, channel.hard_max),
            ("plausible", channel.plausible_min, channel.plausible_max),
        ):
            if low is not None or high is not None:
                told.append(f"\n  {word:<11} {_span(low, high)} {inside}")
        for line in _limits(channel):
            told.append(f"\n  {line}")
    if channel.sampling != "instant":
        over = _duration(channel.sampling_ms)
        stamp = channel.sampling.removeprefix("period_")
        told.append(f"\n  sampling    over {over}, stamped at the {stamp}")
    told.append(f"\n  property    {channel.observed_property}, {channel.privacy}")
    told.append(f"\n  datastream  {channel.datastream or 'none'}")
    return told


def _limits(channel: "Channel") -> Iterator[str]:
    """What the values before it allow, where the catalogue says so."""
    if channel.max_rate is not None:
        yield f"{'rate':<11} at most {channel.max_rate:g} {channel.canonical_unit} a second"
    if channel.max_spike is not None:
        yield f"{'spike':<11} at most {channel.max_spike:g} {channel.canonical_unit} from the median of three"
    if channel.flat_line_ms is not None:
        yield f"{'flat line':<11} believed for {_duration(channel.flat_line_ms)}"
    if channel.rolls_over_at is not None:
        yield f"{'rolls over':<11} at {channel.rolls_over_at:g} {channel.unit}"


def _span(low: float | None, high: float | None) -> str:
    if high is None:
        return f"from {low:g}"
    return f"up to {high:g}" if low is None else f"{low:g} to {high:g}"


def _duration(milliseconds: int) -> str:
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):  # fmt: skip
        if milliseconds >= size and milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"


def _as_json(device: "Device") -> dict[str, Any]:
    told = dataclasses.asdict(device)
    del told["device_id"]
    told["device"] = told.pop("key")
    told["may_connect"] = device.issued_at is not None and device.revoked_at is None
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value
        for name, value in told.items()
    }
