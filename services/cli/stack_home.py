"""Which installation on this machine a command means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.native.home import Home

StackHome = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="ALATAU_HOME",
        help="The installation's folder.",
        show_default=".alatau in the checkout, or /var/lib/alatau",
    ),
]


def stack_home(given: Path | None) -> "Home":
    from deploy.native.home import Home
    from deploy.native.system_user import default_home

    return Home(given.absolute()) if given else default_home()
