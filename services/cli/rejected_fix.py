"""`alatau rejected fix`: mends in the registry what a refusal is about."""

import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.target import HomeOption, on_database

if TYPE_CHECKING:
    from services.core.storage.pool import Connection
    from services.core.storage.remedies import Remedy


def fix(  # noqa: PLR0913, PLR0917 # one for each option
    rejected_id: Annotated[int, typer.Argument(help="As in the list.")],
    channel: Annotated[
        str | None, typer.Option(help="The channel that the unknown name means.")
    ] = None,
    low: Annotated[
        float | None, typer.Option(help="New lower end of the hard range.")
    ] = None,
    high: Annotated[
        float | None, typer.Option(help="New upper end of the hard range.")
    ] = None,
    device_type: Annotated[
        str | None, typer.Option("--type", help="The unknown device's type.")
    ] = None,
    thing: Annotated[
        str | None, typer.Option(help="The thing that it observes.")
    ] = None,
    tie: bool = typer.Option(
        False, "--tie", help="Let the gateway speak for the device."
    ),
    replay: bool = typer.Option(
        False, "--replay", help="Then read again all that this mends."
    ),
    home: HomeOption = None,
) -> None:
    """Mend the cause: an unknown channel, a range that is too narrow, an unknown device, a missing gateway tie.

    Without further options it says what there is to choose.
    """
    given = {
        "channel": channel,
        "low": low,
        "high": high,
        "type": device_type,
        "thing": thing,
        "tie": tie or None,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    done = on_database(home, lambda link: _mend(link, rejected_id, chosen))
    typer.echo(done.told)
    if done.filter and replay:
        from services.cli.rejected import replay_choice
        from services.cli.rejected_choice import choice_of

        replay_choice(choice_of("30d", **done.filter), home)
    elif done.filter:
        words = " ".join(
            f"--{name.rstrip('s')} {value[0]}" for name, value in done.filter.items()
        )
        typer.echo(f"`alatau rejected replay {words}` reads them again")


class _Done:
    """filter: what the mending is about, for a replay; None: nothing was written."""

    def __init__(self, told: str, about: Mapping[str, Any] | None = None) -> None:
        self.told = told
        self.filter = about


async def _mend(
    connection: "Connection", rejected_id: int, chosen: Mapping[str, Any]
) -> _Done:
    from services.core.reasons import Reason
    from services.core.storage.rejections import find_rejection
    from services.core.storage.remedies import find_remedy

    row = await find_rejection(connection, rejected_id)
    if row is None:
        raise typer.BadParameter(f"there is no refusal {rejected_id}")
    remedy = await find_remedy(connection, row)
    if remedy.kind is None:
        return _Done(f"{row['detail']}\nNothing in the registry mends this.")
    wanted = {
        "channel": {"channel"},
        "range": {"low", "high"},
        "device": {"type", "thing"},
        "host": {"tie"},
    }[remedy.kind]
    if not wanted & chosen.keys():
        return _Done(f"{row['detail']}\n{_offer(remedy)}")
    await _apply(connection, remedy, chosen)
    about: dict[str, Any] = {"reasons": [Reason(row["reason"])]}
    if remedy.kind in {"device", "host"}:
        about["devices"] = [remedy.facts["device"]]
    else:
        about["channels"] = [row["channel"]]
    return _Done("done", about)


def _offer(remedy: "Remedy") -> str:
    facts = remedy.facts
    if remedy.kind == "channel":
        hint = f" ({facts['suggested']}?)" if facts["suggested"] else ""
        names = ", ".join(facts["channels"])
        return f"--channel NAME{hint}: what {facts['alias']} means, of {names}"
    if remedy.kind == "range":
        return (
            f"--low X, --high Y (in {facts['unit']}): the range of {facts['observed_property']}"
            f" is {facts['hard_min']} to {facts['hard_max']}"
        )
    if remedy.kind == "device":
        return f"--type TYPE --thing THING: registers {facts['device']}"
    return f"--tie: lets {facts['gateway']} speak for {facts['device']}"


async def _apply(
    connection: "Connection", remedy: "Remedy", chosen: Mapping[str, Any]
) -> None:
    from services.cli.device_file import device_of
    from services.core.clock import SystemClock
    from services.core.storage import remedies
    from services.core.storage.registry_store import register_devices

    facts, by, now = remedy.facts, getpass.getuser(), SystemClock().now()
    if remedy.kind == "channel":
        named = (facts["device_type"], facts["alias"], chosen["channel"])
        await remedies.map_channel(connection, *named, by=by, now=now)
    elif remedy.kind == "range":
        bounds = (chosen.get("low"), chosen.get("high"))
        observed = facts["observed_property"]
        await remedies.widen_range(connection, observed, *bounds, by=by, now=now)
    elif remedy.kind == "device":
        if not {"type", "thing"} <= chosen.keys():
            raise typer.BadParameter("--type and --thing go together")
        gateways = (facts["gateway"],) if facts["gateway"] else ()
        device = device_of(facts["device"], chosen["type"], chosen["thing"], gateways)
        await register_devices(connection, [device], actor=by)
    else:
        await remedies.tie_host(connection, facts["gateway"], facts["device"], by=by)
