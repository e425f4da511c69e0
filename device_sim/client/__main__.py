"""`python -m device_sim.client`: sends JSON lines from standard input, and ends when all of them are receipted."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from device_sim.client.client import (
    ClientSettings,
    ClockNotSetError,
    DeviceClient,
)
from device_sim.client.lines import Lines, items_of
from device_sim.folder import FolderTakenError
from device_sim.outbox import MOST_MESSAGES
from services.core.broker.options import Trust
from services.core.clock import SystemClock


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


async def _send(client: DeviceClient, *, say_numbers: bool) -> None:
    clock, lines, dropped = SystemClock(), Lines(), client.dropped
    taken = [b"the first"]
    while taken[-1]:
        taken = await lines.take()
        for number in await client.put(*items_of(taken, clock.now_ms(), _tell)):
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
    except (FolderTakenError, ClockNotSetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
