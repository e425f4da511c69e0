"""What the machine could do at best: the disk, the broker with a subscriber in C, the database with a bare COPY."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.cli.benches.private_servers import Servers
from services.core.broker import users
from services.core.clock import Clock
from services.core.errors import PlatformError
from services.core.storage.pool import Connection

_ROWS: Final = 20_000  # of a COPY
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_ROWS_A_FILL: Final = 200_000
_START_US: Final = 1_000_000_000_000
_MICROSECONDS: Final = 1_000  # between two rows of a series


_FLUSHED_BYTES: Final = 8192
_FLUSH_PAUSE_SECONDS: Final = 0.01
_STALL_SECONDS: Final = 0.03


@dataclass(frozen=True, slots=True)
class DiskFlush:
    """Milliseconds of a write of 8 KB with fdatasync, which every commit waits for; nothing else was going on.

    stalled_share: of the time, in those that took over 30 ms.
    """

    p50: float
    p99: float
    worst: float
    stalled_share: float


def disk_flush(folder: Path, seconds: float, clock: Clock) -> DiskFlush:
    taken: list[float] = []
    pause = threading.Event()
    with tempfile.TemporaryFile(dir=folder) as file:
        number, end = file.fileno(), clock.monotonic() + seconds
        while not taken or clock.monotonic() < end:
            began = clock.monotonic()
            os.pwrite(number, os.urandom(_FLUSHED_BYTES), 0)
            os.fdatasync(number)
            taken.append(clock.monotonic() - began)
            pause.wait(_FLUSH_PAUSE_SECONDS)
    p50, p99, worst = (1e3 * np.percentile(taken, (50, 99, 100))).round(2).tolist()
    stalled = sum(each for each in taken if each > _STALL_SECONDS)
    whole = sum(taken) + len(taken) * _FLUSH_PAUSE_SECONDS
    return DiskFlush(p50, p99, worst, round(stalled / whole, 4))


class SubscriberMissingError(PlatformError):
    """mosquitto_sub is not on this machine."""

    remedy = "`make install` installs what is missing."


class CountingSubscriber:
    """mosquitto_sub with QoS 1 over TCP, writing two bytes a message, which a thread counts."""

    def __init__(self, servers: Servers, password_folder: Path) -> None:
        program = shutil.which("mosquitto_sub")
        if program is None:
            raise SubscriberMissingError
        # The password goes through a file: a command line can be read by everyone.
        options = password_folder / "mosquitto_sub"
        options.write_text(
            f"-u {users.INGEST}\n-P {servers.secrets[users.INGEST]}\n", encoding="utf-8"
        )
        options.chmod(0o600)
        self._process = subprocess.Popen(  # noqa: S603 - fixed command
            [
                program,
                *("-h", "127.0.0.1", "-p", str(servers.port)),
                *("-q", "1", "-t", "city/v1/+/data", "-F", "x"),
            ],
            stdout=subprocess.PIPE,
            env={**os.environ, "XDG_CONFIG_HOME": str(password_folder)},
        )
        self.count = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 # it is a pipe
        number = self._process.stdout.fileno()
        received = 0
        while data := os.read(number, 1 << 20):
            received += len(data)
            self.count = received // 2

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdout.close()


@contextmanager
def counting_subscriber(
    servers: Servers, password_folder: Path
) -> Iterator[CountingSubscriber]:
    subscriber = CountingSubscriber(servers, password_folder)
    try:
        yield subscriber
    finally:
        subscriber.stop()


class RawCopy:
    """A narrow table (series, time, value) with a primary key, filled before anything is measured."""

    def __init__(self, connection: Connection, series: int, clock: Clock) -> None:
        self._connection = connection
        self._series = series
        self._clock = clock
        self._next_us = _START_US

    async def fill(self, rows: int) -> None:
        """In key order, evenly over the series; the key is made afterwards, which is faster."""
        await self._connection.execute("DROP TABLE IF EXISTS raw_copy")
        await self._connection.execute(
            "CREATE TABLE raw_copy (series integer, time timestamptz, value float8)"
        )
        each = rows // self._series
        together = max(1, _ROWS_A_FILL // max(1, each))
        for first in range(0, self._series, together) if each else ():
            some = np.arange(first, min(first + together, self._series))
            await self._copy(_narrow_rows(some, each, _START_US))
        await self._connection.execute(
            "ALTER TABLE raw_copy ADD PRIMARY KEY (series, time)"
        )
        self._next_us = _START_US + each * _MICROSECONDS

    async def rate(self, series: int, seconds: float) -> float:
        """Rows a second of so many series, in batches that have next rows of each. Encoding is not counted."""
        some, each = np.arange(series), -(-_ROWS // series)
        spent, counted = 0.0, 0
        while spent < seconds:
            batch = _narrow_rows(some, each, self._next_us)
            self._next_us += each * _MICROSECONDS
            began = self._clock.monotonic()
            await self._copy(batch)
            spent += self._clock.monotonic() - began
            counted += series * each
        return counted / spent

    async def drop(self) -> None:
        await self._connection.execute("DROP TABLE raw_copy")

    async def _copy(self, rows: bytes) -> None:
        await self._connection.copy_to_table(
            "raw_copy", source=_once(rows), format="binary"
        )


async def _once(encoded: bytes) -> AsyncIterator[bytes]:
    yield encoded


_NARROW: Final = np.dtype(
    [
        ("columns", ">i2"),
        ("series_length", ">i4"),
        ("series", ">i4"),
        ("time_length", ">i4"),
        ("time", ">i8"),
        ("value_length", ">i4"),
        ("value", ">f8"),
    ]
)


def _narrow_rows(series: NDArray[np.int64], each: int, start_us: int) -> bytes:
    """A COPY of the next rows of series, one series after the other."""
    rows: NDArray[Any] = np.zeros(len(series) * each, _NARROW)
    rows["columns"] = 3
    rows["series_length"], rows["series"] = 4, np.repeat(series, each)
    turn = np.tile(np.arange(each), len(series))
    rows["time_length"], rows["time"] = 8, start_us + turn * _MICROSECONDS
    rows["value_length"], rows["value"] = 8, turn % 100 + 0.5
    return _HEADER + rows.tobytes() + b"\xff\xff"
