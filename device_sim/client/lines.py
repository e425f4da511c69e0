"""Lines of input, one item each: read without holding anybody up, taken as docs/device-protocol.md has items."""

import asyncio
import contextlib
import datetime as dt
import itertools
import sys
import threading
from concurrent.futures import CancelledError
from typing import Annotated, Final

import msgspec

from device_sim.client.client import fits
from device_sim.publisher import Tell
from services.core.broker.messages import Item
from services.core.clock import to_milliseconds

MOST_AT_ONCE: Final = 500  # lines to one write of the disk
_SHOWN: Final = 200  # bytes of a line that is passed over
_HALF: Final = dt.timedelta(microseconds=500)


class _Line(Item, kw_only=True):
    """Integers stay what they are: one that no float can say is the platform's to refuse."""

    time: int | Annotated[dt.datetime, msgspec.Meta(tz=True)] | None = None  # type: ignore[assignment] # becomes milliseconds
    values: dict[str, int | float | bool | str | None]


_decoder = msgspec.json.Decoder(_Line)


def items_of(lines: list[bytes], now_ms: int, tell: Tell) -> list[list[Item]]:
    """One message a line; a line that is none, or too long for one, is said and passed over."""
    items = []
    for line in filter(bytes.strip, lines):
        try:
            items.append([_item(line, now_ms)])
        except (ValueError, OverflowError, RecursionError) as error:
            tell(
                "a line that is no item",
                error=str(error),
                line=line[:_SHOWN].decode(errors="replace"),
            )
    return items


def _item(line: bytes, now_ms: int) -> Item:
    item = _decoder.decode(line)
    time = item.time
    if isinstance(time, dt.datetime):
        # To the nearest, as the platform does.
        item.time = to_milliseconds(time + _HALF)
    elif time is None:
        item.time = now_ms
    if not fits([item]):
        raise ValueError("it is longer than a message may be")
    return item


class Lines:
    """Standard input, be it a pipe or a file, without holding up the event loop or the end of the program."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MOST_AT_ONCE)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=[loop], daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, CancelledError):  # the loop has ended
            for line in itertools.chain(sys.stdin.buffer, [b""]):
                asyncio.run_coroutine_threadsafe(self._queue.put(line), loop).result()

    async def take(self) -> list[bytes]:
        """At least one, and what else has come; the last of all is empty."""
        lines = [await self._queue.get()]
        while lines[-1] and not self._queue.empty() and len(lines) < MOST_AT_ONCE:
            lines.append(self._queue.get_nowait())
        return lines
