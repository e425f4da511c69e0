"""`alatau up`, `down`, `status`, `logs`, `doctor`: an installation on this machine."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from services.cli.stack_home import StackHome, stack_home

if TYPE_CHECKING:
    from deploy.native.home import Home

NOT_RUNNING: Final = 3  # as systemctl status says it
FOLLOW_SECONDS: Final = 0.2

PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        envvar="ALATAU_PORT_BASE",
        min=1024,
        max=65_520,
        help="First of ten ports: API, MQTT, database, metrics and MQTT with TLS.",
        show_default="8620",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("logs")(logs)
    app.command("doctor")(doctor)


def up(  # noqa: PLR0913, PLR0917 # one for each option
    home: StackHome = None,
    port_base: PortBase = None,
    detach: bool = typer.Option(
        False, "--detach", "-d", help="Return when all is ready."
    ),
    no_sim: bool = typer.Option(False, "--no-sim", help="Without simulated devices."),
    incident: Annotated[
        str | None,
        typer.Option(help="An incident that the simulator plays, as NAME@SECONDS."),
    ] = None,
    no_open: bool = typer.Option(
        False, "--no-open", help="Do not open the console in a browser."
    ),
    mqtt_bind: Annotated[
        str | None,
        typer.Option(
            "--mqtt-bind",
            envvar="ALATAU_MQTT_BIND",
            help="The address that devices reach, with TLS only.",
            show_default="127.0.0.1",
        ),
    ] = None,
) -> None:
    """Start everything on this machine and keep it running. Ctrl-C stops all in order."""
    from deploy.native import launch
    from deploy.native.home import DEFAULT_PORT_BASE, Ports
    from deploy.native.stack import Options
    from deploy.native.state_file import running_supervisor
    from deploy.native.system_user import become_system_user, raise_limits
    from services.cli.welcome import Plan, show_table, show_welcome
    from services.core.clock import SystemClock

    place = stack_home(home)
    ports = Ports(port_base or DEFAULT_PORT_BASE)
    plan = Plan(not no_sim, incident, opens_browser=not no_open)
    options = Options(not no_sim, ("--incident", incident) if incident else ())
    arguments = ["--home", str(place.folder), "--port-base", str(ports.base)]
    arguments += ["--no-sim"] if no_sim else []
    arguments += ["--incident", incident] if incident else []
    if mqtt_bind:
        os.environ["ALATAU_MQTT_BIND"] = mqtt_bind
    raise_limits()
    more = [*(["--detach"] if detach else []), *(["--no-open"] if no_open else [])]
    become_system_user(place, ["up", *arguments, *more])
    if detach:
        if running_supervisor(place) is None:
            launch.detach(place, arguments, launch.say_plainly)
        show_table(place)
        return
    launch.supervise(
        place,
        ports,
        options,
        SystemClock(),
        launch.say_plainly,
        lambda: None if launch.is_detached() else show_welcome(place, plan),
    )


def down(home: StackHome = None) -> None:
    """Stop the installation and wait until it has stopped."""
    from deploy.native.launch import say_plainly, take_down

    place = stack_home(home)
    if not take_down(place, say_plainly):
        typer.echo(f"Nothing is running in {place.folder}.")


def status(
    home: StackHome = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """What runs, and where. Ends with 3 when nothing does."""
    document = status_document(stack_home(home))
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _show_status(document)
    if not any(entry["pid"] for entry in document["services"].values()):
        raise typer.Exit(NOT_RUNNING)


def logs(
    service: Annotated[
        list[str] | None, typer.Argument(help="Which; default: all.")
    ] = None,
    home: StackHome = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of each.")] = 20,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on as they grow."),
) -> None:
    """What the services wrote."""
    from deploy.native.launch import tail

    place = stack_home(home)
    known = {path.stem: path for path in sorted(place.logs.glob("*.log"))}
    unknown = set(service or ()) - known.keys()
    if unknown:
        raise typer.BadParameter(
            f"no log of {', '.join(sorted(unknown))}; there are: {', '.join(known) or 'none'}"
        )
    chosen = {
        name: path for name, path in known.items() if not service or name in service
    }
    for name, path in chosen.items():
        for line in tail(path, lines):
            typer.echo(f"{name:<12} {line}")
    if follow:
        _follow(chosen)


def doctor(
    home: StackHome = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """Look for what is wrong and say how to mend it. Ends with 1 when something is."""
    from deploy.native.doctor import examine

    findings = examine(stack_home(home))
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "[green]ok[/]  " if finding.ok else "[red]wrong[/]"
            Console().print(
                f"{mark} {finding.subject}: {finding.fact}", highlight=False
            )
            if not finding.ok:
                Console().print(
                    f"      → {finding.remedy}", highlight=False, soft_wrap=True
                )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def status_document(home: "Home") -> dict[str, Any]:
    """As `status --json` prints it; the database's URL only for those who may read the secrets."""
    from importlib.metadata import version

    from deploy.native.state_file import read_state, running_supervisor

    state = read_state(home) if running_supervisor(home) else None
    if state is None:
        empty: dict[str, Any] = {}
        return {"version": version("alatau"), "services": empty, "urls": empty}
    database = (home.secrets.path("reader.dsn")).read_text(encoding="utf-8").strip()
    return {
        "version": state["version"],
        "home": state["home"],
        "ready": state["ready"],
        "supervisor": state["pid"],
        "services": state["services"],
        "urls": {**state["urls"], "database": database},
    }


def _show_status(document: dict[str, Any]) -> None:
    if not document["services"]:
        typer.echo("Nothing is running.")
        return
    table = Table("service", "state", "pid", "restarts", "since (UTC)", "detail")
    for name, entry in document["services"].items():
        colour = "green" if entry["state"] == "running" else "red"
        table.add_row(
            name,
            f"[{colour}]{entry['state']}[/]",
            str(entry["pid"] or ""),
            str(entry["restarts"]),
            entry["since"][5:19].replace("T", " "),
            entry["detail"],
        )
    Console().print(table)
    for name, url in document["urls"].items():
        shown = url if name != "database" else "(in status --json)"
        typer.echo(f"{name:<10} {shown}")


def _follow(chosen: dict[str, Path]) -> None:
    places = {name: path.stat().st_size for name, path in chosen.items()}
    while True:
        for name, path in chosen.items():
            size = path.stat().st_size
            start = places[name] if size >= places[name] else 0  # it was rotated
            with path.open("r", encoding="utf-8", errors="replace") as log:
                log.seek(start)
                for line in log:
                    typer.echo(f"{name:<12} {line.rstrip()}")
                places[name] = log.tell()
        time.sleep(FOLLOW_SECONDS)
