"""What `alatau up` says when all is ready: where everything is, how to get in, and what will happen."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from services.cli.console import NoConsoleError, open_browser, sign_in_link

if TYPE_CHECKING:
    from deploy.native.home import Home

WIDTH: Final = 100
_STORIES: Final = {
    "burst_main": "A water main bursts: the pressure along it falls.",
    "overloaded_feeder": "A 10 kV feeder is overloaded.",
    "jammed_overpass": "Traffic jams on an overpass.",
}


@dataclass(frozen=True)
class Plan:
    """What this start does besides running. incident: NAME@SECONDS, as `--incident` takes it."""

    simulate: bool = True
    incident: str | None = None
    opens_browser: bool = True


def show_welcome(home: "Home", plan: Plan) -> None:
    """In the foreground, once all is ready; the link that logs in is only for eyes, never for a log."""
    link = _link(home) if sys.stdout.isatty() else None
    show_table(home, link)
    for line in story(plan):
        Console(width=WIDTH).print(line, highlight=False)
    if link and plan.opens_browser and open_browser(home, link):
        Console(width=WIDTH).print("The console opens in your browser.")


def show_table(home: "Home", link: str | None = None) -> None:
    """Where everything is; the first login only after the start that made it."""
    from deploy.native.state_file import read_state

    state = read_state(home)
    if state is None:
        return
    table = Table(title="Alatau is running", show_header=False, title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, said in _rows(home, state, link):
        table.add_row(name, said)
    Console(width=WIDTH).print(table, highlight=False)


def _rows(
    home: "Home", state: dict[str, Any], link: str | None
) -> list[tuple[str, str]]:
    urls = state["urls"]
    return [
        ("Console", urls["console"]),
        *([("  signed in", link)] if link else []),
        ("Login", _login(home, first=state["first_login"])),
        ("API documentation", urls["docs"]),
        ("Operator API", urls["api"]),
        ("Open data", urls["opendata"]),
        *([("SensorThings", urls["sensorthings"])] if "sensorthings" in urls else []),
        ("MQTT for devices", urls.get("mqtts", urls["mqtt"])),
        ("Users", "alatau users list · alatau users add NAME · alatau console"),
        ("State, logs", "alatau status · alatau logs -f · alatau doctor"),
        ("Stop", "Ctrl-C here, or alatau down"),
    ]


def _login(home: "Home", *, first: bool) -> str:
    path = home.secrets.path("operator")
    if first:
        secret = path.read_text(encoding="utf-8").strip()
        return f"operator / {secret}  (shown once; kept in {path})"
    return f"operator; its password is in {path}"


def _link(home: "Home") -> str | None:
    try:
        return sign_in_link(home)
    except NoConsoleError:
        return (
            None  # the table names the address and the login; that is enough to go on
        )


def story(plan: Plan) -> list[str]:
    """What will happen, for who sees it the first time; of an incident only where one is planned."""
    if not plan.simulate:
        return ["No device is simulated: connect your own (docs/device-protocol.md)."]
    kind, _, after = (plan.incident or "").partition("@")
    name = kind.partition(":")[0]
    if name not in _STORIES:
        return ["Let something go wrong: alatau sim incident burst_main"]
    begins = f"in {float(after or 0):.0f} s"
    return [
        "What happens now",
        "  now          the simulated city lives; on the console's map all is calm and grey",
        f"  {begins:<12} {_STORIES[name]}",
        "  soon after   an alert appears by itself, in the console and in `alatau alerts`; open it:",
        "               it says where, why and what to do. Acknowledge it: so others know you care for it",
        "  90 s later   all is mended and the alert resolves; unacknowledged, it stays in the inbox",
        f"  again        alatau sim incident {name}",
    ]
