"""How a server becomes our child: under its own user, and gone when we are gone."""

import os
import pwd
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path

SOCKET_PATH_LIMIT = 107  # bytes of sun_path without the closing zero


def child_command(
    command: Sequence[str],
    *,
    death_signal: str,
    run_as: str | None = None,
    niceness: int = 0,
) -> list[str]:
    """Wrap a command so that the kernel sends it death_signal (as in "INT") when its parent dies.

    niceness: added to ours, as nice(1) does; one below zero only where it is allowed.
    """
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    user: list[str] = []
    if run_as is not None:
        entry = pwd.getpwnam(run_as)
        user = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    wrapped = [setpriv, f"--pdeathsig={death_signal}", *user, "--", *command]
    return ["nice", "-n", str(niceness), *wrapped] if _may_add(niceness) else wrapped


def _may_add(niceness: int) -> bool:
    """Root, and who is under a limit that reaches this far (RLIMIT_NICE counts from 20 downwards; getrlimit(2))."""
    if niceness >= 0:
        return niceness > 0
    ceiling, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return os.geteuid() == 0 or ceiling >= 20 - niceness


def give_to(path: Path, run_as: str | None) -> None:
    if run_as is not None:
        entry = pwd.getpwnam(run_as)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def fits_socket(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
