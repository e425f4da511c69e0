"""`python -m device_sim.client`: sends JSON lines from standard input, and ends when all of them are receipted."""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Final

import msgspec

from device_sim.client.client import (
    ClientSettings,
    ClockNotSetError,
    DeviceClient,
    MessageTooLargeError,
)
from device_sim.folder import FolderTakenError
from device_sim.outbox import MOST_MESSAGES
from services.core.broker.messages import Item
from services.core.broker.options import Trust
from services.core.clock import Clock, SystemClock

_MOST_AT_ONCE: Final = 500  # lines to one write of the disk
_decoder = msgspec.json.Decoder(Item)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m device_sim.client",
        description='Publish JSON lines, one item each: {"values": {…}, "time": …, "device": …}; time: default now.',
        epilog="The secret is read from ALATAU_DEVICE_SECRET or --secret-file.",
    )
    parser.add_argument("--broker", required=True, help="mqtt://host:port or mqtts://…")
    parser.add_argument("--device", required=True, help="the publisher's device id")
    parser.add_argument("--secret-file", type=Path)
    parser.add_argument("--authority", type=Path, help="CA to believe, for mqtts")
    parser.add_argument("--outbox", type=Path, help="folder; default ./outbox-DEVICE")
    parser.add_argument("--device-type")
    parser.add_argument("--most-messages", type=int, default=MOST_MESSAGES)
    parser.add_argument(
        "--say-numbers",
        action="store_true",
        help="print each line's number once it is on the disk",
    )
    return parser.parse_args(arguments)


def _settings(given: argparse.Namespace) -> ClientSettings:
    secret = (
        given.secret_file.read_text(encoding="utf-8").strip()
        if given.secret_file
        else os.environ.get("ALATAU_DEVICE_SECRET", "")
    )
    return ClientSettings(
        given.broker,
        given.device,
        secret,
        given.outbox or Path(f"outbox-{given.device}"),
        given.device_type,
        given.most_messages,
        Trust(authority=given.authority),
    )


def _tell(event: str, /, **facts: object) -> None:
    print(
        json.dumps({"event": event, **facts}, default=str), file=sys.stderr, flush=True
    )


def _items(lines: list[bytes], clock: Clock) -> list[list[Item]]:
    """One message a line; a line that is none is said and passed over."""
    items = []
    for line in filter(bytes.strip, lines):
        try:
            item = _decoder.decode(line)
        except msgspec.DecodeError as error:
            _tell(
                "a line that is no item",
                error=str(error),
                line=line.decode(errors="replace"),
            )
            continue
        item.time = clock.now_ms() if item.time is None else item.time
        items.append([item])
    return items


class Lines:
    """Standard input, be it a pipe or a file, without holding up the event loop or the end of the program."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_MOST_AT_ONCE)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=[loop], daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, CancelledError):  # the loop has ended
            for line in itertools.chain(sys.stdin.buffer, [b""]):
                asyncio.run_coroutine_threadsafe(self._queue.put(line), loop).result()

    async def take(self) -> list[bytes]:
        """At least one, and what else has come; the last of all is empty."""
        lines = [await self._queue.get()]
        while lines[-1] and not self._queue.empty() and len(lines) < _MOST_AT_ONCE:
            lines.append(self._queue.get_nowait())
        return lines


async def _send(client: DeviceClient, *, say_numbers: bool) -> None:
    clock, lines, dropped = SystemClock(), Lines(), client.dropped
    taken = [b"the first"]
    while taken[-1]:
        taken = await lines.take()
        for number in await client.put(*_items(taken, clock)):
            if say_numbers:
                print(number, flush=True)
        if client.dropped > dropped:
            dropped = client.dropped
            _tell("the outbox is full: the oldest are dropped", dropped=dropped)
    await client.receipted()


async def run(given: argparse.Namespace) -> None:
    """Until all lines are receipted, or SIGTERM or SIGINT: what is not receipted stays in the outbox."""
    async with DeviceClient(_settings(given), tell=_tell) as client:
        sending = asyncio.create_task(_send(client, say_numbers=given.say_numbers))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, sending.cancel)
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.result()
        if client.pending:
            _tell(
                "without receipts yet; they stay in the outbox", messages=client.pending
            )


def main() -> int:
    try:
        asyncio.run(run(parse(sys.argv[1:])))
    except (FolderTakenError, ClockNotSetError, MessageTooLargeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
