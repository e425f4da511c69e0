"""How a person or a test reaches a running simulator: one JSON line each way on a UNIX socket in its folder."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from device_sim.faults import Fault
from device_sim.world.incidents import IncidentKind

SOCKET: Final = "control.sock"
_LONGEST_LINE: Final = 65_536
_ANSWER_SECONDS: Final = 10.0


class StartIncident(msgspec.Struct, frozen=True, tag="incident", tag_field="do"):
    """on: a thing's key; none: the simulator chooses. Seconds."""

    kind: IncidentKind
    on: str | None = None
    after: float = 0.0
    duration: float | None = None


class AddFault(msgspec.Struct, frozen=True, tag="fault", tag_field="do"):
    """Its start counts from now."""

    fault: Fault


class TellStanding(msgspec.Struct, frozen=True, tag="standing", tag_field="do"):
    """How it stands."""


class Answer(msgspec.Struct, frozen=True):
    ok: bool
    detail: str


Request = StartIncident | AddFault | TellStanding
Respond = Callable[[Request], Answer]


class NotRunningError(Exception):
    """No simulator listens in that folder."""


@contextlib.asynccontextmanager
async def listening(folder: Path, respond: Respond) -> AsyncIterator[None]:
    """Answers requests while the block runs."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            line = await reader.readline()
            writer.write(msgspec.json.encode(_answer(line, respond)) + b"\n")
            await writer.drain()
        writer.close()

    (folder / SOCKET).unlink(missing_ok=True)
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short_path(folder) as path:
        ear.bind(path)
    (folder / SOCKET).chmod(0o600)
    server = await asyncio.start_unix_server(serve, sock=ear, limit=_LONGEST_LINE)
    try:
        async with server:
            yield
    finally:
        (folder / SOCKET).unlink(missing_ok=True)


def _answer(line: bytes, respond: Respond) -> Answer:
    try:
        return respond(msgspec.json.decode(line, type=Request))
    except (msgspec.DecodeError, LookupError, ValueError) as error:
        return Answer(ok=False, detail=str(error))


def ask(folder: Path, wanted: Request) -> Answer:
    """Ask the simulator whose folder this is; blocks.

    Raises:
        NotRunningError: nobody listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_SECONDS)
        try:
            with _short_path(folder) as path:
                line.connect(path)
        except OSError as error:
            raise NotRunningError(f"no simulator runs in {folder}") from error
        line.sendall(msgspec.json.encode(wanted) + b"\n")
        with line.makefile("rb") as answer:
            return msgspec.json.decode(answer.readline(), type=Answer)


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """The socket's path by way of an open folder: the kernel takes at most 107 bytes."""
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{SOCKET}"
    finally:
        os.close(opened)
