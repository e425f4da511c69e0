"""What the machine could do at best: the broker with a subscriber in C, the database with a bare COPY."""

import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deploy.native.mosquitto import INGEST_USER
from services.cli.benches.private_servers import Servers
from services.core.clock import Clock
from services.core.errors import PlatformError
from services.core.storage.pool import Connection

_ROWS: Final = 20_000  # of a COPY
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_MICROSECONDS: Final = 1_000


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
            f"-u {INGEST_USER}\n-P {servers.secrets[INGEST_USER]}\n", encoding="utf-8"
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
        threading.Thread(target=self._read, daemon=True).start()

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


async def raw_copy_rate(
    connection: Connection,
    series: int,
    filled_rows: int,
    seconds: float,
    clock: Clock,
) -> float:
    """Rows a second of binary COPY into a narrow table with a primary key, filled before. Encoding is not counted."""
    await connection.execute("DROP TABLE IF EXISTS raw_copy")
    await connection.execute(
        "CREATE TABLE raw_copy (series integer, time timestamptz, value float8, PRIMARY KEY (series, time))"
    )
    start_us = 1_000_000_000_000
    copied = 0

    async def copy(batch: bytes) -> float:
        began = clock.monotonic()
        await connection.copy_to_table("raw_copy", source=_once(batch), format="binary")
        return clock.monotonic() - began

    batches = (_narrow_rows(series, number, start_us) for number in range(1 << 30))
    while copied < filled_rows:
        await copy(next(batches))
        copied += _ROWS
    spent, counted = 0.0, 0
    while spent < seconds:
        spent += await copy(next(batches))
        counted += _ROWS
    await connection.execute("DROP TABLE raw_copy")
    return counted / spent


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


def _narrow_rows(series: int, number: int, start_us: int) -> bytes:
    """The number-th batch: every series has its next rows in it, one series after the other."""
    rows: NDArray[Any] = np.zeros(_ROWS, _NARROW)
    each = -(-_ROWS // series)
    rows["columns"] = 3
    rows["series_length"], rows["series"] = (
        4,
        np.repeat(np.arange(series), each)[:_ROWS],
    )
    turn = np.tile(np.arange(each), series)[:_ROWS] + number * each
    rows["time_length"], rows["time"] = 8, start_us + turn * _MICROSECONDS
    rows["value_length"], rows["value"] = 8, turn % 100 + 0.5
    return _HEADER + rows.tobytes() + b"\xff\xff"
