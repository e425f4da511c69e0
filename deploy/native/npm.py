"""Runs npm in the console's folder with the Node that builds it: `python3 -m deploy.native.npm run check`."""

import subprocess
import sys
from pathlib import Path

from deploy.native import console, environment, node
from deploy.native.progress import InstallError, Progress

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    progress = Progress(environment.tools_folder(CHECKOUT) / "install.log")
    try:
        console.install_packages(progress, CHECKOUT)
        found = node.find(progress, CHECKOUT)
    except InstallError as error:
        progress.say(str(error))
        return 1
    command = [*found.npm, *sys.argv[1:]]
    finished = subprocess.run(  # noqa: S603 - what the developer asked for
        command, cwd=CHECKOUT / console.WEB, env=found.environment(), check=False
    )
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main())
