"""A service as a process: signals, ordered start and stop, readiness for the supervisor."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

import structlog

log = structlog.get_logger()

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_NOTICE_SECONDS = (
    1.0  # a supervisor that hangs must not hang us: its queue of notices is short
)


def announce_ready() -> None:
    """Tell the supervisor; and let the garbage collector look no more at what is there by now.

    A registry of millions took it 0.1 to 0.2 s again and again, a tenth of ingest's time, in which nothing moved.
    What is held now stays, and reference counts still free it; cycles among it are not found any more.
    """
    gc.collect()
    gc.freeze()
    notify_supervisor("READY=1")


def notify_supervisor(message: str) -> None:
    """Tell systemd, or our own supervisor, by its protocol (sd_notify(3)); without one, nothing.

    message: READY=1, STATUS=text, WATCHDOG=1, STOPPING=1; several separated by newlines.
    """
    _keep_alive_file(message.split("\n"))
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        _send_notice(message.encode(), address)
    except OSError as error:
        log.warning(
            "the supervisor did not take a notice",
            action="notify_failed",
            error=str(error),
        )


def _send_notice(notice: bytes, address: str) -> None:
    """Without a free file descriptor, too, this fails: a sign of life is no reason to die."""
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_UNIX, kind) as notify_socket:
        notify_socket.settimeout(_NOTICE_SECONDS)
        notify_socket.sendto(notice, address)


def _keep_alive_file(news: list[str]) -> None:
    """ALATAU_ALIVE_FILE: there since READY=1, touched by each WATCHDOG=1, for supervisors that can only look (containers)."""
    name = os.environ.get("ALATAU_ALIVE_FILE")
    if not name:
        return
    alive = Path(name)
    if "READY=1" in news or ("WATCHDOG=1" in news and alive.exists()):
        alive.touch()
    elif "STOPPING=1" in news:
        alive.unlink(missing_ok=True)


def run_service(name: str, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run main(stop) until it returns; SIGTERM and SIGINT set stop, and main ends in order.

    A second signal ends the process at once: what was received is still with the broker.
    """
    asyncio.run(_run(name, main))


async def _run(name: str, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            os._exit(1)
        notify_supervisor("STOPPING=1")
        stop.set()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, ask_to_stop)
    log.info("the service starts", action="start", service=name, pid=os.getpid())
    await main(stop)
    log.info("the service has stopped", action="stopped", service=name)


async def until_stopped(
    work: Coroutine[object, object, None], stop: asyncio.Event
) -> None:
    """Run work until stop is set, then cancel it and wait for its end; work's own error is raised here."""
    working = asyncio.create_task(work, name="work")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
        await asyncio.wait((working, stopping))
    if not working.cancelled():
        working.result()


async def side_by_side(*works: Coroutine[object, object, None]) -> None:
    """Run all until one ends or fails; the others are cancelled, and its error, as it is, is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
