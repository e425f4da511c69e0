"""Looks for what is wrong with an installation and says how to mend it."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.native import console, environment
from deploy.native.home import (
    DEFAULT_PORT_BASE,
    Home,
    Ports,
    PortTakenError,
    refuse_taken_ports,
)
from deploy.native.mosquitto import find_program
from deploy.native.postgres import find_binaries
from deploy.native.state_file import read_state, running_supervisor
from deploy.native.system_user import CHECKOUT, OPEN_FILES
from services.core.errors import PlatformError

LOW_DISK_BYTES = 5 * 1024**3
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """remedy: what to do; empty where all is well."""

    subject: str
    fact: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy

    def as_dict(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "ok": self.ok,
            "fact": self.fact,
            "remedy": self.remedy,
        }


def examine(home: Home) -> list[Finding]:
    """In the order in which to mend: what is below comes first."""
    findings = [*_programs(), *_environment(), _disk(home)]
    try:
        running = running_supervisor(home) is not None
        state = read_state(home)
    except PlatformError as error:
        return [*findings, Finding("home", str(error), "Use sudo, or its owner.")]
    if not running or state is None:
        return [*findings, *_not_running(home, state)]
    findings.append(Finding("installation", f"runs, in {home.folder}"))
    findings += [_service(home, *entry) for entry in state["services"].items()]
    findings.append(_open_files(state))
    return [*findings, _readiness(state["urls"]["health"])]


def _programs() -> Iterator[Finding]:
    mend = "`make install` installs what is missing."
    try:
        yield Finding("PostgreSQL with TimescaleDB", str(find_binaries()))
    except PlatformError as error:
        yield Finding("PostgreSQL with TimescaleDB", str(error), mend)
    try:
        yield Finding("Mosquitto", find_program())
    except PlatformError as error:
        yield Finding("Mosquitto", str(error), mend)


def _environment() -> Iterator[Finding]:
    """In a checkout that `make install` made ready; a copy elsewhere was made from a lock that fitted."""
    if environment.uv_path(CHECKOUT).exists():
        fits = environment.is_current(CHECKOUT, for_tests=False)
        fact = "as uv.lock says" if fits else "not as uv.lock says"
        remedy = "" if fits else "`make install` brings it up to date."
        yield Finding("Python environment", fact, remedy)
        built = console.is_current(CHECKOUT)
        fact = "built from its sources" if built else "not built, or from older sources"
        remedy = (
            ""
            if built
            else "`make install` builds it; until then the API works without it."
        )
        yield Finding("console", fact, remedy)


def _disk(home: Home) -> Finding:
    place = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    fact = f"{free / 1024**3:.0f} GB free under {place}"
    if free < LOW_DISK_BYTES:
        remedy = (
            "Make room: without it nothing can be stored, and recovery needs space too."
        )
        return Finding("disk", fact, remedy)
    return Finding("disk", fact)


def _not_running(home: Home, state: dict[str, Any] | None) -> Iterator[Finding]:
    fact = f"does not run in {home.folder}"
    if state is not None:
        fact += "; its supervisor was killed, the next start mends that"
    yield Finding(
        "installation", fact, "`alatau up` or `alatau up --detach` starts it."
    )
    base = state["port_base"] if state else DEFAULT_PORT_BASE
    try:
        refuse_taken_ports(Ports(base))
        yield Finding("ports", f"{base} to {base + 9} are free")
    except PortTakenError as error:
        yield Finding("ports", str(error), error.remedy)


def _service(home: Home, name: str, entry: dict[str, Any]) -> Finding:
    fact = f"{entry['state']}, restarted {entry['restarts']} times"
    if entry["detail"]:
        fact += f" ({entry['detail']})"
    if entry["state"] == "running":
        return Finding(name, fact)
    remedy = f"Its last words: `alatau logs {name}` ({home.log(name)}). It is started again by itself."
    return Finding(name, fact, remedy)


def _open_files(state: dict[str, Any]) -> Finding:
    limit = _limit_of(int(state["pid"]))
    fact = f"up to {limit} at a time"
    if limit < OPEN_FILES // 16:
        remedy = "Each device takes one: raise `ulimit -n` before `alatau up`, or start as root."
        return Finding("open files", fact, remedy)
    return Finding("open files", fact)


def _limit_of(pid: int) -> int:
    with Path(f"/proc/{pid}/limits").open(encoding="utf-8") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    return int(line.split()[3]) if line.split()[3].isdigit() else OPEN_FILES


def _readiness(url: str) -> Finding:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - our own http URL
            return Finding("readiness", f"{url} says {answer.status}")
    except urllib.error.HTTPError as error:
        said = _said(error.read())
        return Finding(
            "readiness",
            f"{url} says {error.code}: {said}",
            "What it names is the part to look at.",
        )
    except OSError as error:
        return Finding("readiness", f"{url}: {error}", "See `alatau logs api`.")


def _said(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))[:400]
    except ValueError:
        return body[:400].decode(errors="replace")
