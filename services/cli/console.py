"""`alatau console`: opens the operators' console in a browser, logged in."""

import html
import json
import os
import pwd
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.cli.stack_home import StackHome, stack_home
from services.core.errors import PlatformError

if TYPE_CHECKING:
    from deploy.native.home import Home

_BROWSERS: Final = ("xdg-open", "sensible-browser", "x-www-browser")
_LOGIN_SECONDS: Final = 5.0
# It leads on at once: what a browser is started with can be read in the list of processes by everybody.
_DOORSTEP: Final = """<!doctype html>
<meta charset="utf-8"><title>Alatau</title>
<meta http-equiv="refresh" content="0; url={link}">
<a href="{link}">Alatau</a>
"""


class NoConsoleError(PlatformError):
    """The console cannot be opened."""


def register(app: typer.Typer) -> None:
    app.command("console")(console)


def console(
    home: StackHome = None,
    *,
    only_print: Annotated[
        bool,
        typer.Option(
            "--print", help="Print the link that logs in, and open no browser."
        ),
    ] = False,
) -> None:
    """Open the operators' console in the browser, logged in as `operator`."""
    place = stack_home(home)
    link = sign_in_link(place)
    if only_print or not open_browser(place, link):
        typer.echo(link)


def sign_in_link(home: "Home") -> str:
    """An address that logs in whoever opens it: its last part is never sent to a server.

    Raises:
        NoConsoleError: nothing runs, or the first login is not kept here or was changed.
    """
    from deploy.native.state_file import read_state, running_supervisor

    state = read_state(home) if running_supervisor(home) else None
    if state is None or not state["ready"]:
        raise NoConsoleError(f"Nothing is running in {home.folder}: `alatau up`.")
    try:
        word = home.secrets.path("operator").read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise NoConsoleError(
            f"No first login is kept in {home.folder}: log in yourself at {state['urls']['console']}"
        ) from error
    token = _log_in(state["urls"], word)
    return f"{state['urls']['console']}#session={token}"


def _log_in(urls: Mapping[str, str], password: str) -> str:
    body = json.dumps({"name": "operator", "password": password}).encode()
    request = urllib.request.Request(  # noqa: S310 # our own API on this machine
        f"{urls['api']}/login", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_LOGIN_SECONDS) as answer:  # noqa: S310
            token: str = json.load(answer)["token"]
    except urllib.error.HTTPError as error:
        raise NoConsoleError(
            f"The first login does not work any more (HTTP {error.code}): log in yourself at {urls['console']}"
        ) from error
    except OSError as error:
        raise NoConsoleError(f"{urls['api']} does not answer: {error}") from error
    return token


def open_browser(home: "Home", link: str) -> bool:
    """Show the link in this user's browser; False: there is none to be had here."""
    from deploy.native.home import Secrets

    browser = find_browser(os.environ)
    if browser is None:
        return False
    step = Secrets(home.run).put(
        "console.html", _DOORSTEP.format(link=html.escape(link))
    )
    # A session of its own and nobody's child: Ctrl-C here does not end it, and nobody need wait for it.
    subprocess.run(  # noqa: S603 # found on the PATH, with a file of ours
        ["/usr/bin/setsid", "--fork", browser, step.as_uri()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return True


def find_browser(environment: Mapping[str, str]) -> str | None:
    """What opens addresses on this user's desktop; None where there is no desktop, or no person."""
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return None
    if not _is_a_person():
        return None
    path = environment.get("PATH")
    found = (shutil.which(name, path=path) for name in _BROWSERS)
    return next((program for program in found if program), None)


def _is_a_person() -> bool:
    """Browsers refuse root, and a system user has no desktop."""
    from deploy.native.system_user import SYSTEM_USER

    user = os.geteuid()
    try:
        return user != 0 and pwd.getpwuid(user).pw_name != SYSTEM_USER
    except KeyError:
        return True
