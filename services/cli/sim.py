"""`alatau sim`: the simulated city in the foreground, and what one can do to it."""

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from device_sim.assembly import Plan
    from device_sim.control import Request, StartIncident
    from services.core.broker.options import Trust

_SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "city" / "alatau.yaml"
_INCIDENT: Final = re.compile(
    r"^(?P<kind>[a-z_]+)(:(?P<on>[a-z0-9_.-]+))?(@(?P<after>\d+(\.\d+)?))?$"
)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="ALATAU_HOME",
        help="The installation's folder.",
        show_default=".alatau",
    ),
]
CityOption = Annotated[Path, typer.Option("--city", help="The city's root file.")]
OnOption = Annotated[str | None, typer.Option("--on", help="A thing's key.")]


class SimulatorError(ConfigurationError):
    """The simulator cannot do that."""


def register(app: typer.Typer) -> None:
    sim = typer.Typer(help="The simulated city.", invoke_without_command=True)
    sim.callback()(simulate)
    sim.command("incident")(start_incident)
    sim.command("fault")(add_fault)
    sim.command("list")(list_incidents)
    sim.command("status")(show_status)
    sim.command("report")(show_report)
    app.add_typer(sim, name="sim")


def simulate(  # noqa: PLR0913, PLR0917 - one for each option
    context: typer.Context,
    home: HomeOption = None,
    city: CityOption = _SHIPPED,
    broker: Annotated[
        str,
        typer.Option(envvar="ALATAU_DEVICE_BROKER_URL", help="The devices' listener."),
    ] = "mqtt://127.0.0.1:1883",
    authority: Annotated[
        Path | None,
        typer.Option(
            "--authority",
            envvar="ALATAU_DEVICE_BROKER_CA",
            help="For mqtts: the authority's certificate (`alatau ca export`).",
        ),
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="CSV of device and secret.",
            show_default="devices.csv in ALATAU_SECRETS_DIR",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 1,
    rate_factor: Annotated[
        float, typer.Option(min=0.01, help="How many times as often devices report.")
    ] = 1.0,
    incident: Annotated[
        list[str] | None,
        typer.Option(help="NAME, NAME@SECONDS or NAME:THING@SECONDS; repeatable."),
    ] = None,
) -> None:
    """Run the simulated devices in the foreground, until SIGTERM or Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    from device_sim.assembly import Plan
    from services.core.broker.options import Trust
    from services.core.city_folder import load_city

    planned = [_parse_incident(text) for text in incident or ()]
    plan = Plan(
        load_city(city),
        _read_credentials(credentials or _usual_credentials()),
        simulator_folder(home),
        seed,
        rate_factor,
    )
    _run(plan, broker, Trust(authority), planned)


def start_incident(
    name: Annotated[str, typer.Argument(help="See `alatau sim list`.")],
    on: OnOption = None,
    after: Annotated[float, typer.Option(min=0, help="Seconds from now.")] = 0.0,
    duration: Annotated[float | None, typer.Option(min=1, help="Seconds.")] = None,
    home: HomeOption = None,
) -> None:
    """Let something go wrong in the running city; it comes back to normal by itself."""
    from device_sim.control import StartIncident
    from device_sim.world.incidents import IncidentKind

    if name not in set(IncidentKind):
        raise SimulatorError(f"{name!r} is not one of {', '.join(IncidentKind)}")
    _ask(home, StartIncident(IncidentKind(name), on, after, duration))


def add_fault(
    name: Annotated[
        str, typer.Argument(help="drop_connection, silence, out_of_order, duplicate.")
    ],
    on: Annotated[str, typer.Option("--on", help="A device id.")],
    duration: Annotated[float, typer.Option(min=1, help="Seconds.")] = 60.0,
    home: HomeOption = None,
) -> None:
    """Let a publisher or device misbehave for a while."""
    from device_sim.control import AddFault
    from device_sim.faults import Fault, FaultKind

    if name not in set(FaultKind):
        raise SimulatorError(f"{name!r} is not one of {', '.join(FaultKind)}")
    _ask(home, AddFault(Fault(kind=FaultKind(name), on=on, duration=duration)))


def show_status(home: HomeOption = None) -> None:
    """How many publishers of the running simulator are connected, and what is pending."""
    from device_sim.control import TellStanding

    _ask(home, TellStanding())


def list_incidents(city: CityOption = _SHIPPED) -> None:
    """What can go wrong, and on which things."""
    from device_sim.survey import build_world
    from device_sim.world.incidents import IncidentKind
    from services.core.city_folder import load_city

    world = build_world(load_city(city), seed=1)
    for kind in IncidentKind:
        typer.echo(f"{kind}: {', '.join(world.targets(kind))}")


def show_report(
    home: HomeOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print stable JSON."),
) -> None:
    """What the publishers know: numbered, receipted, pending. Also of a simulator that has stopped."""
    import msgspec

    from device_sim.folder import OUTBOX
    from device_sim.report import read_report

    try:
        report = read_report(simulator_folder(home) / OUTBOX)
    except FileNotFoundError as error:
        raise SimulatorError(f"no simulator has run in {error}") from error
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    receipted = report.messages - report.pending_messages
    typer.echo(
        f"{len(report.publishers)} publishers, {report.messages} messages numbered, "
        f"{receipted} receipted, {report.pending_messages} pending"
    )


def _run(
    plan: "Plan", broker: str, trust: "Trust", incidents: "list[StartIncident]"
) -> None:
    import structlog

    from device_sim.assembly import assemble
    from device_sim.control import listening
    from device_sim.desk import Desk
    from device_sim.faults import FaultPlan
    from device_sim.folder import FolderTakenError, locked
    from device_sim.publisher import Surroundings
    from device_sim.simulator import Simulator
    from services.core.clock import SystemClock
    from services.core.process import run_service
    from services.core.telemetry import configure_logs

    configure_logs(
        os.environ.get("ALATAU_LOG_FORMAT") or "text",
        os.environ.get("ALATAU_LOG_LEVEL") or "info",
    )
    clock = SystemClock()
    started = clock.monotonic()
    tell = structlog.get_logger().info
    around = Surroundings(
        broker, clock, FaultPlan(), lambda: clock.monotonic() - started, tell, trust
    )

    async def main(stop: asyncio.Event) -> None:
        cast = assemble(plan, around, _Pulse())
        desk = Desk(cast, around)
        for incident in () if cast.resumed else incidents:
            desk.respond(incident)
        async with listening(plan.folder, desk.respond):
            await Simulator(cast, around).run(stop)

    try:
        with locked(plan.folder):
            run_service("sim", main)
    except FolderTakenError as error:
        raise SimulatorError(str(error)) from error


class _Pulse:
    """Tells the supervisor that we live, and once the first device is connected that we are ready."""

    def __init__(self) -> None:
        self._ready = False

    def __call__(self, connected: int) -> None:
        from services.core.process import notify_supervisor

        news = ["WATCHDOG=1", f"STATUS={connected} publishers connected"]
        if connected and not self._ready:
            self._ready = True
            news.append("READY=1")
        notify_supervisor("\n".join(news))


def simulator_folder(home: Path | None) -> Path:
    from deploy.native.home import Home
    from deploy.native.system_user import default_home

    return (Home(home.absolute()) if home else default_home()).simulator


def _usual_credentials() -> Path:
    folder = os.environ.get("ALATAU_SECRETS_DIR")
    if not folder:
        raise SimulatorError("name the devices' secrets with --credentials FILE")
    return Path(folder) / "devices.csv"


def _read_credentials(file: Path) -> dict[str, str]:
    from device_sim.folder import read_secrets

    try:
        return read_secrets(file)
    except OSError as error:
        raise SimulatorError(f"{file}: {error.strerror}") from error
    except KeyError as error:
        raise SimulatorError(f"{file}: there is no column {error}") from error


def _parse_incident(text: str) -> "StartIncident":
    from device_sim.control import StartIncident
    from device_sim.world.incidents import IncidentKind

    match = _INCIDENT.match(text)
    if match is None or match["kind"] not in set(IncidentKind):
        raise SimulatorError(
            f"{text!r}: an incident is NAME, NAME@SECONDS or NAME:THING@SECONDS, "
            f"the names are {', '.join(IncidentKind)}"
        )
    return StartIncident(
        IncidentKind(match["kind"]), match["on"], float(match["after"] or 0)
    )


def _ask(home: Path | None, request: "Request") -> None:
    from device_sim.control import NotRunningError, ask

    try:
        answer = ask(simulator_folder(home), request)
    except (NotRunningError, FileNotFoundError) as error:
        raise SimulatorError(str(error)) from error
    if not answer.ok:
        raise SimulatorError(answer.detail)
    typer.echo(answer.detail)
